// The emulator of GitHub's REST API on 127.0.0.1, and a way to set what its API cannot.
//
//     node github.mjs PORT SEED.json
//
// PATCH /__update/COLLECTION/ID changes a record, such as the head of a pull request: the emulator
// has its own git data, apart from the repository that the tests push to.
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
  return register.call(this, app, store, ...rest);
};

const { createEmulator } = await import("emulate");
await createEmulator({
  service: "github",
  port: Number(port),
  seed: JSON.parse(readFileSync(seedFile)),
  baseUrl: `http://127.0.0.1:${port}`,
});
