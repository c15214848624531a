"""Finds out whether predictions name classes, or number them as the files of a release do."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from scripts.inputs.failures import Failure

NUMBER = re.compile(r"[0-9]{1,6}")


def named(
    rows: Sequence[Failure], classes: Sequence[str], known: Callable[[Failure], Collection[str]]
) -> list[Failure]:
    """Return `rows` with the names of classes in place of their numbers.

    `classes` are the folders of the dataset, in the order of their numbers; `known` returns the
    correct labels of the sample of a row. The file as a whole decides. Labels are numbers if more
    of them are correct as numbers than as names. Predictions are numbers if the labels are, or if
    one of them is no class of the dataset; and only if each is the number of a class.
    """
    numbers = _numbers(rows, classes)
    labeled = [row for row in rows if row.label]
    as_names = sum(row.label in known(row) for row in labeled)
    as_numbers = sum(numbers.get(row.label) in known(row) for row in labeled)
    labels_are = as_numbers > as_names
    predicted = {row.predicted for row in rows if row.predicted}
    predictions_are = predicted <= numbers.keys() and (labels_are or not predicted <= {*classes})
    return [
        row._replace(
            label=numbers.get(row.label, row.label) if labels_are else row.label,
            predicted=numbers.get(row.predicted, "") if predictions_are else row.predicted,
        )
        for row in rows
    ]


def _numbers(rows: Sequence[Failure], classes: Sequence[str]) -> Mapping[str, str]:
    """Return the class of each number.

    Where rows have the class in the path of their file too, they say which number it has: the file
    can be that of another version.
    """
    numbers = {str(number): name for number, name in enumerate(classes)}
    pairs = {(row.label, row.folder) for row in rows if row.folder and NUMBER.fullmatch(row.label)}
    said = dict(pairs)
    if len(pairs) == len(said) == len({*said.values()}):
        # A class that the file numbers has no other number.
        kept = {one: name for one, name in numbers.items() if name not in said.values()}
        return kept | said
    return numbers
