"""GitHub's API: an emulator behind a proxy that can fail and that serves artifacts."""

import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from tests.doubles import proxy
from tests.doubles.process import free_port, serving, session
from tests.doubles.proxy import Answer, Proxy

HERE = Path(__file__).parent
OWNER, NAME = "octo", "ds"
REPOSITORY = f"{OWNER}/{NAME}"
CONTRIBUTOR = "contributor"
BOT = "github-actions[bot]"
TOKEN = "bot_token"  # noqa: S105 - the emulator's
SEED = {
    "tokens": {
        "owner_token": {"login": OWNER, "scopes": ["repo"]},
        "contributor_token": {"login": CONTRIBUTOR, "scopes": ["repo"]},
        TOKEN: {"login": BOT, "scopes": ["repo"]},
    },
    "github": {
        # The emulator treats an unknown token as the first user's.
        "users": [
            {"login": login} for login in ("nobody", OWNER, CONTRIBUTOR, BOT, "dependabot[bot]")
        ],
        "repos": [{"owner": OWNER, "name": NAME, "auto_init": True, "default_branch": "main"}],
    },
}
MISSING = next(
    (
        reason
        for there, reason in (
            (shutil.which("node"), "node is not installed"),
            ((HERE / "node_modules").is_dir(), "GitHub's emulator is not installed: make tools"),
        )
        if not there
    ),
    None,
)


@dataclass
class Server:
    """A GitHub with one repository.

    `artifacts` holds a folder RUN/NAME for each artifact, or RUN/NAME#ID where a run has several of
    one name. `sizes` are sizes to report in place of the true ones, by name. `merged` is the pull
    request whose merge made a commit, `bases` the base of one that is not main. `permissions` are
    those of users other than the owner, as GitHub names them.
    """

    proxy: Proxy
    artifacts: Path
    sizes: dict[str, int] = field(default_factory=dict)
    merged: dict[str, int] = field(default_factory=dict)
    bases: dict[int, str] = field(default_factory=dict)
    permissions: dict[str, str] = field(default_factory=dict)
    has_fork: bool = False

    @property
    def url(self) -> str:
        return self.proxy.url

    def reset(self) -> None:
        """Remove what earlier tests left: faults, open pull requests, releases and artifacts."""
        self.proxy.reset()
        self.sizes.clear()
        self.merged.clear()
        self.bases.clear()
        self.permissions.clear()
        shutil.rmtree(self.artifacts, ignore_errors=True)
        while pulls := self.ask("GET", f"/repos/{REPOSITORY}/pulls?state=open&per_page=100"):
            for pull in pulls:
                self.close_pull(pull["number"])
        for release in self.releases():
            self.delete_release(release["tag_name"])
        self.proxy.reset()

    def ask(self, method: str, path: str, body: Any = None, token: str = "owner_token") -> Any:  # noqa: S107
        headers = {"Authorization": f"Bearer {token}"}
        response = session().request(method, f"{self.url}{path}", json=body, headers=headers)
        response.raise_for_status()
        return response.json() if response.content else None

    def open_pull(self, branch: str, sha: str, *, fork: bool = False, title: str = "Change") -> int:
        """Open a pull request whose head is the commit `sha`; return its number."""
        if fork and not self.has_fork:
            self.has_fork = True
            self.ask("POST", f"/repos/{REPOSITORY}/forks", {}, token="contributor_token")  # noqa: S106
        head = f"{CONTRIBUTOR}:{branch}" if fork else branch
        body = {"title": title, "head": head, "base": "main"}
        pull = self.ask("POST", f"/repos/{REPOSITORY}/pulls", body, token="contributor_token")  # noqa: S106
        self.set_head(pull["number"], sha)
        number: int = pull["number"]
        return number

    def set_head(self, number: int, sha: str) -> None:
        pull = self.ask("GET", f"/repos/{REPOSITORY}/pulls/{number}")
        self.ask("PATCH", f"/__update/pullRequests/{pull['id']}", {"head_sha": sha})

    def close_pull(self, number: int) -> None:
        self.ask("PATCH", f"/repos/{REPOSITORY}/pulls/{number}", {"state": "closed"})

    def open_issue(self, body: str) -> int:
        """Open an issue, as anybody can; return its number."""
        content = {"title": "Samples", "body": body}
        path = f"/repos/{REPOSITORY}/issues"
        issue = self.ask("POST", path, content, token="contributor_token")  # noqa: S106
        number: int = issue["number"]
        return number

    def user(self, login: str) -> int:
        """Return the number of an account."""
        number: int = self.ask("GET", f"/users/{login}")["id"]
        return number

    def comments(self, number: int) -> list[dict[str, Any]]:
        path = f"/repos/{REPOSITORY}/issues/{number}/comments?per_page=100"
        found: list[dict[str, Any]] = self.ask("GET", path)
        return found

    def releases(self) -> list[dict[str, Any]]:
        """Return the GitHub releases and drafts, oldest first, with the digests of their files."""
        path = f"/repos/{REPOSITORY}/releases"
        found: list[dict[str, Any]] = self.ask("GET", f"{path}?per_page=100")
        return [
            {**release, "assets": self.ask("GET", f"{path}/{release['id']}/assets")}
            for release in sorted(found, key=lambda release: int(release["id"]))
        ]

    def file(self, tag: str, name: str) -> bytes:
        """Return a file of a published release, as anybody downloads it."""
        response = session().get(f"{self.url}/{REPOSITORY}/releases/download/{tag}/{name}")
        response.raise_for_status()
        return response.content

    def delete_release(self, tag: str) -> None:
        release = self.ask("GET", f"/repos/{REPOSITORY}/releases/tags/{tag}")
        self.ask("DELETE", f"/repos/{REPOSITORY}/releases/{release['id']}")

    def add_artifact(self, run: int, name: str, files: dict[str, bytes]) -> None:
        """Add an artifact to the workflow run `run`."""
        for file, content in files.items():
            target = self.artifacts / str(run) / name / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def route(self, method: str, path: str) -> Answer | None:
        """Answer what the emulator does not support: merges outside of it, a run's artifacts."""
        commit = re.fullmatch(
            rf"/repos/{REPOSITORY}/commits/([0-9a-f]{{40}})(/pulls)?(\?.*)?", path
        )
        if method == "GET" and commit:
            sha, is_pulls = commit.group(1), commit.group(2)
            address = f"{self.url}/repos/{REPOSITORY}/commits/{sha}"
            found: Any = self._merged_as(sha) if is_pulls else {"sha": sha, "url": address}
            return 200, json.dumps(found).encode()
        asked = re.fullmatch(rf"/repos/{REPOSITORY}/collaborators/(.+)/permission", path)
        if method == "GET" and asked and (login := unquote(asked.group(1))) in self.permissions:
            return 200, json.dumps({"permission": self.permissions[login]}).encode()
        base = f"/repos/{REPOSITORY}/actions"
        if method == "GET" and (
            found := re.fullmatch(rf"{base}/runs/(\d+)(/artifacts)?(\?.*)?", path)
        ):
            run, listed = found.group(1), found.group(2)
            return 200, json.dumps(self._artifacts(run) if listed else self._run(run)).encode()
        if method == "GET" and (found := re.fullmatch(rf"{base}/artifacts/(\d+)/(.+)/zip", path)):
            return 200, self._zip(self.artifacts / found.group(1) / unquote(found.group(2)))
        return None

    def _merged_as(self, sha: str) -> list[dict[str, Any]]:
        """Return the pull requests that contain a commit: here, the one whose merge made it."""
        if sha not in self.merged:
            return []
        pull = self.ask("GET", f"/repos/{REPOSITORY}/pulls/{self.merged[sha]}")
        pull["base"]["ref"] = self.bases.get(self.merged[sha], "main")
        return [{**pull, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": sha}]

    def _run(self, run: str) -> dict[str, Any]:
        address = f"{self.url}/repos/{REPOSITORY}/actions/runs/{run}"
        return {"id": int(run), "url": address, "artifacts_url": f"{address}/artifacts"}

    def _artifacts(self, run: str) -> dict[str, Any]:
        artifacts = []
        for index, folder in enumerate(sorted((self.artifacts / run).glob("*")), start=1):
            name, _, number = folder.name.partition("#")
            artifacts.append(
                {
                    "id": int(number or index),
                    "name": name,
                    "size_in_bytes": self.sizes.get(name, len(self._zip(folder))),
                    "archive_download_url": f"{self.url}/repos/{REPOSITORY}/actions/artifacts"
                    f"/{run}/{quote(folder.name)}/zip",
                }
            )
        return {"total_count": len(artifacts), "artifacts": artifacts}

    def _zip(self, folder: Path) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder))
        return buffer.getvalue()


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Serve a GitHub until the block ends; `folder` is for its files."""
    port, seed = free_port(), folder / "seed.json"
    seed.write_text(json.dumps(SEED))
    command = ["node", str(HERE / "github.mjs"), str(port), str(seed)]
    server = Server(Proxy(0, port), folder / "artifacts")
    with (
        serving(command, f"http://127.0.0.1:{port}/meta"),
        proxy.before(port, server.route) as network,
    ):
        server.proxy = network
        yield server
