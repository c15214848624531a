"""YAML with keys of any text, which ruamel.yaml wraps so that it cannot read them again."""

from typing import Any

# Wider than any line.
UNLIMITED = 2**20


def width_for(data: Any, width: int) -> int:
    """Return `width`, or one that wraps nothing where a key in `data` has spaces."""
    return UNLIMITED if _has_spaces(data) else width


def _has_spaces(data: Any) -> bool:
    if isinstance(data, dict):
        return any(" " in key or _has_spaces(value) for key, value in data.items())
    return isinstance(data, list) and any(map(_has_spaces, data))
