from hypothesis import given
from hypothesis import strategies as st

from scripts.inputs import class_numbers
from scripts.inputs.failures import Failure


def named(
    classes: list[str], known: dict[str, set[str]], *rows: tuple[str, str, str, str]
) -> list[tuple[str, str]]:
    """Return label and prediction of rows with sample, label, prediction and folder."""
    given = [
        Failure(sample, label, predicted, folder=folder)
        for sample, label, predicted, folder in rows
    ]
    found = class_numbers.named(given, classes, lambda one: known.get(one.sample, set()))
    return [(one.label, one.predicted) for one in found]


KNOWN = {"1": {"3"}, "2": {"7", "no3"}}
CLASSES = ["3", "no3"]


def test_names_stay_as_they_are() -> None:
    assert named(CLASSES, KNOWN, ("1", "3", "no3", ""), ("2", "7", "3", "")) == [
        ("3", "no3"),
        ("7", "3"),
    ]


def test_numbers_of_a_parquet_file_become_names() -> None:
    assert named(CLASSES, KNOWN, ("1", "0", "1", ""), ("2", "1", "0", "")) == [
        ("3", "no3"),
        ("no3", "3"),
    ]


def test_predictions_without_labels_are_numbers_if_they_are_no_classes() -> None:
    assert named(CLASSES, KNOWN, ("1", "", "1", ""), ("2", "", "0", "")) == [("", "no3"), ("", "3")]
    assert named(CLASSES, KNOWN, ("1", "", "2", ""), ("2", "", "0", "")) == [("", "2"), ("", "0")]


def test_predictions_can_be_numbers_beside_labels_of_the_source() -> None:
    assert named(CLASSES, KNOWN, ("1", "3", "1", ""), ("2", "7", "0", "")) == [
        ("3", "no3"),
        ("7", "3"),
    ]


def test_labels_decide_where_a_number_is_the_name_of_another_class() -> None:
    classes, known = ["1", "2", "0"], {"a": {"2"}, "b": {"0"}}

    assert named(classes, known, ("a", "2", "0", ""), ("b", "0", "1", "")) == [
        ("2", "0"),
        ("0", "1"),
    ]
    assert named(classes, known, ("a", "1", "2", ""), ("b", "2", "0", "")) == [
        ("2", "0"),
        ("0", "1"),
    ]


def test_a_file_of_another_version_says_which_number_a_class_has() -> None:
    rows = (("a", "0", "1", "5"), ("b", "1", "0", "3"))

    assert named(["3", "5"], {"a": {"5"}, "b": {"3"}}, *rows) == [("5", "3"), ("3", "5")]


@given(st.permutations(["0", "1", "2", "cat"]), st.lists(st.integers(0, 3), min_size=1), st.data())
def test_a_file_with_correct_labels_means_the_same_in_names_and_in_numbers(
    classes: list[str], truth: list[int], data: st.DataObject
) -> None:
    guesses = data.draw(st.lists(st.integers(0, 3), min_size=len(truth), max_size=len(truth)))
    known = {str(sample): {classes[one]} for sample, one in enumerate(truth)}
    numbers = [
        (str(sample), str(one), str(guess), classes[one])
        for sample, (one, guess) in enumerate(zip(truth, guesses, strict=True))
    ]
    names = [(sample, classes[int(one)], classes[int(g)], at) for sample, one, g, at in numbers]
    expected = [(label, predicted) for _, label, predicted, _ in names]

    assert named(classes, known, *names) == expected
    as_numbers = named(classes, known, *numbers)
    if any(classes[one] != str(one) for one in truth):
        assert as_numbers == expected
