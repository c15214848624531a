"""The parts of a release's page that later events change: the next release, `releases.yaml`.

They are between comments with their names, so that they can be replaced without anything else of
the release. Text of people has no comments, because it is escaped.
"""

import re
from collections.abc import Mapping

PART = re.compile(rb"<!--(after|badges|withdrawn)-->.*?<!--/\1-->", re.DOTALL)


def without(page: bytes) -> bytes:
    """Return a page without the parts."""
    return filled(page, {})


def filled(page: bytes, parts: Mapping[str, str]) -> bytes:
    """Return a page with `parts`, which are HTML by name, in place of those that it has."""

    def part(found: re.Match[bytes]) -> bytes:
        name = found[1].decode()
        return f"<!--{name}-->{parts.get(name, '')}<!--/{name}-->".encode()

    return PART.sub(part, page)
