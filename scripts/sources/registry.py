"""The kinds of sources, and how a config's source is found."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from scripts.errors import UserError
from scripts.sources import copies, digits, openml, own
from scripts.sources.source import Source, SourceError, SourceRequest
from scripts.sources.table import COLORS, Table

# Returns the content of a copy; raises `UserError` when it is not available.
Fetch = Callable[[], bytes]


class Kind(Protocol):
    """A kind of source: a module with these functions."""

    def provides(self, request: SourceRequest, /) -> bool:
        """Return whether this kind of source has what is asked for."""

    def read(self, request: SourceRequest, /) -> Source:
        """Return the source from its origin.

        Raises `SourceError` when it is unknown or unsupported, `UserError` when it is not available
        now.
        """


# The first kind that provides a request is used. To add a kind, write a module with `provides` and
# `read`, and list it before `openml`, which takes any name.
KINDS: tuple[Kind, ...] = (own, digits, openml)


def load(request: SourceRequest, sha256: str | None = None, fetch: Fetch | None = None) -> Source:
    """Return the source that `request` asks for.

    With `sha256`, recorded in a lock, a copy with that checksum is used: the local one, else the
    one that `fetch` reads from the remote. Otherwise, and always without `sha256`, the source is
    read from its origin: a copy that no lock vouches for is not trusted. What is read then can have
    another checksum, and the caller decides what that means.

    Raises `SourceError` when the source is unknown or unsupported, `UserError` when it is not
    available now.
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
    """Return the copy that `fetch` reads, None when it is not available or not the right one."""
    if fetch is None:
        return None
    with suppress(UserError):
        source = copies.parse(name, fetch())
        if source and source.sha256 == sha256:
            copies.keep(source)
            return source
    return None
