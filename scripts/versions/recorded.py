"""The selection that a lock records, computed again."""

from functools import lru_cache

from pydantic import ValidationError

from scripts.build import selection
from scripts.build.selection import Selection
from scripts.errors import UserError
from scripts.inputs.config import Config
from scripts.sources.source import Source
from scripts.versions.lock import Lock


@lru_cache(maxsize=8)
def recorded_selection(lock: Lock, source: Source) -> Selection | None:
    """Return the selection that `lock` records, computed from `source`.

    None when it is unknown: the lock was made from other rows or by another selection rule, so
    that the result of today's rule is not what was selected then.
    """
    if lock.meta.source.sha256 != source.sha256:
        return None
    try:
        selected = selection.select(Config.model_validate(lock.meta.config), source)
    except (UserError, ValidationError):
        return None
    return selected if selected.sha256 == lock.meta.samples else None
