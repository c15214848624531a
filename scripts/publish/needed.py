"""Finds the objects and records that the commits of a repository need.

A commit needs the objects that its lock, pointers or other DVC files name. All commits of branches,
tags and open pull requests count, so that each can be checked out and pulled. Files are searched
for names, not parsed, so damaged files and those of newer machinery count too.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from scripts import isolated
from scripts.errors import UserError
from scripts.git.git import REGULAR, Git, lines
from scripts.git.limited import BYTES, SECONDS, LimitedGit
from scripts.isolated import Limits
from scripts.publish import origin
from scripts.releases import releases
from scripts.storage import garbage
from scripts.storage.remote import Remote, StoredObject

# The references that are fetched for this.
FETCHED = "refs/needed"
NAMING = (":(glob)**/*.dvc", ":(glob)**/dvc.lock")
# An MD5 or SHA-256 in hex.
NAME = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9a-f]{32}|[0-9a-f]{64})(?![0-9A-Za-z])")
# Bytes. No file that this project or DVC reads is larger; files are read together up to this size.
MAX_FILE = 16 * 1024 * 1024
AT_ONCE = 500
# Bytes of all versions of these files in the commits of a pull request.
MAX_PULL = 32 * 1024 * 1024
# For names in a pull request.
LIMITS = Limits(seconds=2 * SECONDS, memory=1024**3)
# The references of the repository itself.
OWN = ("HEAD", "--branches", f"--glob={FETCHED}/heads", f"--glob={FETCHED}/tags")


@dataclass(frozen=True)
class Open:
    """The open pull requests; `own` are those from a branch of the repository itself.

    `named` are needed in addition.
    """

    pulls: Sequence[int]
    own: Collection[int]
    named: Collection[str] = ()


@dataclass(frozen=True)
class Needed:
    """The names, without `.dir`, of the needed objects and records.

    `left_out` are pull requests that cannot be read, by number, with the reason.
    """

    names: set[str]
    left_out: dict[int, str] = field(default_factory=dict)


def needed(
    git: Git,
    remote: Remote,
    manifests: Sequence[StoredObject],
    opened: Open | None = None,
) -> Needed:
    """Return the needed names, without `.dir`; `manifests` are all of those in `remote`.

    Without `opened`, all pull requests at origin count as open. One that is too large is left out:
    files of forks are stored after the merge, and branches of the repository itself are read
    anyway. Raises `UserError` if origin is unreachable, or if the objects that a release or an own
    pull request needs are unknown.
    """
    with origin.everything(git, FETCHED, opened.pulls if opened else None) as fetched:
        named = {*(opened.named if opened else ()), *_named(git, OWN, MAX_FILE)}
        left_out = {number: reason for number, reason in fetched.items() if reason}
        for number in fetched.keys() - left_out.keys():
            try:
                named |= _named_by(git, number)
            except UserError as error:
                left_out[number] = str(error)
    for number in left_out.keys() & (opened.own if opened else ()):
        raise UserError(
            f"pull request {number} is from a branch of this repository, so its files can be in"
            f" {remote.url}, but {left_out[number]}. The objects that it needs are unknown, so "
            f"nothing is deleted. Close it, then run this again."
        )
    _refuse_lost_manifests(git, remote, manifests)
    return Needed(garbage.expanded(remote, manifests, named), left_out)


def _refuse_lost_manifests(git: Git, remote: Remote, manifests: Sequence[StoredObject]) -> None:
    places = {stored.place for stored in manifests}
    for release in releases.scan(git).accepted:
        name = release.lock.md5
        is_here = f"files/md5/{name[:2]}/{name[2:]}" in places
        if not is_here and releases.remote_of(git, release).url == remote.url:
            raise UserError(
                f"the manifest {name} of {release.tag} is missing in {remote.url}, so the objects "
                f"that it needs are unknown, and nothing is deleted. Repair it first: python -m"
                f" scripts repair {release.tag}"
            )


def names_in(content: bytes) -> set[str]:
    """Return the names in `content`, without `.dir`."""
    return {name.decode() for name in NAME.findall(content)}


def _named_by(git: Git, number: int) -> set[str]:
    """Return the additional names in a pull request; raises `UserError` at a limit."""
    added = (f"--glob={FETCHED}/pull/{number}", "--not", *OWN)
    if not _limited(git)("rev-list", "--max-count=1", *added):
        return set()
    return isolated.run(LIMITS, _named_by_stranger, git, added)


def _named_by_stranger(git: Git, added: Sequence[str]) -> set[str]:
    return _named(_limited(git), added, None)


def _limited(git: Git) -> LimitedGit:
    return LimitedGit(git.root, SECONDS, BYTES)


def _named(git: Git, commits: Sequence[str], most: int | None) -> set[str]:
    """Return the names in all versions of the DVC files in `commits`.

    Files of more than `most` bytes are not read; without it the total size is limited, and
    `UserError` is raised above the limit.
    """
    sizes = _sizes(git, _versions(git, commits))
    if most is None and (total := sum(sizes.values())) > MAX_PULL:
        raise UserError(
            f"its .dvc files have {total:,} bytes in all commits; at most {MAX_PULL:,} are read"
        )
    small = {name: size for name, size in sizes.items() if most is None or size <= most}
    found = set[str]()
    for group in _groups(small):
        for content in git.contents(group):
            found |= names_in(content or b"")
    return found


def _versions(git: Git, commits: Sequence[str]) -> list[str]:
    """Return the git objects of all versions of these files, in all of `commits`."""
    log = git.output(
        "log",
        "--format=",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        # Each merge compared with each of its parents; otherwise git leaves out what a merge drops.
        "-m",
        "--full-history",
        *commits,
        "--",
        *NAMING,
    )
    rows = (line[1:].split() for line in log.splitlines() if line.startswith(b":"))
    return sorted({row[3].decode() for row in rows if row[1].startswith(REGULAR)})


def _sizes(git: Git, objects: Sequence[str]) -> dict[str, int]:
    form = "--batch-check=%(objectname) %(objectsize)"
    printed = git.output("cat-file", form, stdin=lines(objects)).decode().splitlines()
    rows = (line.split() for line in printed)
    return {name: int(size) for name, size in rows if size.isdecimal()}


def _groups(sizes: dict[str, int]) -> Iterator[list[str]]:
    """Yield the objects in groups that are small enough to be read together."""
    group, total = list[str](), 0
    for name, size in sizes.items():
        if group and (total + size > MAX_FILE or len(group) == AT_ONCE):
            yield group
            group, total = [], 0
        group.append(name)
        total += size
    if group:
        yield group
