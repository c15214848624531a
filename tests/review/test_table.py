import time

from scripts.review import table
from scripts.review.report import ClassCount
from scripts.review.table import Cell, TableRow
from tests.review.plans import counts


def test_each_class_has_one_row_with_train_test_and_total() -> None:
    made = table.count_table([*counts(a=(3, 5), b=(4, 4)), *counts("test", a=(2, 1), b=(1, 2))])

    assert made.columns == ["class", "train", "test", "total"]
    assert made.changed == [
        TableRow("a", [Cell(3, 5), Cell(2, 1), Cell(5, 6)]),
        TableRow("b", [Cell(4, 4), Cell(1, 2), Cell(5, 6)]),
    ]
    assert [cell.difference for cell in made.changed[0].cells] == [2, -1, 1]


def test_a_class_is_unchanged_if_no_split_differs() -> None:
    made = table.count_table(
        [
            *counts(same=(3, 3), moved=(3, 4), grown=(1, 2)),
            *counts("test", same=(2, 2), moved=(2, 1), grown=(1, 1)),
        ]
    )

    # As many in total is not enough.
    assert [row.name for row in made.changed] == ["moved", "grown"]
    assert [row.name for row in made.unchanged] == ["same"]


def test_the_total_is_that_of_all_classes() -> None:
    made = table.count_table([*counts(a=(3, 5), b=(4, 4)), *counts("test", a=(2, 1), b=(1, 1))])

    assert made.total == TableRow("total", [Cell(7, 9), Cell(3, 2), Cell(10, 11)])


def test_classes_that_come_and_go_are_changes() -> None:
    made = table.count_table(
        [*counts(gone=(3, 0), new=(0, 2)), *counts("test", gone=(1, 0), new=(0, 1))]
    )

    assert made.changed == [
        TableRow("gone", [Cell(3, 0), Cell(1, 0), Cell(4, 0)]),
        TableRow("new", [Cell(0, 2), Cell(0, 1), Cell(0, 3)]),
    ]


def test_classes_keep_their_order_and_a_missing_split_counts_as_none() -> None:
    made = table.count_table([*counts(b=(1, 2), a=(1, 2)), *counts("test", c=(1, 2), b=(0, 0))])

    assert [row.name for row in made.changed] == ["b", "a", "c"]
    assert made.changed[1].cells == [Cell(1, 2), Cell(0, 0), Cell(1, 2)]


def test_no_classes_have_an_empty_table() -> None:
    made = table.count_table([])

    assert (made.changed, made.unchanged) == ([], [])
    assert made.total == TableRow("total", [Cell(0, 0)] * 3)


def test_a_validation_set_has_a_column_of_its_own_between_the_others() -> None:
    made = table.count_table(
        [*counts(a=(3, 5)), *counts("validation", a=(0, 2)), *counts("test", a=(1, 1))]
    )

    assert made.columns == ["class", "train", "validation", "test", "total"]
    assert made.changed == [TableRow("a", [Cell(3, 5), Cell(0, 2), Cell(1, 1), Cell(4, 8)])]


def test_the_largest_table_takes_no_time() -> None:
    most = [
        ClassCount.model_validate({"split": "train", "class": f"{i}", "before": 0, "after": 1})
        for i in range(20_000)
    ]
    start = time.process_time()

    assert len(table.count_table(most).changed) == 20_000

    # Comparing each class with each count takes ten times as long.
    assert time.process_time() - start < 2
