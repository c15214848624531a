"""Says whether the new images of a custom source are like those that it had before."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from scripts.errors import UserError
from scripts.insight import appearance, drift
from scripts.insight.appearance import Appearance
from scripts.sources import own, pointer
from scripts.sources.extended import Extended
from scripts.sources.own import Own
from scripts.sources.pointer import Pointer
from scripts.sources.source import SourceRequest
from scripts.storage import transfer
from scripts.storage.cache import Cache

# Images of each side that are compared at most, which takes a few seconds.
MOST = 1_000


def in_words(root: Path, name: str, made: Pointer) -> str | None:
    """Return one line about the newest batch of the source `name`.

    None for the first batch, for too few images, and where a shard would have to be fetched.
    """
    if len(made.batches) == 1:
        return None
    fetch = transfer.fetcher(root)
    try:
        shards = _shards(made, name, fetch)
        fetch = partial(_fetched, Cache(root), shards, fetch)
        source = own.read(SourceRequest(name, pointer=pointer.render(made), fetch_object=fetch))
        start = source.batches[-1].start
        known, new = (
            _appearance(source, rows) for rows in (range(start), range(start, len(source.labels)))
        )
    except UserError:
        return None
    found = drift.find(known, new)
    if not found.traits:
        return None
    names = ", ".join(one.name for one in found.traits if one.is_different)
    if names:
        return f"the new images are not like the {start:,} before: they differ in {names}"
    return f"the new images are like the {start:,} before"


def _shards(made: Pointer, name: str, fetch: Callable[[str], Path]) -> set[str]:
    """Return the objects with images, which can be large."""
    return {md5 for file, md5 in own.objects(made, name, fetch).items() if "/" not in file}


def _fetched(cache: Cache, shards: set[str], fetch: Callable[[str], Path], md5: str) -> Path:
    """Return the path of an object; raises `UserError` for a shard that is not in the cache."""
    if md5 in shards and not cache.path(md5).exists():
        raise UserError(f"{md5} is not in the cache")
    return fetch(md5)


def _appearance(source: Own, rows: Sequence[int]) -> Appearance:
    some = appearance.chosen(source.digests, rows, MOST)
    return appearance.of_rows(Extended(source, ()), some, source.labels[some].tolist())
