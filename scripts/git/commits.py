"""Commits and tags, made without a work tree."""

import os
from collections.abc import Mapping

from scripts.git.git import Git

# The author of commits and tags if git has none, as on a runner.
BOT_IDENTITY = (
    "github-actions[bot]",
    "41898282+github-actions[bot]@users.noreply.github.com",
)


def commit(git: Git, files: Mapping[str, bytes], message: str, *parents: str) -> str:
    """Return a new commit with the first parent's files, except for `files`.

    It is made without a work tree, and has the date of its first parent, so that a run after a
    crash makes the same commit.
    """
    tree = git.tree(parents[0], _entries(git, files))
    follows = [argument for parent in parents for argument in ("-p", parent)]
    return git("commit-tree", tree, *follows, "-m", message, env=_identity(git, parents[0]))


def snapshot(
    git: Git, entries: Mapping[str, str], files: Mapping[str, bytes], message: str, dated_as: str
) -> str:
    """Return a new commit without a parent that has only these files.

    `entries` are files in git, as `MODE OBJECT`. It has the date of the commit `dated_as`, so that
    the same files give the same commit.
    """
    tree = git.tree(git("mktree", stdin=b""), {**entries, **_entries(git, files)})
    return git("commit-tree", tree, "-m", message, env=_identity(git, dated_as))


def is_snapshot(git: Git, commit: str, message: str) -> bool:
    """Return whether `commit` has no parent and this message, like those of `snapshot`."""
    return git("show", "--no-patch", "--format=%P%n%B", commit).strip() == message


def tag_object(git: Git, name: str, target: str, message: str) -> str:
    """Return a new annotated tag of the commit `target`; it has no reference yet."""
    tagger = git("var", "GIT_COMMITTER_IDENT", env=_identity(git, target))
    content = f"object {target}\ntype commit\ntag {name}\ntagger {tagger}\n\n{message}\n"
    return git("mktag", stdin=content.encode())


def _entries(git: Git, files: Mapping[str, bytes]) -> dict[str, str]:
    return {
        name: f"100644 {git('hash-object', '-w', '--stdin', stdin=content)}"
        for name, content in files.items()
    }


def _identity(git: Git, dated_as: str) -> dict[str, str]:
    date = git("show", "--no-patch", "--format=%cI", dated_as)
    env = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    # Git wants both: a committer without an author would fail.
    given = {"GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"} <= os.environ.keys()
    if given or git.succeeds("config", "user.email"):
        return env
    name, email = BOT_IDENTITY
    return env | {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
