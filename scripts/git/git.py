"""Git, run as a process."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from scripts.errors import UserError
from scripts.git import git_process
from scripts.git.address import without_credentials
from scripts.inputs import reader
from scripts.inputs.problems import START, InputError, Problem
from scripts.inputs.reader import TreeEntry, WorkTree
from scripts.inputs.stored import ATTRIBUTES, Attributes

ORIGIN = "origin"
MAIN = "main"
TRACKED_MAIN = f"refs/remotes/{ORIGIN}/{MAIN}"
# How git writes the modes of regular files, and that of a submodule.
REGULAR, SUBMODULE = b"100", b"160000"
# Attributes with which git changes no file when it checks it out.
AS_STORED = "* -text -ident -filter !working-tree-encoding\n"
# Bytes. Nothing that people write is as large, and what compresses well can be larger than memory.
MAX_FILE = 64 * 1024 * 1024


class GitError(UserError):
    """A git command failed; `output` is what git printed, in one line, without credentials."""

    def __init__(self, command: str, stderr: str) -> None:
        """Keep what git printed about `command`."""
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
        """Run git and return its output as text; raises `GitError` when it fails."""
        return self.output(*arguments, stdin=stdin, env=env).decode(errors="replace").strip("\n")

    def output(
        self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git and return its output; raises `GitError` when it fails."""
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
        """Return the commit that `rev` names; raises `UserError` when there is none."""
        try:
            return self("rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}", "--")
        except GitError:
            raise UserError(f"unknown git revision {rev!r}.") from None

    def file(self, rev: str, path: str) -> bytes | None:
        """Return the content of the file at `path` in `rev`, None when there is none."""
        if not self("ls-tree", "--name-only", rev, "--", path):
            return None
        return self.output("show", f"{rev}:{path}")

    def entries(self, rev: str, *paths: str) -> dict[str, str]:
        """Return the files of `rev` at or below `paths`, each as `MODE OBJECT`, by path."""
        form = "--format=%(objectmode) %(objectname)%x09%(path)"
        listed = self("ls-tree", "-r", "-z", "--full-tree", form, rev, "--", *paths).split("\0")
        return {path: entry for entry, _, path in (line.partition("\t") for line in listed if line)}

    def contents(self, specs: Iterable[str]) -> list[bytes | None]:
        """Return the contents of files, each given as `REV:PATH`; None where there is none."""
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

        It is empty where there is none.
        """
        output = self.output("cat-file", "--batch-check", stdin=lines(specs)).decode()
        return [
            "" if line.endswith(" missing") else line.split()[0] for line in output.splitlines()
        ]

    def has_ref(self, name: str) -> bool:
        """Return whether there is a reference called `name`, in full."""
        return self.succeeds("show-ref", "--verify", "--quiet", name)

    def tree(self, rev: str, changes: Mapping[str, str | None]) -> str:
        """Return a new tree: that of `rev` with `changes`, made without a work tree.

        A change is `MODE OBJECT`, or None for a file that is removed; by path.
        """
        gone = f"0 {'0' * 40}"
        entries = "".join(f"{entry or gone}\t{path}\0" for path, entry in sorted(changes.items()))
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self("read-tree", rev, env=env)
            self("update-index", "-z", "--index-info", stdin=entries.encode(), env=env)
            return self("write-tree", env=env)

    def fetch(self, *refspecs: str, address: str = ORIGIN) -> None:
        """Fetch `refspecs`, and none of the tags or references that a setting would add."""
        self("fetch", "--quiet", "--no-tags", "--refmap=", address, *refspecs)

    @contextmanager
    def checkout(self, commit: str) -> Iterator[Path]:
        """Check a commit out into a temporary repository, without this clone's settings.

        Each file is as git stores it, whatever the attributes in the commit ask for.
        """
        objects = self.root / self("rev-parse", "--git-path", "objects")
        with tempfile.TemporaryDirectory() as folder:
            form = self("rev-parse", "--show-object-format")
            self("init", "--quiet", "--template=", f"--object-format={form}", folder)
            about = Path(folder, ".git")
            for name in ("info", "objects/info"):
                (about / name).mkdir(parents=True, exist_ok=True)
            (about / "objects" / "info" / "alternates").write_bytes(os.fsencode(objects) + b"\n")
            (about / "info" / "attributes").write_text(AS_STORED)
            Git(Path(folder))("checkout", "--quiet", "--detach", commit)
            yield Path(folder)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Return whether `newer` contains the commit `older`."""
        return self.succeeds("merge-base", "--is-ancestor", older, newer)


@dataclass(frozen=True)
class GitTree:
    """The files of a commit or tree, in the way of `inputs.reader.Tree`."""

    git: Git
    rev: str

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, None when there is none.

        Raises `InputError` for anything but a regular file of a bounded size.
        """
        entry = self.git("ls-tree", "--long", self.rev, "--", path)
        if not entry:
            return None
        if not entry.encode().startswith(REGULAR):
            raise reader.not_regular(path)
        size = int(entry.partition("\t")[0].split()[-1])
        if size > MAX_FILE:
            message = f"the file has {size:,} bytes; at most {MAX_FILE:,} are read"
            raise InputError([Problem(path, START, message)])
        return self.git.output("show", f"{self.rev}:{path}")

    def entries(self, folder: str) -> list[TreeEntry]:
        """Return all files below `folder`."""
        listed = self.git.output("ls-tree", "-r", "-z", "--long", self.rev, "--", folder)
        return sorted(map(_entry, listed.split(b"\0")[:-1]), key=attrgetter("path"))

    def contents(self, entries: Sequence[TreeEntry]) -> list[bytes]:
        """Return the contents of regular files."""
        return [content or b"" for content in self.git.contents(one.name for one in entries)]

    def attributes(self, paths: Iterable[str]) -> Mapping[str, Attributes]:
        """Return nothing: these files are read as they are stored."""
        del paths
        return {}


@dataclass(frozen=True)
class CheckedOut(WorkTree):
    """The work tree of a clone, in which git can have converted files.

    It has the submodules that git knows, too: those that are not checked out are empty folders.
    """

    def entries(self, folder: str) -> list[TreeEntry]:
        """Return all files below `folder`."""
        staged = Git(self.root).output("ls-files", "-z", "--stage", "--", folder).split(b"\0")
        paths = {os.fsdecode(line.partition(b"\t")[2]) for line in staged if _is_submodule(line)}
        submodules = {TreeEntry(path) for path in paths if (self.root / path).is_dir()}
        return sorted({*super().entries(folder), *submodules}, key=attrgetter("path"))

    def attributes(self, paths: Iterable[str]) -> Mapping[str, Attributes]:
        """Return with which attributes git converts those of `paths` that are files, by path."""
        named = [os.fsencode(path) for path in paths if (self.root / path).is_file()]
        command = ("check-attr", "-z", "--stdin", *ATTRIBUTES)
        fields = Git(self.root).output(*command, stdin=b"\0".join([*named, b""])).split(b"\0")
        found: dict[str, dict[str, str]] = {}
        for path, name, value in zip(*[iter(map(os.fsdecode, fields[:-1]))] * 3, strict=True):
            found.setdefault(path, {})[name] = value
        return found


def _entry(line: bytes) -> TreeEntry:
    """Return the entry in a line of `git ls-tree --long`."""
    about, _, path = line.partition(b"\t")
    mode, _, name, size = about.split()
    is_regular = mode.startswith(REGULAR)
    return TreeEntry(os.fsdecode(path), *((int(size), name.decode()) if is_regular else ()))


def _is_submodule(line: bytes) -> bool:
    return line.startswith(SUBMODULE)


def lines(specs: Iterable[str]) -> bytes:
    """Return `specs` as git reads them from its standard input."""
    return "".join(f"{spec}\n" for spec in specs).encode()


def find(start: Path) -> Git:
    """Return the repository around `start`; raises `UserError` when there is none."""
    try:
        # A path, so in the encoding of the file system.
        return Git(Path(os.fsdecode(Git(start).output("rev-parse", "--show-toplevel")[:-1])))
    except GitError as error:
        if "not a git repository" not in error.output:
            raise
        raise UserError("this is not a git repository. Run this in a clone of one.") from None
