"""Branches that a workflow pushes, from which a person opens a pull request.

A pull request that a workflow opens with the built-in token starts no checks.
"""

from urllib.parse import quote, urlencode

from scripts.errors import UserError
from scripts.git import commits
from scripts.git.git import MAIN, ORIGIN, TRACKED_MAIN, Git
from scripts.github import actions
from scripts.publish import origin


def refuse_unmerged(git: Git, branch: str, path: str) -> None:
    """Raise `UserError` if `branch` at origin has a `path` that is not on main."""
    git.fetch(f"+refs/heads/{MAIN}:{TRACKED_MAIN}")
    if not git("ls-remote", "--heads", ORIGIN, f"refs/heads/{branch}"):
        return
    git.fetch(f"refs/heads/{branch}")
    is_merged = git.is_ancestor("FETCH_HEAD", TRACKED_MAIN)
    if not is_merged and git.file("FETCH_HEAD", path) != git.file(TRACKED_MAIN, path):
        raise UserError(
            f"the branch {branch} is not merged yet. Merge its pull request or delete the branch,"
            " then run this again."
        )


def push(git: Git, branch: str, path: str, message: str) -> str:
    """Push `branch`: the current commit, with `path` from the work tree.

    Returns the link that opens a pull request.
    """
    content = (git.root / path).read_bytes()
    commit = commits.commit(git, {path: content}, message, git.commit("HEAD"))
    origin.push_proposal(git, branch, commit)
    server = actions.variable("GITHUB_SERVER_URL")
    repository = actions.variable("GITHUB_REPOSITORY")
    return link(f"{server}/{repository}", branch)


def link(repository: str, branch: str, **fields: str) -> str:
    """Return the address that opens a pull request of `branch`, with `fields` filled in.

    `repository` is the address of the repository.
    """
    query = urlencode({"expand": 1, **fields})
    return f"{repository}/compare/{MAIN}...{quote(branch)}?{query}"
