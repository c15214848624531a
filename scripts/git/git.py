"""Git, run as a process."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path

from scripts.errors import UserError
from scripts.git import git_process
from scripts.git.address import without_credentials
from scripts.inputs.paths import CHECKED_PATHS, INPUTS_OF_PEOPLE
from scripts.inputs.problems import START, InputError, Problem
from scripts.inputs.stored import ATTRIBUTES, Attributes
from scripts.inputs.tree import TreeEntry, WorkTree, not_regular

ORIGIN = "origin"
MAIN = "main"
TRACKED_MAIN = f"refs/remotes/{ORIGIN}/{MAIN}"
# How git writes the modes of regular files, and that of a submodule.
REGULAR, SUBMODULE = b"100", b"160000"
# What is read of a tree: no other part of it is listed.
LISTED = (*INPUTS_OF_PEOPLE, *CHECKED_PATHS)
# Attributes with which git changes no file when it checks it out.
AS_STORED = "* -text -ident -filter !working-tree-encoding\n"
# Bytes. No input is larger, and compressed content can be larger than memory.
MAX_FILE = 64 * 1024 * 1024


class GitError(UserError):
    """A git command failed; `output` is its output in one line, without credentials."""

    def __init__(self, command: str, stderr: str) -> None:
        """Keep the `output` of `command`."""
        self.output = without_credentials(" ".join(stderr.split()))
        super().__init__(f"{command} failed: {self.output}")


class Git:
    """A git repository with a work tree at `root`."""

    def __init__(self, root: Path) -> None:
        """Use the repository at `root`."""
        self.root = root

    def __call__(
        self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """Run git and return its output as text; raises `GitError` if it fails."""
        return self.output(*arguments, stdin=stdin, env=env).decode(errors="replace").strip("\n")

    def output(
        self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git and return its output; raises `GitError` if it fails."""
        try:
            process = self._run(arguments, stdin, git_process.environment(env))
        except FileNotFoundError:
            raise UserError("git is not installed. Install it and run this again.") from None
        if process.returncode:
            printed = process.stderr or process.stdout
            raise GitError(f"git {arguments[0]}", printed.decode(errors="replace"))
        return process.stdout

    def _run(
        self, arguments: Sequence[str], stdin: bytes | None, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            git_process.command(arguments),
            cwd=self.root,
            input=stdin,
            env=env,
            capture_output=True,
            check=False,
        )

    def succeeds(self, *arguments: str) -> bool:
        """Run git and return whether it succeeded."""
        try:
            self(*arguments)
        except GitError:
            return False
        return True

    def commit(self, rev: str) -> str:
        """Return the commit of `rev`; raises `UserError` if there is none."""
        try:
            return self("rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}", "--")
        except GitError:
            raise UserError(f"unknown git revision {rev!r}.") from None

    def file(self, rev: str, path: str) -> bytes | None:
        """Return the content of the file at `path` in `rev`, None when there is none."""
        [content] = self.contents([f"{rev}:{path}"])
        if content is None:
            # That there is no such revision is no answer.
            self("rev-parse", "--verify", "--end-of-options", f"{rev}^{{tree}}")
        return content

    def entries(self, rev: str, *paths: str) -> dict[str, str]:
        """Return the files of `rev` at or below `paths`, each as `MODE OBJECT`, by path."""
        form = "--format=%(objectmode) %(objectname)%x09%(path)"
        listed = self("ls-tree", "-r", "-z", "--full-tree", form, rev, "--", *paths).split("\0")
        return {path: entry for entry, _, path in (line.partition("\t") for line in listed if line)}

    def contents(self, specs: Iterable[str]) -> list[bytes | None]:
        """Return the contents of files, each given as `REV:PATH`; None if there is none."""
        output = self.output("cat-file", "--batch", stdin=lines(specs))
        found: list[bytes | None] = []
        start = 0
        while start < len(output):
            end = output.index(b"\n", start)
            header, start = output[start:end], end + 1
            if header.endswith(b" missing"):
                found.append(None)
                continue
            size = int(header.split()[-1])
            found.append(output[start : start + size])
            # The content is followed by a line break.
            start += size + 1
        return found

    def object_names(self, specs: Iterable[str]) -> list[str]:
        """Return the names of the objects of files, each given as `REV:PATH`.

        It is empty if there is none.
        """
        output = self.output("cat-file", "--batch-check", stdin=lines(specs)).decode()
        return [
            "" if line.endswith(" missing") else line.split()[0] for line in output.splitlines()
        ]

    def changed_paths(self, commits: Sequence[str]) -> dict[str, set[str]]:
        """Return the paths that each of `commits`, which have one parent, changes."""
        found = {commit: set[str]() for commit in commits}
        command = ("diff-tree", "--stdin", "-r", "--raw", "-z", "--no-renames", "--root")
        tokens = iter(self.output(*command, stdin=lines(commits)).split(b"\0")[:-1])
        commit = ""
        for token in tokens:
            # A change is two tokens: what it is, which begins with a colon, and the path.
            if token.startswith(b":"):
                found[commit].add(os.fsdecode(next(tokens)))
            else:
                commit = token.decode()
        return found

    def has_ref(self, name: str) -> bool:
        """Return whether the reference with the full name `name` exists."""
        return self.succeeds("show-ref", "--verify", "--quiet", name)

    def tree(self, rev: str, changes: Mapping[str, str | None]) -> str:
        """Return the tree of `rev` with `changes`, made without a work tree.

        A change is `MODE OBJECT`, or None to remove a file; by path.
        """
        gone = f"0 {'0' * 40}"
        entries = "".join(f"{entry or gone}\t{path}\0" for path, entry in sorted(changes.items()))
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self("read-tree", rev, env=env)
            self("update-index", "-z", "--index-info", stdin=entries.encode(), env=env)
            return self("write-tree", env=env)

    def state(self) -> str:
        """Return the commits that the tags, main and HEAD name."""
        named = ("refs/tags", TRACKED_MAIN, f"refs/heads/{MAIN}")
        listed = self("for-each-ref", "--format=%(refname) %(objectname)", *named)
        return f"{listed}\nHEAD {self.commit('HEAD')}" if listed else ""

    def fetch(self, *refspecs: str, address: str = ORIGIN) -> None:
        """Fetch only `refspecs`, without tags or references that are added by settings."""
        self("fetch", "--quiet", "--no-tags", "--refmap=", address, *refspecs)

    @contextmanager
    def checkout(self, commit: str) -> Iterator[Path]:
        """Check out a commit into a temporary repository, without the settings of this clone.

        Files are as git stores them; attributes in the commit are ignored.
        """
        asked = ("--show-object-format", "--git-path", "objects")
        form, _, objects = self("rev-parse", *asked).partition("\n")
        with tempfile.TemporaryDirectory() as folder:
            self("init", "--quiet", "--template=", f"--object-format={form}", folder)
            about = Path(folder, ".git")
            for name in ("info", "objects/info"):
                (about / name).mkdir(parents=True, exist_ok=True)
            alternates = os.fsencode(self.root / objects) + b"\n"
            (about / "objects" / "info" / "alternates").write_bytes(alternates)
            (about / "info" / "attributes").write_text(AS_STORED)
            Git(Path(folder))("checkout", "--quiet", "--detach", commit)
            yield Path(folder)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Return whether `newer` contains the commit `older`."""
        return self.succeeds("merge-base", "--is-ancestor", older, newer)


@dataclass(frozen=True)
class GitTree:
    """The files of a commit or tree; an `inputs.tree.Tree`."""

    git: Git
    rev: str

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, None if there is none.

        Raises `InputError` if it is not a regular file, or too large.
        """
        if not path.startswith(LISTED):
            raise ValueError(path)
        entry, _ = self._listed.get(path, (None, False))
        if entry is None:
            return None
        if entry.size is None:
            raise not_regular(path)
        if entry.size > MAX_FILE:
            message = f"the file has {entry.size:,} bytes; at most {MAX_FILE:,} are read"
            raise InputError([Problem(path, START, message)])
        return self.git.output("show", entry.name)

    def entries(self, folder: str) -> list[TreeEntry]:
        """Return all files below `folder`."""
        found = (entry for entry, is_folder in self._listed.values() if not is_folder)
        below = (entry for entry in found if f"{entry.path}/".startswith(f"{folder}/"))
        return sorted(below, key=attrgetter("path"))

    @cached_property
    def _listed(self) -> dict[str, tuple[TreeEntry, bool]]:
        """What can be asked for, by path, and whether it is a folder: listed once for all."""
        command = ("ls-tree", "-r", "-t", "-z", "--long", self.rev, "--", *LISTED)
        listed = map(_entry, self.git.output(*command).split(b"\0")[:-1])
        return {entry.path: (entry, is_folder) for entry, is_folder in listed}

    def contents(self, entries: Sequence[TreeEntry]) -> list[bytes]:
        """Return the contents of regular files."""
        return [content or b"" for content in self.git.contents(one.name for one in entries)]

    def attributes(self, paths: Iterable[str]) -> Mapping[str, Attributes]:
        """Return nothing: these files are read as git stores them."""
        del paths
        return {}


@dataclass(frozen=True)
class CheckedOut(WorkTree):
    """The work tree of a clone, whose files git can have converted.

    It also lists submodules: those that are not checked out are empty folders.
    """

    def entries(self, folder: str) -> list[TreeEntry]:
        """Return all files below `folder`."""
        staged = Git(self.root).output("ls-files", "-z", "--stage", "--", folder).split(b"\0")
        paths = {os.fsdecode(line.partition(b"\t")[2]) for line in staged if _is_submodule(line)}
        submodules = {TreeEntry(path) for path in paths if (self.root / path).is_dir()}
        return sorted({*super().entries(folder), *submodules}, key=attrgetter("path"))

    def attributes(self, paths: Iterable[str]) -> Mapping[str, Attributes]:
        """Return the attributes with which git converts the files among `paths`, by path."""
        named = [os.fsencode(path) for path in paths if (self.root / path).is_file()]
        command = ("check-attr", "-z", "--stdin", *ATTRIBUTES)
        fields = Git(self.root).output(*command, stdin=b"\0".join([*named, b""])).split(b"\0")
        found: dict[str, dict[str, str]] = {}
        for path, name, value in zip(*[iter(map(os.fsdecode, fields[:-1]))] * 3, strict=True):
            found.setdefault(path, {})[name] = value
        return found


def _entry(line: bytes) -> tuple[TreeEntry, bool]:
    """Return the entry in a line of `git ls-tree --long`, and whether it is a folder."""
    about, _, path = line.partition(b"\t")
    mode, kind, name, size = about.split()
    is_regular = mode.startswith(REGULAR)
    content = (int(size), name.decode()) if is_regular else ()
    return TreeEntry(os.fsdecode(path), *content), kind == b"tree"


def _is_submodule(line: bytes) -> bool:
    return line.startswith(SUBMODULE)


def lines(specs: Iterable[str]) -> bytes:
    """Return `specs` as standard input of git."""
    return "".join(f"{spec}\n" for spec in specs).encode()


def find(start: Path) -> Git:
    """Return the repository around `start`; raises `UserError` if there is none."""
    try:
        # A path, so in the encoding of the file system.
        return Git(Path(os.fsdecode(Git(start).output("rev-parse", "--show-toplevel")[:-1])))
    except GitError as error:
        if "not a git repository" not in error.output:
            raise
        raise UserError("this is not a git repository. Run this in a clone of one.") from None
