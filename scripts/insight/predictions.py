"""The predictions of a team's own model, by sample."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.curation.samples import Samples
from scripts.inputs import class_numbers, failures
from scripts.inputs.failures import Failure
from scripts.inputs.problems import START, InputError, Mark, Problem


class Prediction(NamedTuple):
    """The class that a model predicts, as the folder in the dataset, and its score if there is one.

    A class that the dataset does not have stays as the file has it.
    """

    predicted: str
    score: float | None = None


# By identifier, without the leading zeros of a row number; see `failures.Failure.key`.
Predictions = dict[str, Prediction]


def read(path: Path, samples: Samples) -> Predictions:
    """Return the predictions in the CSV or Parquet file at `path`; `samples` know the classes.

    Raises as `parse` does, and `UserError` if there is no such file.
    """
    return _checked(*failures.read(path), str(path), samples)


def parse(content: bytes, file: str, samples: Samples) -> Predictions:
    """Return the predictions in `content` of `file`; `samples` know the classes.

    Samples that the source does not have are kept; rows without a prediction are not. Raises
    `InputError` with every problem: invalid rows, a sample with two predictions, or no prediction.
    """
    return _checked(*failures.parse(content, file), file, samples)


def _checked(
    rows: Sequence[Failure], problems: Sequence[Problem], file: str, samples: Samples
) -> Predictions:
    predicted = [row for row in rows if row.predicted]
    wrong = [*problems, *_repeated(predicted, file)]
    if wrong:
        raise InputError(wrong)
    if not predicted:
        message = f"expected a column {failures.PREDICTED} with the class that the model predicts"
        raise InputError([Problem(file, START, message)])
    found = class_numbers.named(predicted, samples.classes, samples.known_labels)
    return {row.key: Prediction(samples.folder(row.predicted), row.score) for row in found}


def _repeated(rows: Sequence[Failure], file: str) -> Iterator[Problem]:
    first: dict[str, Failure] = {}
    for row in rows:
        if (earlier := first.setdefault(row.key, row)) is not row:
            message = f"sample {row.sample} has a prediction on line {earlier.line} already"
            yield Problem(file, Mark(row.line, 1), message)
