"""The groups of additions, which are those of the source where it has the value."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scripts.dataset.groups import Groups, named
from scripts.inputs.additions import Addition
from scripts.inputs.config import Config, Split
from scripts.inputs.problems import Problem
from scripts.inputs.values import MetadataValue
from scripts.sources.source import Source
from scripts.sources.view import text


class AddedGroup(NamedTuple):
    """The group of an addition, and the first row of the source in it, None without one."""

    name: str
    row: int | None


def groups_of(
    additions: Sequence[Addition], source: Source, config: Config
) -> dict[int, AddedGroup]:
    """Return the group of each of `additions` that has one, by its number.

    Numbers of different types are the same, such as 12 and 12.0, and so are a number and its text.
    """
    whole, column = named(source, config)
    given = {
        number: value
        for number, addition in enumerate(additions)
        if text(value := addition.metadata.get(column))
    }
    if not given:
        return {}
    of_source = whole.column(column)
    known, found = _rows(of_source), {}
    for number, value in given.items():
        row = known.get(_key(value), known.get(text(value)))
        name = text(value) if row is None else text(of_source[row])
        found[number] = AddedGroup(name, row)
    return found


def problems_of(
    additions: Sequence[Addition], source: Source, config: Config, groups: Groups
) -> Iterator[Problem]:
    """Yield the additions in another split than the other samples of their group."""
    found = groups_of(additions, source, config)
    splits: dict[str, tuple[Split, str]] = {}
    for number in sorted(found, key=lambda one: additions[one].path):
        addition, (name, row) = additions[number], found[number]
        if row is None:
            split, path = splits.setdefault(name, (addition.split, addition.path))
            there = f"{path} of it is in {split}"
        else:
            split = groups.split(row)
            there = f"the source has it for {split}"
        if addition.split != split:
            message = f"its group is {name}, and all samples of a group must be in one split"
            yield addition.problem(f"{message}, but {there}; move it to {split}, or remove it")


def _rows(values: Sequence[MetadataValue]) -> dict[str | int | float, int]:
    """Return the first row with each value, also by its text."""
    found: dict[str | int | float, int] = {}
    for row, value in enumerate(values):
        if name := text(value):
            found.setdefault(_key(value), row)
            found.setdefault(name, row)
    return found


def _key(value: MetadataValue) -> str | int | float:
    # True is 1 to Python.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return text(value)
