"""Where the bars of the charts are."""

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from scripts.site import charts
from scripts.site.charts import Counted

counts = st.dictionaries(
    st.sampled_from(["train", "validation", "test"]),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**7), min_size=1),
    min_size=1,
)


def entries(of_all: list[Any]) -> list[Counted]:
    return [cast(Counted, SimpleNamespace(tag=f"v{n}", counts=one)) for n, one in enumerate(of_all)]


@given(st.lists(counts, min_size=1, max_size=150))
def test_every_bar_is_inside_of_the_chart_and_as_high_as_its_counts(of_all: list[Any]) -> None:
    chart = charts.history(entries(of_all))

    assert len(chart.bars) + chart.omitted == len(of_all)
    assert chart.bars[-1].has_label
    highest, zero = chart.ticks[-1], charts.HEIGHT - charts.BOTTOM
    assert 2 <= len(chart.ticks) <= 6
    for bar, one in zip(chart.bars, of_all[chart.omitted :], strict=True):
        total = sum(sum(of_split.values()) for of_split in one.values())
        assert bar.total == total <= highest.count
        assert charts.LEFT <= bar.x <= bar.x + chart.bar_width <= charts.WIDTH - charts.RIGHT + 1
        height = sum(part.length for part in bar.parts)
        assert abs(height - total / highest.count * (zero - charts.TOP)) < 0.5
        assert all(charts.TOP - 1 <= part.start <= zero for part in bar.parts)


@given(counts)
def test_the_bar_of_a_class_fills_its_share(one: dict[str, dict[str, int]]) -> None:
    by_split = charts.splits_of(one)
    parts = charts.shares(by_split, sum(by_split.values()))

    assert [part.count for part in parts] == [*by_split.values()]
    if sum(by_split.values()):
        assert abs(sum(part.length for part in parts) - 100) < 0.1
