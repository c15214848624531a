"""Promotion: moves the branch `stable` to the release in `releases.yaml` on main."""

import re

from scripts.errors import UserError
from scripts.git.git import TRACKED_MAIN, Git, GitTree
from scripts.publish import origin, snapshot, verify
from scripts.releases import declared, releases
from scripts.releases.declared import STABLE
from scripts.releases.releases import Release, Releases

MESSAGE = "Promote {tag}"
PROMOTED = re.compile(r"Promote (v[0-9]+)")


def promote(git: Git) -> str:
    """Move the branch `stable` at origin to the stable release; return a message.

    Can be run again after a crash at any point. Raises `UserError` if the release is withdrawn or
    incomplete, or when origin refuses.
    """
    return origin.try_again(lambda: _promote(git))


def _promote(git: Git) -> str:
    origin.fetch(git)
    wanted, found = declared.read(git, GitTree(git, TRACKED_MAIN)).stable, releases.scan(git)
    commit = origin.fetch_branches(git, STABLE).get(STABLE)
    there = _promoted(git, found, commit) if commit else None
    if commit and there is None and wanted:
        raise UserError(
            f"the branch {STABLE} at origin is not a release, so it is not moved to {wanted}. "
            f"Rename it or remove it: git push origin :{STABLE}"
        )
    if wanted == there:
        return f"{STABLE} is {there}" if there else "there is no stable release"
    if wanted is None:
        origin.push_branch(git, STABLE, None, commit)
        return f"{STABLE} is removed; it was {there}"
    release = found.get(wanted)
    if problems := verify.missing(git, release):
        raise UserError(f"{wanted} cannot be {STABLE}: {'; '.join(problems)}")
    origin.push_branch(git, STABLE, _snapshot(git, release), commit)
    return f"{STABLE} is moved from {there} to {wanted}" if there else f"{STABLE} is now {wanted}"


def _promoted(git: Git, found: Releases, commit: str) -> str | None:
    """Return the release in `commit`; None if this module did not make it."""
    named = PROMOTED.fullmatch(git("show", "--no-patch", "--format=%B", commit).strip())
    release = next((one for one in found.accepted if named and one.tag == named[1]), None)
    if release is None:
        return None
    # The commit can have another author.
    trees = [git("rev-parse", f"{one}^{{tree}}") for one in (commit, _snapshot(git, release))]
    return release.tag if trees[0] == trees[1] else None


def _snapshot(git: Git, release: Release) -> str:
    return snapshot.of_release(git, release.commit, MESSAGE.format(tag=release.tag))
