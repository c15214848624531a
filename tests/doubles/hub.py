"""The Hugging Face Hub in memory: one dataset repository, with the requests that its client sends.

`seen` has the requests as METHOD and path; one that the Hub does not know is an error.
"""

import base64
import fnmatch
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

NAME = "our-team/mnist"
TOKEN = "hf_right"  # noqa: S105
SETTINGS = ".gitattributes"
# As in the settings of a new repository.
LARGE = ("*.parquet", "*.zip")
REPOSITORY = f"/api/datasets/{NAME}"
FILES = f"/datasets/{NAME}"


class Blob(NamedTuple):
    """A file; of a large one, git has a pointer by its SHA-256."""

    content: bytes
    large: bool

    @property
    def oid(self) -> str:
        """The hash that git gives to the file, or to its pointer."""
        return git_hash(pointer(self.content) if self.large else self.content)

    def described(self, path: str) -> dict[str, Any]:
        found = {"type": "file", "path": path, "oid": self.oid, "size": len(self.content)}
        if not self.large:
            return found
        size = len(pointer(self.content))
        return {**found, "lfs": {**large_file(self.content), "pointerSize": size}}


class Commit(NamedTuple):
    parent: str | None
    title: str
    message: str
    files: dict[str, Blob]


class Answer(NamedTuple):
    status: int
    content: bytes = b""
    headers: Mapping[str, str] = {}


@dataclass
class Hub:
    """The repository: its commits by hash, its branches and tags by name, its large objects."""

    url: str = ""
    seen: list[str] = field(default_factory=list)
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    _faults: list[tuple[str, int]] = field(default_factory=list)

    @property
    def storage(self) -> str:
        """The address of the large objects: another host, which needs no token."""
        return f"{self.url.replace('127.0.0.1', 'localhost')}/objects"

    def fail(self, match: str, status: int) -> None:
        """Let the next request fail in which `match` is found in METHOD and path."""
        self._faults.append((match, status))

    def files(self, revision: str) -> dict[str, bytes]:
        """Return the files of a branch, tag or commit, without the Hub's settings."""
        found = self.commits[self._commit(revision)].files
        return {path: blob.content for path, blob in found.items() if path != SETTINGS}

    def history(self, revision: str = "main") -> list[str]:
        """Return the titles of the commits, oldest first."""
        return [self.commits[one].title for one in reversed(self._line(revision))]

    def add(self, files: Mapping[str, bytes], title: str, message: str = "") -> str:
        """Commit `files` to main, in place of all others; return the hash of the commit."""
        kept = {SETTINGS: Blob(b"*.parquet filter=lfs\n", False)}
        blobs = {path: Blob(content, is_large(path)) for path, content in files.items()}
        return self._commit_to("main", title, message, kept | blobs)

    def writes(self) -> list[str]:
        """Return the requests that changed something."""
        changing = re.compile(r"(POST \S+/(commit|tag|branch)/|DELETE |PUT )")
        return [one for one in self.seen if changing.match(one)]

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path = unquote(urlsplit(target).path)
        self.seen.append(f"{method} {path}")
        for number, (match, status) in enumerate(self._faults):
            if re.search(match, self.seen[-1]):
                del self._faults[number]
                return failed(status, "fault")
        if path.startswith("/objects/"):
            return self._object(method, path.removeprefix("/objects/"), body)
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return failed(401, "Invalid credentials in Authorization header")
        if not path.startswith((f"{REPOSITORY}/", f"{FILES}/", f"{FILES}.git/", "/api/validate-")):
            return failed(404, "Repository not found", "RepoNotFound")
        for pattern, handle in self._routes().items():
            if found := re.fullmatch(pattern, f"{method} {path}"):
                return handle(body, *found.groups())
        return failed(501, f"unknown request: {self.seen[-1]}")

    def _routes(self) -> dict[str, Callable[..., Answer]]:
        return {
            "POST /api/validate-yaml": self._validate,
            f"GET {REPOSITORY}/refs": self._refs,
            f"GET {REPOSITORY}/commits/([^/]+)": self._log,
            f"GET {REPOSITORY}/tree/([^/]+)": self._tree,
            f"GET {REPOSITORY}/revision/([^/]+)": self._revision,
            f"POST {REPOSITORY}/paths-info/([^/]+)": self._paths,
            f"POST {REPOSITORY}/preupload/([^/]+)": self._preupload,
            f"POST {REPOSITORY}/commit/([^/]+)": self._new_commit,
            f"POST {REPOSITORY}/tag/([^/]+)": self._tag,
            f"POST {REPOSITORY}/branch/([^/]+)": self._branch,
            f"DELETE {REPOSITORY}/branch/([^/]+)": self._delete_branch,
            f"POST {FILES}.git/info/lfs/objects/batch": self._batch,
            f"POST {FILES}.git/info/lfs/verify": self._verify,
            f"(?:GET|HEAD) {FILES}/resolve/([^/]+)/(.+)": self._resolve,
        }

    # What is read.

    def _commit(self, revision: str) -> str:
        return {**self.tags, **self.branches}.get(revision, revision)

    def _line(self, revision: str) -> list[str]:
        found, at = [], self._commit(revision)
        while at:
            found.append(at)
            at = self.commits[at].parent or ""
        return found

    def _refs(self, _: bytes) -> Answer:
        kinds = {"branches": ("heads", self.branches), "tags": ("tags", self.tags)}
        listed = {
            kind: [
                {"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": commit}
                for name, commit in found.items()
            ]
            for kind, (folder, found) in kinds.items()
        }
        return said({"converts": [], **listed})

    def _log(self, _: bytes, revision: str) -> Answer:
        date = "2026-01-02T03:04:05.000Z"
        return said(
            [
                {"id": one, "title": commit.title, "message": commit.message, "date": date}
                | {"authors": [{"user": "our-robot"}]}
                for one in self._line(revision)
                for commit in [self.commits[one]]
            ]
        )

    def _tree(self, _: bytes, revision: str) -> Answer:
        if self._commit(revision) not in self.commits:
            return failed(404, "Invalid rev", "RevisionNotFound")
        files = self.commits[self._commit(revision)].files
        return said([blob.described(path) for path, blob in sorted(files.items())])

    def _revision(self, _: bytes, revision: str) -> Answer:
        if (commit := self._commit(revision)) not in self.commits:
            return failed(404, "Invalid rev", "RevisionNotFound")
        files = [{"rfilename": path} for path in self.commits[commit].files]
        return said({"id": NAME, "sha": commit, "siblings": files, "private": True})

    def _paths(self, body: bytes, revision: str) -> Answer:
        files = self.commits[self._commit(revision)].files
        named = parse_qs(body.decode())["paths"]
        return said([files[path].described(path) for path in named if path in files])

    def _resolve(self, _: bytes, revision: str, path: str) -> Answer:
        commit = self._commit(revision)
        if commit not in self.commits:
            return failed(404, "Invalid rev", "RevisionNotFound")
        if path not in self.commits[commit].files:
            return failed(404, "Entry not found", "EntryNotFound")
        blob = self.commits[commit].files[path]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{blob.oid}"'}
        if not blob.large:
            return Answer(200, blob.content, headers)
        sha256 = large_file(blob.content)["oid"]
        linked = {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(blob.content))}
        return Answer(302, b"", {**headers, **linked, "Location": f"{self.storage}/{sha256}"})

    # What is written.

    def _validate(self, body: bytes) -> Answer:
        """Refuse a card with an unknown license, of which the Hub knows many more."""
        found = re.search("^license: (.*)$", json.loads(body)["content"], flags=re.MULTILINE)
        if not found or found[1] in {"mit", "cc-by-4.0", "other"}:
            return said({"errors": [], "warnings": []})
        errors = [{"message": '"license" must be one of [mit, …]'}]
        return Answer(400, json.dumps({"errors": errors}).encode())

    def _preupload(self, body: bytes, branch: str) -> Answer:
        there = self.commits[self.branches[branch]].files
        found = []
        for one in json.loads(body)["files"]:
            path, mode = one["path"], "lfs" if is_large(one["path"]) else "regular"
            blob = there.get(path)
            oid = blob and (large_file(blob.content)["oid"] if blob.large else blob.oid)
            found.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return said({"files": found})

    def _batch(self, body: bytes) -> Answer:
        found = []
        for one in json.loads(body)["objects"]:
            actions = {
                "upload": {"href": f"{self.storage}/{one['oid']}"},
                "verify": {"href": f"{self.url}{FILES}.git/info/lfs/verify"},
            }
            known = one["oid"] in self.objects
            found.append(one if known else {**one, "actions": actions})
        return said({"transfer": "basic", "objects": found})

    def _object(self, method: str, sha256: str, body: bytes) -> Answer:
        if method == "PUT":
            assert large_file(body)["oid"] == sha256
            self.objects[sha256] = body
            return Answer(200)
        return Answer(200, self.objects[sha256], {"ETag": f'"{sha256}"'})

    def _verify(self, body: bytes) -> Answer:
        given = json.loads(body)
        known = self.objects.get(given["oid"])
        return Answer(200 if known is not None and len(known) == given["size"] else 404)

    def _new_commit(self, body: bytes, branch: str) -> Answer:
        header, *operations = map(json.loads, body.splitlines())
        assert header["key"] == "header"
        parent = self.branches[branch]
        if header["value"].get("parentCommit", parent) != parent:
            return failed(412, "The branch has another commit")
        files = dict(self.commits[parent].files)
        for one in operations:
            value = one["value"]
            match one["key"]:
                case "file":
                    files[value["path"]] = Blob(base64.b64decode(value["content"]), False)
                case "lfsFile":
                    files[value["path"]] = Blob(self.objects[value["oid"]], True)
                case "deletedFile":
                    del files[value["path"]]
        said_ = header["value"]
        made = self._commit_to(branch, said_["summary"], said_["description"], files)
        return said({"commitOid": made, "commitUrl": f"{self.url}{FILES}/commit/{made}"})

    def _commit_to(self, branch: str, title: str, message: str, files: dict[str, Blob]) -> str:
        made = git_hash(f"{len(self.commits)} {title}".encode())
        self.commits[made] = Commit(self.branches.get(branch), title, message, files)
        self.branches[branch] = made
        return made

    def _tag(self, body: bytes, revision: str) -> Answer:
        name = json.loads(body)["tag"]
        if name in self.tags:
            return failed(409, "Tag already exists")
        self.tags[name] = self._commit(revision)
        return said({})

    def _branch(self, body: bytes, name: str) -> Answer:
        if name in self.branches:
            return failed(409, "Branch already exists")
        self.branches[name] = self._commit(json.loads(body)["startingPoint"])
        return said({})

    def _delete_branch(self, _: bytes, name: str) -> Answer:
        del self.branches[name]
        return said({})


def git_hash(content: bytes) -> str:
    blob = f"blob {len(content)}\0".encode() + content
    return hashlib.sha1(blob, usedforsecurity=False).hexdigest()


def large_file(content: bytes) -> dict[str, Any]:
    return {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}


def pointer(content: bytes) -> bytes:
    found = large_file(content)
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{found['oid']}\n"
    return f"{text}size {found['size']}\n".encode()


def is_large(path: str) -> bool:
    return any(fnmatch.fnmatch(path, pattern) for pattern in LARGE)


def said(value: Any) -> Answer:
    return Answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def failed(status: int, message: str, code: str = "") -> Answer:
    headers = {"X-Error-Message": message, "X-Error-Code": code}
    return Answer(status, json.dumps({"error": message}).encode(), headers)


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer in one piece: the client's machine would wait 40 ms for the second one.
        wbufsize = -1

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            headers = {key.lower(): value for key, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            found = hub.answer(self.command, self.path, headers, body)
            self.send_response(found.status)
            for key, value in found.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(found.content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(found.content)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    return Handler


@contextmanager
def running() -> Iterator[Hub]:
    """Serve a new repository until the block ends."""
    hub = Hub()
    hub.add({}, "initial commit")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
