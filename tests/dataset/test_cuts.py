"""How versions in Parquet are cut into shards: what a change leaves as it is."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scripts.dataset import cuts
from scripts.dataset.cuts import Cutter
from scripts.dataset.order import ranked
from scripts.dataset.selection import Selection, select
from scripts.inputs.config import SPLITS, TEST, TRAIN, Config
from scripts.inputs.curation import NO_DECISIONS, Curation
from scripts.sources.source import Source
from tests.dataset.pools import Rows, grown, of_sizes, pool, pools
from tests.dataset.test_batches import add_batch, agree, in_parts, of_batch
from tests.dataset.test_decisions import deciding
from tests.dataset.test_selection import ANY_CLASS, asking, folders, moved, sides, wishes
from tests.dataset.test_splits import WIDE

IN_SHARD = 4

# The rows of each shard, by name.
Shards = dict[str, list[int]]


@pytest.fixture(autouse=True, scope="module")
def _small_shards() -> Iterator[None]:
    with patch.object(cuts, "MAX_IMAGES", IN_SHARD):
        yield


def selected(
    config: Config, source: Source, curation: Curation = NO_DECISIONS
) -> tuple[Selection, Shards]:
    found = select(config, source, curation)
    return found, Cutter(source, config.seed, folders(config.class_), 1).cut(found)


def last(shards: Shards) -> set[str]:
    """Return the names of the last shard of each split and folder."""
    names = [name for name in sorted(shards) if cuts.CURATED not in name]
    return {one for one, other in pairwise([*names, ""]) if place(one) != place(other)}


def place(name: str) -> str:
    return name.rpartition("/")[0]


def contents(shards: Shards) -> set[tuple[int, ...]]:
    return {tuple(rows) for rows in shards.values()}


@given(pools(), st.data())
def test_every_image_is_in_one_shard_in_the_order_in_which_its_split_takes_it(
    rows: Rows, data: st.DataObject
) -> None:
    config = asking(**data.draw(wishes(rows)))

    found, shards = selected(config, pool(rows))

    joined: dict[tuple[str, str], list[int]] = {}
    for name in sorted(shards):
        joined.setdefault(cuts.place_of(name), []).extend(shards[name])
    assert joined == {place: rows for place, rows in found.rows.items() if rows}


@given(st.sampled_from(ANY_CLASS), st.data())
def test_growing_rewrites_no_shard_but_the_last_one_of_each_folder(
    desired: object, data: st.DataObject
) -> None:
    sizes = [data.draw(st.tuples(st.integers(1, 30), st.integers(1, 20))) for _ in range(2)]
    (train, more_train), (test, more_test) = map(sorted, zip(*sizes, strict=True))
    small = asking(class_=desired, samples=train + test, test_size=test)
    large = asking(class_=desired, samples=more_train + more_test, test_size=more_test)
    before, old = selected(small, WIDE)
    after, new = selected(large, WIDE)
    assume(not moved(before, after))

    ends = last(old)
    for name, rows in old.items():
        assert new[name][: len(rows)] == rows
        assert name in ends or new[name] == rows


@given(st.sampled_from(ANY_CLASS), st.data())
def test_leaving_out_an_image_rewrites_its_own_shard_and_the_last_one(
    desired: object, data: st.DataObject
) -> None:
    train, test = data.draw(st.tuples(st.integers(1, 25), st.integers(1, 20)))
    config = asking(class_=desired, samples=train + test, test_size=test)
    found, old = selected(config, WIDE)
    row = data.draw(st.sampled_from(sorted(found.places())))

    _, new = selected(config, WIDE, deciding(f"{row},exclude,,,blurred"))

    [own] = [name for name, rows in old.items() if row in rows]
    [end] = [name for name in last(old) if place(name) == place(own)]
    rewritten = {tuple(old[own]), tuple(old[end])}
    assert contents(old) - contents(new) <= rewritten
    # In place of it comes one image, at the end.
    added = {row for rows in new.values() for row in rows} - found.places().keys()
    assert len(added) == 1
    left = tuple(one for one in old[own] if one != row)
    assert left == () or any(rows[: len(left)] == left for rows in contents(new))


@given(st.data())
def test_leaving_out_an_image_of_all_rewrites_its_own_shard_only(data: st.DataObject) -> None:
    config = asking(class_="all", samples="all", test_size=0.2)
    found, old = selected(config, WIDE)
    row = data.draw(st.sampled_from(sorted(found.places())))

    _, new = selected(config, WIDE, deciding(f"{row},exclude,,,blurred"))

    assert contents(old) - contents(new) == {tuple(rows) for rows in old.values() if row in rows}


@pytest.mark.parametrize("splits", [(TRAIN, TEST), SPLITS], ids=["two splits", "three splits"])
@given(data=st.data())
def test_a_new_batch_rewrites_no_shard(splits: Sequence[str], data: st.DataObject) -> None:
    source = grown(of_batch(30, 0), ())
    wish = in_parts(data.draw(st.integers(1, 3)), splits)
    before, old = selected(asking(**wish), source)

    source = add_batch(source, data.draw(st.integers(1, 20)), [(wish, sides(before))])

    after, new = selected(asking(**wish), source)
    assert agree(sides(before), sides(after))
    assert new == old


def test_growth_into_a_new_batch_appends_shards() -> None:
    source = grown(of_batch(10, 0), ())
    small = in_parts(1, (TRAIN, TEST))
    before, old = selected(asking(**small), source)
    source = add_batch(source, 40, [(small, sides(before))])

    _, new = selected(asking(**in_parts(3, (TRAIN, TEST))), source)

    assert new.items() >= old.items()
    assert len(new) > len(old)


def test_curated_images_and_additions_are_in_a_shard_of_their_own() -> None:
    config = asking(class_=["a", "b"], samples=20, test_size=5)
    found, old = selected(config, WIDE)
    relabeled = found.rows[TRAIN, "a"][2]
    pinned = next(row for row in range(50) if row not in found.places())

    _, new = selected(config, WIDE, deciding(f"{relabeled},relabel,a,b,", f"{pinned},test,,,"))

    assert new.pop("train/b/curated.parquet") == [relabeled]
    assert new.pop("test/a/curated.parquet") == [pinned]
    [own] = [name for name, rows in old.items() if relabeled in rows]
    old[own].remove(relabeled)
    assert new == old


def test_shards_have_about_the_size_that_is_wanted() -> None:
    _, shards = selected(asking(class_="a", samples=50, test_size=10), of_sizes(a=50, b=90, c=7))

    sizes = [len(rows) for name, rows in shards.items() if name not in last(shards)]
    assert sizes
    assert all(IN_SHARD - 3 <= size <= IN_SHARD + 3 for size in sizes)


def test_large_images_make_shards_of_fewer() -> None:
    assert cuts.images_in_shard(32 * 32 * 3) == IN_SHARD
    assert cuts.images_in_shard(8192 * 8192 * 3) == 1


@given(pools())
def test_every_image_counts_for_the_intervals_also_an_unusable_one(rows: Rows) -> None:
    [sizes] = ranked(pool(rows))

    first: dict[int, str] = {}
    for label, drawing in rows:
        first.setdefault(drawing, label)
    labels = list(first.values())
    assert sizes == {label: labels.count(label) for label in set(labels)}
