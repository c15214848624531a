"""Whether releases are whole and true: every object in the remote, with the bytes it names."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from scripts import releases
from scripts.errors import UserError
from scripts.git import Git
from scripts.lock import DATASET, Lock
from scripts.releases import Release
from scripts.selection import SPLITS
from scripts.store import Store

MOST_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One release, and what is wrong with it; nothing wrong means whole."""

    tag: str
    files: int
    problems: list[str]


def verify(git: Git, tags: list[str], *, quick: bool) -> Iterator[Finding]:
    """Yield a finding for each of the releases `tags`.

    With `quick` objects are only asked for, else their bytes are read and hashed. Raises
    `UserError` when a tag is not there or a remote cannot be reached.
    """
    for tag in tags:
        git.commit(f"refs/tags/{tag}")
    damaged: dict[str, dict[str, bool]] = {}
    for tag in tags:
        try:
            found = releases.get(git, tag)
        except UserError as error:
            yield Finding(tag, 0, [str(error)])
            continue
        store = Store(git.root, tag)
        problems = _problems(found, store, None if quick else damaged.setdefault(store.url, {}))
        yield Finding(tag, found.lock.nfiles, problems)


def _problems(release: Release, store: Store, damaged: dict[str, bool] | None) -> list[str]:
    """Return what is wrong; `damaged` remembers objects that were read for an earlier release."""
    md5 = release.lock.md5
    if store.missing({md5}):
        return [f"the list of its files, {md5}, is not in {store.url}"]
    try:
        files = {entry["relpath"]: entry["md5"] for entry in store.remote_listing(md5)}
    except UserError as error:
        return [str(error)]
    problems = _untrue(release.lock, list(files))
    missing = store.missing(set(files.values()))
    if missing:
        problems.append(f"{_named(files, missing)} not in {store.url}")
    if damaged is not None:
        unread = set(files.values()) - missing - damaged.keys()
        bad = store.damaged(unread)
        damaged.update({name: name in bad for name in unread})
        if broken := {name for name in files.values() if damaged.get(name)}:
            problems.append(f"{_named(files, broken)} damaged in {store.url}")
    return problems


def _untrue(lock: Lock, names: list[str]) -> list[str]:
    counted = Counter(tuple(name.split("/")[:2]) for name in names)
    said = {
        (split, folder): count
        for split in SPLITS
        for folder, count in lock.meta.counts.get(split, {}).items()
        if count
    }
    if counted == said and len(names) == lock.nfiles:
        return []
    return [f"its lock counts {lock.nfiles:,} files in {said}, but it has {len(names):,}"]


def _named(files: dict[str, str], objects: set[str]) -> str:
    names = [f"{DATASET}/{name}" for name, md5 in files.items() if md5 in objects]
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}:"
