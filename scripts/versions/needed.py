"""Which objects and records the commits of a repository need.

A commit needs whatever its lock, a pointer or another file of DVC names. Every commit counts that a
branch, a tag or an open pull request contains, so that each of them can be checked out and pulled.
Names are not parsed but searched for: a file of a newer version of the machinery, or one that is
damaged, keeps what it names.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from scripts.errors import UserError
from scripts.storage import garbage
from scripts.storage.remote import Remote, Stored
from scripts.versions import origin, releases
from scripts.versions.git import REGULAR, Git, lines

# The references that are fetched for this.
FETCHED = "refs/needed"
NAMING = (":(glob)**/*.dvc", ":(glob)**/dvc.lock")
# An MD5 or SHA-256 in hex.
NAME = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9a-f]{32}|[0-9a-f]{64})(?![0-9A-Za-z])")
# Bytes. No file that this project, or DVC, reads is larger.
MAX_FILE = 16 * 1024 * 1024
AT_ONCE = 500


def needed(
    git: Git,
    remote: Remote,
    listed: Sequence[Stored],
    pulls: Sequence[int] | None = None,
    named: Collection[str] = (),
) -> set[str]:
    """Return the names, without `.dir`, of what is needed of `listed`, the content of `remote`.

    `pulls` are the open pull requests; without them, all that origin knows count as open. `named`
    is needed in addition to what git names. Raises `UserError` when origin is unreachable, or when
    it cannot be known what a release needs.
    """
    with origin.everything(git, FETCHED, pulls):
        named = {*named, *_named(git)}
    places = {stored.place for stored in listed}
    for release in releases.scan(git).accepted:
        name = release.lock.md5
        is_here = f"files/md5/{name[:2]}/{name[2:]}" in places
        if not is_here and releases.remote_of(git, release).url == remote.url:
            raise UserError(
                f"the manifest {name} of {release.tag} is missing in {remote.url}, so it is not"
                " known which objects it needs, and nothing is deleted. Repair it first: python -m"
                f" scripts repair {release.tag}"
            )
    return garbage.expanded(remote, listed, named)


def names_in(content: bytes) -> set[str]:
    """Return what `content` names, without `.dir`."""
    return {name.decode() for name in NAME.findall(content)}


def _named(git: Git) -> set[str]:
    """Return what is named in any version of the files that name objects."""
    return set().union(*map(names_in, _contents(git, _versions(git))))


def _versions(git: Git) -> list[str]:
    """Return the git objects of all versions of these files, in all commits."""
    log = git.output(
        "log",
        "--format=",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        # Each merge compared with each of its parents; otherwise git leaves out what a merge drops.
        "-m",
        "--full-history",
        "HEAD",
        "--branches",
        f"--glob={FETCHED}",
        "--",
        *NAMING,
    )
    rows = (line[1:].split() for line in log.splitlines() if line.startswith(b":"))
    return sorted({row[3].decode() for row in rows if row[1].startswith(REGULAR)})


def _contents(git: Git, objects: Sequence[str]) -> Iterator[bytes]:
    form = "--batch-check=%(objectname) %(objectsize)"
    sizes = git.output("cat-file", form, stdin=lines(objects)).decode().splitlines()
    rows = (line.split() for line in sizes)
    small = [name for name, size in rows if size.isdecimal() and int(size) <= MAX_FILE]
    for start in range(0, len(small), AT_ONCE):
        yield from (one or b"" for one in git.contents(small[start : start + AT_ONCE]))
