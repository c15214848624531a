"""What tells images of custom sources apart: digests of their pixels, and identifiers."""

import hashlib

from scripts.sources.source import Pixels

PREFIX = "s"
# Bytes of the digest that an identifier shows.
SHOWN = 8


def digest_with_shape(pixels: Pixels) -> bytes:
    """Return the digest of an image whose bytes exist in another shape in the source.

    Blank pages of 60 x 40 and 40 x 60 have the same bytes.
    """
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()


def identifier(digest: bytes) -> str:
    """Return the identifier of the image with this digest, the name of its file."""
    return f"{PREFIX}{digest[:SHOWN].hex()}"
