// The emulator of GitHub's REST API on 127.0.0.1, and a way to set what its API cannot.
//
//     node github.mjs PORT SEED.json
//
// PATCH /__update/COLLECTION/ID changes a record, such as the head of a pull request: the emulator
// has its own git data, apart from the repository that the tests push to. The files of releases are
// kept, with their digests, and cannot be changed once a release is published.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

// By itself the emulator listens on every interface.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, host, ...rest) {
  return listen.call(this, port, host ?? "127.0.0.1", ...rest);
};

const [port, seedFile] = process.argv.slice(2);
const folder = join(dirname(fileURLToPath(import.meta.url)), "node_modules/emulate/dist");
const exportsPlugin = (name) =>
  name.endsWith(".js") &&
  /^\s*githubPlugin,?$/m.test(readFileSync(join(folder, name), "utf8").split("export {").pop());
const github = await import(pathToFileURL(join(folder, readdirSync(folder).find(exportsPlugin))).href);

const register = github.githubPlugin.register;
github.githubPlugin.register = function (app, store, ...rest) {
  app.patch("/__update/:collection/:id", async (context) => {
    const collection = github.getGitHubStore(store)[context.req.param("collection")];
    return context.json(collection.update(Number(context.req.param("id")), await context.req.json()));
  });
  serveFiles(app, github.getGitHubStore(store));
  return register.call(this, app, store, ...rest);
};

// In place of the emulator's own routes, which come later.
function serveFiles(app, { repos, releases, releaseAssets }) {
  const contents = new Map();
  const refused = (context, code) =>
    context.json({ message: "Validation Failed", errors: [{ code }] }, 422);
  const shown = (asset, context) => ({
    ...asset,
    url: `${new URL(context.req.url).origin}/repos/${context.req.param("owner")}/${context.req.param("repo")}/releases/assets/${asset.id}`,
  });
  const base = "/repos/:owner/:repo/releases";
  app.get(`${base}/:id/assets`, (context) => {
    const of = releaseAssets.findBy("release_id", Number(context.req.param("id")));
    return context.json(of.map((asset) => shown(asset, context)));
  });
  app.post(`${base}/:id/assets`, async (context) => {
    const release = releases.get(Number(context.req.param("id")));
    const name = context.req.query("name");
    if (!release.draft) return refused(context, "immutable");
    if (releaseAssets.findBy("release_id", release.id).some((asset) => asset.name === name))
      return refused(context, "already_exists");
    const content = Buffer.from(await context.req.arrayBuffer());
    const asset = releaseAssets.insert({
      node_id: "",
      release_id: release.id,
      repo_id: release.repo_id,
      name,
      label: null,
      state: "uploaded",
      content_type: "application/octet-stream",
      size: content.length,
      digest: `sha256:${createHash("sha256").update(content).digest("hex")}`,
      download_count: 0,
    });
    contents.set(asset.id, content);
    return context.json(shown(asset, context), 201);
  });
  app.delete(`${base}/assets/:id`, (context) => {
    const asset = releaseAssets.get(Number(context.req.param("id")));
    if (!releases.get(asset.release_id).draft) return refused(context, "immutable");
    releaseAssets.delete(asset.id);
    return context.body(null, 204);
  });
  app.get("/:owner/:repo/releases/download/:tag/:name", (context) => {
    const release = releases.all().find((one) => one.tag_name === context.req.param("tag") && !one.draft);
    const named = (asset) => asset.name === context.req.param("name");
    const asset = release && releaseAssets.findBy("release_id", release.id).find(named);
    return asset ? context.body(contents.get(asset.id)) : context.notFound();
  });
}

const { createEmulator } = await import("emulate");
await createEmulator({
  service: "github",
  port: Number(port),
  seed: JSON.parse(readFileSync(seedFile)),
  baseUrl: `http://127.0.0.1:${port}`,
});
