import pytest

from scripts.review import words


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (55_290, "55.3 kB"),
        (999_400, "999 kB"),
        (1_000_000, "1 MB"),
        (18_500_000, "18.5 MB"),
        (1_500_000_000_000, "1.5 TB"),
    ],
)
def test_a_size_has_three_digits_and_a_unit(count: int, text: str) -> None:
    assert words.size(count) == text


@pytest.mark.parametrize("count", [999_500, 999_999, 999_999_999])
def test_no_size_is_written_with_a_power_of_ten(count: int) -> None:
    assert "e+" not in words.size(count)


def test_counts_in_words() -> None:
    counts = {"train": {"3": 1_000, "no3": 5}, "test": {"3": 2, "no3": 0}}

    assert words.counts_in_words(counts) == "train 3: 1,000, no3: 5; test 3: 2, no3: 0"
