"""Verifies that releases are complete and intact in the remote."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from scripts.errors import UserError
from scripts.git.git import MAIN, Git, GitTree
from scripts.inputs import releases_file
from scripts.inputs.config import SPLITS
from scripts.inputs.paths import RELEASES_FILE
from scripts.inputs.problems import InputError
from scripts.releases import continuity, declared, releases
from scripts.releases.declared import STABLE
from scripts.releases.lock import Lock
from scripts.releases.releases import Release, Releases
from scripts.storage import records
from scripts.storage.cache import DATASET
from scripts.storage.remote import Remote
from scripts.storage.transfer import described


class ReleaseProblem(NamedTuple):
    """Problems, in words, and the commands that remove damaged objects.

    `whole` has a line for each file if the words do not list all.
    """

    text: str
    removals: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """The problems of one release; none if it is complete and intact.

    `removals` remove damaged objects. `whole` has a line for each file if `problems` do not.
    """

    tag: str
    files: int
    problems: list[str]
    removals: list[str] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)


class _Checked:
    """A remote and the results of its checks, so that nothing is read twice."""

    def __init__(self, remote: Remote, *, quick: bool) -> None:
        self.remote = remote
        self._quick = quick
        self._is_missing: dict[str, bool] = {}
        self._is_damaged: dict[str, bool] = {}
        self._records: dict[str, ReleaseProblem | None] = {}

    def missing(self, names: Collection[str]) -> set[str]:
        """Return the missing ones of these objects."""
        unknown = set(names) - self._is_missing.keys()
        lost = self.remote.missing(unknown)
        self._is_missing.update({name: name in lost for name in unknown})
        return {name for name in names if self._is_missing[name]}

    def damaged(self, names: Collection[str]) -> set[str]:
        """Return the damaged ones of these objects."""
        if self._quick:
            return set()
        unread = set(names) - self._is_damaged.keys()
        bad = self.remote.damaged(unread)
        self._is_damaged.update({name: name in bad for name in unread})
        return {name for name in names if self._is_damaged[name]}

    def record(self, name: str, what: str) -> ReleaseProblem | None:
        """Return the problem of a record, if any; `what` describes it."""
        if name not in self._records:
            found = self.content(name, what)
            self._records[name] = found if isinstance(found, ReleaseProblem) else None
        return self._records[name]

    def content(self, name: str, what: str) -> bytes | ReleaseProblem:
        """Return a record, or its problem."""
        content = self.remote.read_record(name)
        if content is None:
            return ReleaseProblem(f"{what}, {name}, is missing in {self.remote.url}")
        if records.digest(content) != name:
            text = f"checksum mismatch for {what}, {name}, in {self.remote.url}"
            return ReleaseProblem(text, (self.remote.record_removal(name),))
        return content


class _Remotes:
    """The checked remotes of the releases."""

    def __init__(self, git: Git, *, quick: bool) -> None:
        self._git, self._quick = git, quick
        self._opened: dict[str, _Checked] = {}

    def of(self, release: Release) -> _Checked:
        remote = releases.remote_of(self._git, release)
        return self._opened.setdefault(remote.url, _Checked(remote, quick=self._quick))


def verify(git: Git, tags: Sequence[str], *, quick: bool) -> Iterator[Finding]:
    """Yield a finding for each of the releases `tags`, by default all that look like one.

    With `quick` only the existence of objects is checked, otherwise they are read and their
    checksums compared. `stable` is the release in `releases.yaml` on main; without `tags` it is
    verified too. Raises `UserError` if there is no such tag or a remote is unreachable.
    """
    found = releases.scan(git)
    known = [one.tag for one in found.accepted] + list(found.rejected)
    for tag in tags:
        if tag not in {*known, STABLE}:
            found.get(tag)  # raises what is wrong
    remotes = _Remotes(git, quick=quick)
    for tag in tags or known:
        if tag != STABLE:
            yield _finding(git, found, tag, remotes)
    if STABLE in tags or not tags:
        stable = list(_of_stable(git, found, remotes))
        if tags and not stable:
            raise UserError(f"{RELEASES_FILE} on {MAIN} names no {STABLE} release.")
        yield from stable


def missing(git: Git, release: Release) -> list[str]:
    """Return the missing objects of `release`; raises the same errors as `verify`."""
    checked = _Checked(releases.remote_of(git, release), quick=True)
    return [problem.text for problem in _problems(release, checked)]


def _finding(git: Git, found: Releases, tag: str, remotes: _Remotes) -> Finding:
    try:
        release = found.get(tag)
        checked = remotes.of(release)
    except UserError as error:
        return Finding(tag, 0, [str(error)])
    problems = [*_problems(release, checked), *_of_source(git, release, checked)]
    removals = [command for problem in problems for command in problem.removals]
    whole = [line for problem in problems for line in problem.whole or (problem.text,)]
    return Finding(
        tag,
        release.lock.nfiles,
        [problem.text for problem in problems],
        removals,
        whole if any(problem.whole for problem in problems) else [],
    )


def _of_stable(git: Git, found: Releases, remotes: _Remotes) -> Iterator[Finding]:
    """Yield a finding for the stable release, if there is one on main."""
    tree = GitTree(git, releases.main_of(git))
    try:
        tag = releases_file.parse(tree.read(RELEASES_FILE)).stable
    except InputError as error:
        yield Finding(STABLE, 0, [str(error)])
        return
    if tag is not None:
        of_release = _finding(git, found, tag, remotes)
        wrong = [problem.message for problem in declared.problems(git, tree)]
        problems = list(dict.fromkeys([*wrong, *of_release.problems]))
        yield replace(of_release, tag=f"{STABLE} ({tag})", problems=problems)


def _problems(release: Release, checked: _Checked) -> list[ReleaseProblem]:
    """Return the problems of the dataset and its index."""
    md5, remote = release.lock.md5, checked.remote
    if remote.missing({md5}):
        return [ReleaseProblem(f"the manifest {md5} is missing in {remote.url}")]
    try:
        files = remote.manifest(md5)
    except UserError as error:
        return [ReleaseProblem(str(error), (remote.removal(md5),))]
    problems = [*_wrong_counts(release.lock, files, checked)]
    problems += _file_problems({f"{DATASET}/{name}": md5 for name, md5 in files.items()}, checked)
    splits = release.lock.meta.splits
    if splits and (problem := checked.record(splits, "the record of its splits")):
        problems.append(problem)
    return problems


def _of_source(git: Git, release: Release, checked: _Checked) -> Iterator[ReleaseProblem]:
    """Yield the problems of the source of a release in the remote."""
    source, remote = release.lock.meta.source, checked.remote
    if source.copy_ and (problem := checked.record(source.copy_, "the copy of its source")):
        yield problem
    pointer = continuity.pointer_of(git, release.commit, source.name)
    if pointer is None:
        return
    if remote.missing({pointer.md5}):
        text = f"the manifest {pointer.md5} is missing in {remote.url}"
        yield ReleaseProblem(f"source {source.name}: {text}")
        return
    try:
        files = remote.manifest(pointer.md5)
    except UserError as error:
        yield ReleaseProblem(f"source {source.name}: {error}", (remote.removal(pointer.md5),))
        return
    for text, removals, whole in _file_problems(files, checked):
        lines = (f"source {source.name}: {line}" for line in whole)
        yield ReleaseProblem(f"source {source.name}: {text}", removals, (*lines,))


def _file_problems(files: Mapping[str, str], checked: _Checked) -> Iterator[ReleaseProblem]:
    remote, names = checked.remote, set(files.values())
    missing = checked.missing(names)
    if missing:
        found = described(files, missing, f"missing in {remote.url}")
        yield ReleaseProblem(found.text, whole=found.whole)
    if damaged := checked.damaged(names - missing):
        found = described(files, damaged, f"checksum mismatch in {remote.url}")
        removals = tuple(remote.removal(name) for name in sorted(damaged))
        yield ReleaseProblem(found.text, removals, found.whole)


def _wrong_counts(
    lock: Lock, files: Mapping[str, str], checked: _Checked
) -> Iterator[ReleaseProblem]:
    """Yield differences between the counts in the lock and those of `files`."""
    names: Iterable[str] = files
    if lock.is_sharded:
        if len(files) != lock.nfiles:
            text = f"the lock records {lock.nfiles:,} files, the manifest has {len(files):,}"
            yield ReleaseProblem(text)
        listing = checked.content(lock.meta.samples, "the record of its samples")
        if isinstance(listing, ReleaseProblem):
            yield listing
            return
        names = listing.decode().splitlines()
    total = lock.images if lock.is_sharded else lock.nfiles
    what = "images" if lock.is_sharded else "files"
    counted = Counter(name.rpartition("/")[0] for name in names)
    recorded = {
        f"{split}/{folder}": count
        for split in SPLITS
        for folder, count in lock.meta.counts.get(split, {}).items()
        if count
    }
    if counted != recorded or counted.total() != total:
        text = (
            f"the lock records {total:,} {what} ({_in_words(recorded)}), the manifest has"
            f" {counted.total():,} ({_in_words(counted)})"
        )
        yield ReleaseProblem(text)


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{where}: {count:,}" for where, count in sorted(counts.items()))
