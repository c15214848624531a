"""A view of a source: other labels, or only some of the samples."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from scripts.inputs.values import MetadataValue, text_of
from scripts.sources.own import Own
from scripts.sources.source import NO_LABEL, Source

# A column and the values of it that are wanted.
Condition = tuple[str, tuple[str, ...]]


def view(
    source: Source, label_by: str | None, where: Mapping[str, str | Sequence[str]] | None
) -> Source:
    """Return `source` with the labels of the column `label_by`, and only samples as in `where`.

    The rows stay the same; those that are left out have no label. Only your own sources have
    columns.
    """
    if not isinstance(source, Own) or (label_by is None and not where):
        return source
    conditions = tuple(
        (column, (wanted,) if isinstance(wanted, str) else tuple(wanted))
        for column, wanted in sorted((where or {}).items())
    )
    return _view(source, label_by, conditions)


# What is computed from a source is cached by its identity.
@lru_cache(maxsize=8)
def _view(source: Own, label_by: str | None, conditions: tuple[Condition, ...]) -> Source:
    labels = source.labels.tolist() if label_by is None else texts(source.column(label_by))
    for column, wanted in conditions:
        values = source.column(column)
        labels = [
            label if has_value(value, wanted) else NO_LABEL
            for label, value in zip(labels, values, strict=True)
        ]
    return replace(source, rows=replace(source.rows, labels=np.array(labels, np.str_)))


def texts(values: Sequence[MetadataValue]) -> list[str]:
    """Return values as labels; a missing value, and a list, is none."""
    return [NO_LABEL if isinstance(value, list) else text(value) for value in values]


def text(value: MetadataValue) -> str:
    """Return a value as a config writes it; empty for a missing one."""
    return text_of(value) or NO_LABEL


def has_value(value: MetadataValue, wanted: Sequence[str]) -> bool:
    """Return whether a value, or one in a list of them, is wanted."""
    values = value if isinstance(value, list) else [value]
    return any(text(one) in wanted for one in values)
