"""The kinds of sources, and how a config's source is found."""

from typing import Protocol

from scripts.sources import copies, digits, openml
from scripts.sources.source import Source
from scripts.sources.table import Table


class Kind(Protocol):
    """A kind of source: a module with these functions."""

    def provides(self, name: str, /) -> bool:
        """Return whether this kind of source has `name`."""

    def read(self, name: str, /) -> Source:
        """Return the source from its origin.

        Raises `SourceError` when it is unknown or unsupported, `UserError` when it is not available
        now.
        """


# The first kind that provides a name is used. To add a kind, write a module with `provides` and
# `read`, and list it before `openml`, which takes any name.
KINDS: tuple[Kind, ...] = (digits, openml)


def load(name: str, sha256: str | None = None) -> Source:
    """Return the source called `name`, from its local copy if there is one.

    With `sha256` (recorded in a lock) only a copy with that checksum is used, without it the newest
    one. If there is no copy the source is read from its origin, and of a table a copy is kept; what
    is read then can have another checksum, and the caller decides what that means.

    Raises `SourceError` when the source is unknown or unsupported, `UserError` when it is not
    available now.
    """
    if found := copies.find(name, sha256):
        return found
    kind = next(kind for kind in KINDS if kind.provides(name))
    source = kind.read(name)
    if isinstance(source, Table):
        copies.keep(source)
    return source
