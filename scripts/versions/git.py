"""Git, run as a process."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.errors import UserError

ORIGIN = "origin"
MAIN = "main"
TRACKED_MAIN = f"refs/remotes/{ORIGIN}/{MAIN}"


class GitError(UserError):
    """A git command failed; `output` is what git printed, in one line."""

    def __init__(self, command: str, stderr: str) -> None:
        """Keep what git printed about `command`."""
        self.output = " ".join(stderr.split())
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
            process = subprocess.run(
                ["git", *arguments],
                cwd=self.root,
                input=stdin,
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(env or {})},
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise UserError("git is not installed. Install it and run this again.") from None
        if process.returncode:
            printed = process.stderr or process.stdout
            raise GitError(f"git {arguments[0]}", printed.decode(errors="replace"))
        return process.stdout

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

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Return whether `newer` contains the commit `older`."""
        return self.succeeds("merge-base", "--is-ancestor", older, newer)


@dataclass(frozen=True)
class GitTree:
    """The files of a commit or tree, in the way of `inputs.reader.Tree`."""

    git: Git
    rev: str

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, None when there is none."""
        return self.git.file(self.rev, path)


def find(start: Path) -> Git:
    """Return the repository around `start`; raises `UserError` when there is none."""
    try:
        return Git(Path(Git(start)("rev-parse", "--show-toplevel")))
    except GitError as error:
        if "not a git repository" not in error.output:
            raise
        raise UserError("this is not a git repository. Run this in a clone of one.") from None
