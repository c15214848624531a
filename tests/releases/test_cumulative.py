"""The cumulative index says what the indexes of single releases say."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import UserError
from scripts.inputs.config import SPLITS
from scripts.releases import cumulative
from scripts.releases.cumulative import CumulativeIndex
from scripts.releases.index import BITS, Index

# Few digests, some of which end in zeros, so that versions share many.
DIGESTS = [bytes([number]) * 31 + bytes([number % 3]) for number in range(12)]
GROUPS = [f"{number:016x}" for number in range(1, 4)]
PLACES = st.tuples(st.sampled_from(SPLITS), st.sampled_from(["3", "no3"]))


@st.composite
def indexes(draw: st.DrawFn) -> Index:
    places = draw(st.dictionaries(st.sampled_from(DIGESTS), PLACES, max_size=8))
    images = sorted(places)
    some = st.sets(st.sampled_from(images)) if images else st.just(set[bytes]())
    resized = {image: draw(st.sampled_from(DIGESTS)) for image in sorted(draw(some))}
    groups = {image: draw(st.sampled_from(GROUPS)) for image in sorted(draw(some))}
    return Index(places, resized, groups)


def together(older: Sequence[Index]) -> CumulativeIndex:
    found = CumulativeIndex()
    for number, index in enumerate(older):
        found = found.with_index(f"v{number}", index)
    return found


@given(made=indexes(), older=st.lists(indexes(), max_size=5))
def test_leaks_are_those_with_each_index(made: Index, older: Sequence[Index]) -> None:
    leaks = together(older).leaks(made)
    for number, index in enumerate(older):
        from_test, from_train = made.leaks(index)
        assert leaks[f"v{number}"] == (len(from_test), len(from_train))


@given(
    made=indexes(),
    older=st.lists(indexes(), max_size=5),
    left_out=st.sets(st.sampled_from(DIGESTS)),
)
def test_images_can_be_left_out(made: Index, older: Sequence[Index], left_out: set[bytes]) -> None:
    leaks = together(older).leaks(made, without=left_out)
    for number, index in enumerate(older):
        from_test, from_train = made.leaks(index)
        assert leaks[f"v{number}"] == (len(from_test - left_out), len(from_train - left_out))


@given(made=indexes(), older=st.lists(indexes(), max_size=5))
def test_an_equal_release_holds_all_images(made: Index, older: Sequence[Index]) -> None:
    holding = together(older).holding(made)
    for number, index in enumerate(older):
        if index.as_shown.places == made.as_shown.places:
            assert f"v{number}" in holding


@given(older=st.lists(indexes(), max_size=5), digest=st.sampled_from(DIGESTS))
def test_known_digests_are_those_of_any_of_these_releases(
    older: Sequence[Index], digest: bytes
) -> None:
    names = {f"v{number}" for number in range(0, len(older), 2)}
    there = any(digest in index.seen(index.places) for index in older[::2])
    assert together(older).known([digest], names).tolist() == [there]


@given(older=st.lists(indexes(), max_size=5), bits=st.integers(0, 7))
def test_the_digests_of_a_split_are_those_of_any_of_these_releases(
    older: Sequence[Index], bits: int
) -> None:
    names = [f"v{number}" for number in range(0, len(older), 2)]
    expected = {
        digest
        for index in older[::2]
        for image, (split, _) in index.places.items()
        if BITS[split] & bits
        for digest in (image, index.resized.get(image, image))
    }
    assert sorted(together(older).digests_in(names, bits)) == sorted(expected)


@given(older=st.lists(indexes(), max_size=5), made=indexes())
def test_a_record_is_read_as_it_was_written(older: Sequence[Index], made: Index) -> None:
    written = together(older)
    read = cumulative.parse(written.content)
    assert read.content == written.content
    assert read.leaks(made) == written.leaks(made)
    assert read.with_index("new", made).content == written.with_index("new", made).content


@given(older=st.lists(indexes(), max_size=2), data=st.data())
def test_no_damage_is_an_error_of_another_kind(older: Sequence[Index], data: st.DataObject) -> None:
    content = bytearray(together(older).content)
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)))
    for damaged in (bytes(content), bytes(content[:end])):
        with suppress(UserError):
            cumulative.parse(damaged)


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"[]\n", b"\xff\n", b'{"format": 1}\n'])
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(UserError, match="not a cumulative index"):
        cumulative.parse(content)
