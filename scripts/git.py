"""Git, run as a process."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts.errors import UserError

ORIGIN = "origin"
MAIN = "main"
TRACKED_MAIN = f"refs/remotes/{ORIGIN}/{MAIN}"
# Who signs machine-made commits and tags where nobody has said who they are, as on a runner.
BOT = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")


class GitError(UserError):
    """A git command failed; `said` is what git said, in one line."""

    def __init__(self, command: str, stderr: str) -> None:
        """Keep what git said about `command`."""
        self.said = " ".join(stderr.split())
        super().__init__(f"{command} failed: {self.said}")


class Git:
    """A git repository with a work tree at `root`."""

    def __init__(self, root: Path) -> None:
        """Use the repository at `root`."""
        self.root = root

    def __call__(
        self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """Run git and return what it printed; raises `GitError` when it fails."""
        return self.output(*arguments, stdin=stdin, env=env).decode(errors="replace").strip("\n")

    def output(
        self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git and return just what it printed; raises `GitError` when it fails."""
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
            raise UserError("git is not installed, and nothing works without it.") from None
        if process.returncode:
            said = process.stderr or process.stdout
            raise GitError(f"git {arguments[0]}", said.decode(errors="replace"))
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
            raise UserError(f"git knows no revision {rev!r} here.") from None

    def file(self, rev: str, path: str) -> bytes | None:
        """Return what the file at `path` holds in `rev`, None when it is not there."""
        if not self("ls-tree", "--name-only", rev, "--", path):
            return None
        return self.output("show", f"{rev}:{path}")


def find(start: Path) -> Git:
    """Return the repository around `start`; raises `UserError` when there is none."""
    try:
        return Git(Path(Git(start)("rev-parse", "--show-toplevel")))
    except GitError as error:
        if "not a git repository" not in error.said:
            raise
        raise UserError("this is no git repository. Run this in a clone of one.") from None
