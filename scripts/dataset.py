"""The dataset that a config describes: its files, and the lock that records them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pydantic import ValidationError
from tqdm import tqdm

from scripts import images, selection, source
from scripts.config import Config
from scripts.errors import UserError
from scripts.lock import Lock, Meta, Output, SourceRecord
from scripts.selection import Selection
from scripts.source import Source, SourceError
from scripts.store import Listing, Store, list_files


@dataclass(frozen=True)
class Dataset:
    """A config together with the rows it chooses."""

    config: Config
    source: Source

    @cached_property
    def selection(self) -> Selection:
        """Which row goes where; raises `ConfigError` when the source cannot give it."""
        return selection.select(self.config, self.source)

    @cached_property
    def listing(self) -> Listing:
        """The names and hashes of all files; they are made, but kept nowhere."""
        return list_files(self.files(), None)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the bytes of each file."""
        rows = self.selection.files()
        for name, row in tqdm(rows.items(), "Drawing", unit="image", disable=None, leave=False):
            yield name, images.encode(self.source.pixels[row])

    def cache(self, store: Store) -> Listing:
        """Put all files and their list into the cache of `store`."""
        listing = list_files(self.files(), store.put)
        store.put_listing(listing)
        return listing

    def lock(self, listing: Listing) -> Lock:
        """Return the record of this dataset, whose files are those of `listing`."""
        output = Output(md5=listing.md5, size=listing.size, nfiles=len(listing.files))
        record = SourceRecord(
            name=self.source.name, sha256=self.source.sha256, rows=len(self.source.labels)
        )
        meta = Meta(
            config=self.config.record(),
            source=record,
            counts=self.selection.counts(),
            samples=self.selection.sha256,
        )
        return Lock(outs=[output], meta=meta)


@lru_cache(maxsize=8)
def recorded_selection(lock: Lock, source: Source) -> Selection | None:
    """Return the selection that `lock` records, chosen again out of `source`.

    None when it cannot be known: the lock was made from other rows, or by other rules of
    selection, so that what is chosen now is not what was chosen then.
    """
    if lock.meta.source.sha256 != source.sha256:
        return None
    try:
        chosen = selection.select(Config.model_validate(lock.meta.config), source)
    except (UserError, ValidationError):
        return None
    return chosen if chosen.sha256 == lock.meta.samples else None


def load(config: Config, recorded: Lock | None) -> Dataset:
    """Return the dataset that `config` describes, not yet selected.

    The source is the very one that the lock `recorded` was made from, as long as it is the same
    by name and still to be had. Raises `ConfigError` when there is no such source or it will not
    do, `UserError` when it cannot be had now.
    """
    same = recorded is not None and recorded.meta.source.name == config.source
    sha256 = recorded.meta.source.sha256 if recorded and same else None
    try:
        return Dataset(config, source.load(config.source, sha256))
    except SourceError as error:
        raise config.error((("source",), str(error))) from None
