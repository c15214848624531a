from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from scripts.curation.samples import Samples
from scripts.errors import UserError
from scripts.insight import predictions
from scripts.insight.predictions import Prediction
from tests.curation.test_proposals import samples as samples_of
from tests.dataset.pools import pool

# Rows 0 to 9 are of class a, 10 to 19 of b, 20 to 29 of c.
SOURCE = pool([(label, 10 * i + number) for i, label in enumerate("abc") for number in range(10)])


def samples() -> Samples:
    return samples_of(source=SOURCE, class_="a", samples=6)


def test_predictions_are_read_by_sample_with_their_scores() -> None:
    text = "file,predicted,score\ntest/a/00003.png,noa,0.5\n12,a,\n00013,b,\n14,z,\n15,,\n"

    assert predictions.parse(text.encode(), "p.csv", samples()) == {
        "3": Prediction("noa", 0.5),
        "12": Prediction("a"),
        # A class of the source is in a folder; any other class is wrong.
        "13": Prediction("noa"),
        "14": Prediction("z"),
    }


def test_the_parquet_file_of_a_release_has_numbers(tmp_path: Path) -> None:
    path = tmp_path / "test.parquet"
    table = {"sample": ["00003", "00012"], "label": [0, 1], "predicted": [1, 1]}
    parquet.write_table(pa.table(table), path)

    assert predictions.read(path, samples()) == {"3": Prediction("noa"), "12": Prediction("noa")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "sample,predicted\n3,a\n00003,a\n",
            "p.csv:3:1: sample 00003 has a prediction on line 2 already",
        ),
        (
            "sample,label\n3,a\n",
            "p.csv:1:1: expected a column predicted with the class that the model predicts",
        ),
        ("sample,predicted,score\n3,a,1\n4,a,high\n", "p.csv:3:5: score: expected a number, found"),
    ],
)
def test_what_is_no_table_of_predictions_is_refused(text: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        predictions.parse(text.encode(), "p.csv", samples())

    assert str(caught.value).startswith(expected)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        predictions.read(tmp_path / "none.csv", samples())
