"""Whether releases are complete and intact in the remote."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.errors import UserError
from scripts.inputs import releases_file
from scripts.inputs.config import SPLITS
from scripts.inputs.paths import RELEASES_FILE
from scripts.inputs.problems import InputError
from scripts.storage import records
from scripts.storage.cache import DATASET
from scripts.storage.remote import Remote
from scripts.storage.transfer import named
from scripts.versions import continuity, declared, releases
from scripts.versions.declared import STABLE
from scripts.versions.git import MAIN, Git, GitTree
from scripts.versions.lock import Lock
from scripts.versions.releases import Release, Releases


@dataclass(frozen=True)
class Finding:
    """The problems of one release; without any it is complete and intact."""

    tag: str
    files: int
    problems: list[str]


def verify(git: Git, tags: Sequence[str], *, quick: bool) -> Iterator[Finding]:
    """Yield a finding for each of the releases `tags`, by default all that look like one.

    With `quick` objects are only looked for, otherwise they are read and their checksums compared.
    The name `stable` stands for what `releases.yaml` on main says of it; without `tags` it is
    verified too. Raises `UserError` when there is no such tag or a remote is unreachable.
    """
    found = releases.scan(git)
    known = [one.tag for one in found.accepted] + list(found.rejected)
    for tag in tags:
        if tag not in {*known, STABLE}:
            found.get(tag)  # raises what is wrong
    # Objects that were read for an earlier release: by remote, whether they are damaged.
    read: dict[str, dict[str, bool]] = {}
    for tag in tags or known:
        if tag != STABLE:
            yield _finding(git, found, tag, quick=quick, read=read)
    if STABLE in tags or not tags:
        stable = list(_of_stable(git, found, quick=quick, read=read))
        if tags and not stable:
            raise UserError(f"{RELEASES_FILE} on {MAIN} names no {STABLE} release.")
        yield from stable


def missing(git: Git, release: Release) -> list[str]:
    """Return what is missing of `release` in its remote; raises `UserError` as `verify` does."""
    return _problems(release, releases.remote_of(git, release), None)


def _finding(
    git: Git, found: Releases, tag: str, *, quick: bool, read: dict[str, dict[str, bool]]
) -> Finding:
    try:
        release = found.get(tag)
        remote = releases.remote_of(git, release)
    except UserError as error:
        return Finding(tag, 0, [str(error)])
    seen = None if quick else read.setdefault(remote.url, {})
    problems = [*_problems(release, remote, seen), *_of_source(git, release, remote, seen)]
    return Finding(tag, release.lock.nfiles, problems)


def _of_stable(
    git: Git, found: Releases, *, quick: bool, read: dict[str, dict[str, bool]]
) -> Iterator[Finding]:
    """Yield a finding for the stable release; none where main names no stable release."""
    tree = GitTree(git, releases.main_of(git))
    try:
        tag = releases_file.parse(tree.read(RELEASES_FILE)).stable
    except InputError as error:
        yield Finding(STABLE, 0, [str(error)])
        return
    if tag is not None:
        of_release = _finding(git, found, tag, quick=quick, read=read)
        wrong = [problem.message for problem in declared.problems(git, tree)]
        problems = list(dict.fromkeys([*wrong, *of_release.problems]))
        yield Finding(f"{STABLE} ({tag})", of_release.files, problems)


def _problems(release: Release, remote: Remote, read: dict[str, bool] | None) -> list[str]:
    md5 = release.lock.md5
    if remote.missing({md5}):
        return [f"the manifest {md5} is missing in {remote.url}"]
    try:
        files = remote.manifest(md5)
    except UserError as error:
        return [str(error)]
    problems = _wrong_counts(release.lock, list(files))
    problems += _file_problems(
        {f"{DATASET}/{name}": md5 for name, md5 in files.items()}, remote, read
    )
    if release.lock.meta.splits and (problem := _record_problem(release.lock.meta.splits, remote)):
        problems.append(problem)
    return problems


def _of_source(
    git: Git, release: Release, remote: Remote, read: dict[str, bool] | None
) -> list[str]:
    """Return what is wrong with the shards that a release of one's own source was made from."""
    name = release.lock.meta.source.name
    pointer = continuity.pointer_of(git, release.commit, name)
    if pointer is None:
        return []
    try:
        files = remote.manifest(pointer.md5)
    except UserError as error:
        return [f"source {name}: {error}"]
    return [f"source {name}: {problem}" for problem in _file_problems(files, remote, read)]


def _file_problems(
    files: Mapping[str, str], remote: Remote, read: dict[str, bool] | None
) -> Iterator[str]:
    missing = remote.missing(set(files.values()))
    if missing:
        yield f"{named(files, missing)} missing in {remote.url}"
    if read is not None:
        unread = set(files.values()) - missing - read.keys()
        bad = remote.damaged(unread)
        read.update({name: name in bad for name in unread})
        if damaged := {name for name in files.values() if read.get(name)}:
            yield f"{named(files, damaged)} checksum mismatch in {remote.url}"


def _record_problem(name: str, remote: Remote) -> str | None:
    content = remote.read_record(name)
    if content is None:
        return f"the record of its splits, {name}, is missing in {remote.url}"
    if records.digest(content) != name:
        return f"checksum mismatch for the record of its splits, {name}, in {remote.url}"
    return None


def _wrong_counts(lock: Lock, names: Sequence[str]) -> list[str]:
    counted = Counter(tuple(name.split("/")[:2]) for name in names)
    recorded = {
        (split, folder): count
        for split in SPLITS
        for folder, count in lock.meta.counts.get(split, {}).items()
        if count
    }
    if counted == recorded and len(names) == lock.nfiles:
        return []
    return [
        f"the lock records {lock.nfiles:,} files ({_in_words(recorded)}), the manifest has"
        f" {len(names):,} ({_in_words(counted)})"
    ]


def _in_words(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{'/'.join(where)}: {count:,}" for where, count in sorted(counts.items()))
