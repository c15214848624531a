"""The columns of metadata that a config names, compared with those of the source."""

from collections.abc import Iterator

from scripts.dataset.folders import first_names
from scripts.inputs.additions_table import AdditionsTable
from scripts.inputs.config import Config
from scripts.inputs.paths import ADDITIONS_TABLE
from scripts.inputs.problems import Problem
from scripts.inputs.strict_yaml import KEY, Location
from scripts.sources.own import Own
from scripts.sources.source import NO_LABEL, Source
from scripts.sources.view import texts


def problems_of(config: Config, source: Source) -> Iterator[Problem]:
    """Yield the columns that the whole `source` does not have, each at its place."""
    named = list(_named(config))
    if not named:
        return
    known = source.columns if isinstance(source, Own) else []
    has = f"it has {first_names(known)}" if known else "it has no metadata"
    for at, column in named:
        if column not in known:
            message = f"{at[0]}: {source.name} has no column {column!r}; {has}"
            yield config.problem(at, message)


def problems_of_additions(table: AdditionsTable, source: Source) -> Iterator[Problem]:
    """Yield the columns of the additions that the whole `source`, which has some, does not have."""
    if not (table.columns and isinstance(source, Own)):
        return
    known = source.columns
    for column, mark in table.columns.items():
        if known and column not in known:
            message = f"{source.name} has no column {column!r}; it has {first_names(known)}"
            yield Problem(ADDITIONS_TABLE, mark, message)


def _named(config: Config) -> Iterator[tuple[Location, str]]:
    if config.label_by is not None:
        yield ("label_by",), config.label_by
    if config.group_by is not None:
        yield ("group_by",), config.group_by
    for column in config.where or {}:
        yield ("where", column, KEY), column


def without_value(config: Config, source: Source) -> dict[str, int]:
    """Return how many samples have no value in the columns for labels and conditions, if any."""
    if not isinstance(source, Own):
        return {}
    counts = {column: source.column(column).count(None) for column in config.where or {}}
    if config.label_by is not None:
        counts[config.label_by] = texts(source.column(config.label_by)).count(NO_LABEL)
    return {column: count for column, count in counts.items() if count}
