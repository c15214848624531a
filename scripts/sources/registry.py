"""The kinds of sources, and loading a source."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from scripts.errors import UserError
from scripts.sources import copies, digits, openml, own
from scripts.sources.source import Source, SourceError, SourceRequest
from scripts.sources.table import COLORS, Table

# Returns the content of a copy; raises `UserError` if it is not available.
Fetch = Callable[[], bytes]


class Kind(Protocol):
    """A kind of source: a module with these functions."""

    def provides(self, request: SourceRequest, /) -> bool:
        """Return whether this kind of source provides the given source."""

    def read(self, request: SourceRequest, /) -> Source:
        """Return the source from its origin.

        Raises `SourceError` if it is unknown or unsupported, `UserError` if it is not available
        now.
        """


# The first kind that provides a request is used. To add a kind, write a module with `provides` and
# `read`, and list it before `openml`, which takes any name.
KINDS: tuple[Kind, ...] = (own, digits, openml)


def load(request: SourceRequest, sha256: str | None = None, fetch: Fetch | None = None) -> Source:
    """Return the source for `request`.

    With `sha256` from a lock, a copy with that checksum is used: the local one, or the one that
    `fetch` reads from the remote. Otherwise the source is read from its origin, because a copy
    without a checksum in a lock is not trusted. It can then have a different checksum, which the
    caller must handle.

    Raises `SourceError` if the source is unknown or unsupported, `UserError` if it is not available
    now.
    """
    name = request.name
    if sha256 and (copy := copies.find(name, sha256) or _fetched(name, sha256, fetch)):
        return copy
    kind = next(kind for kind in KINDS if kind.provides(request))
    source = kind.read(request)
    if request.channels and not (isinstance(source, Table) and len(source.shape) == COLORS):
        raise SourceError(
            f"source {name} is not an OpenML table of color images; remove 'channels' from the "
            f"config."
        )
    if isinstance(source, Table):
        copies.keep(source)
    return source


def _fetched(name: str, sha256: str, fetch: Fetch | None) -> Table | None:
    """Return the copy that `fetch` reads, None if it is not available or has another checksum."""
    if fetch is None:
        return None
    with suppress(UserError):
        source = copies.parse(name, fetch())
        if source and source.sha256 == sha256:
            copies.keep(source)
            return source
    return None
