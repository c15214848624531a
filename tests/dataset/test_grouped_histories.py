"""What holds for releases of a source with groups, whatever arrives and whatever is asked for."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from scripts.dataset.selection import Selection, select
from scripts.inputs.config import SPLITS, TRAIN, Config
from scripts.inputs.config_values import ALL
from scripts.inputs.problems import InputError
from scripts.sources.own import Own
from scripts.sources.pointer import Shape
from scripts.sources.shards import Digests, Rows
from scripts.sources.summaries import FILE
from scripts.sources.view import view

LABELS, AGES, VIEWS = ("cat", "dog"), ("old", "young"), ("front", "side")
Values = Mapping[str, Any]
# The split and the folder of each selected photo.
Places = Mapping[bytes, tuple[str, str]]


class Photo(NamedTuple):
    """A photo: its number, which no other has, its label, and its row in the team's table."""

    number: int
    label: str
    patient: str | None
    age: str | None
    view: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(b"%d" % self.number).digest()

    @property
    def group(self) -> object:
        """What must not be on two sides: the patient, or the photo where none is known."""
        return self.patient or self.number

    @property
    def table(self) -> Values:
        return {"patient": self.patient, "age": self.age, "view": self.view}


Batches = Sequence[Sequence[Photo]]


@dataclass(frozen=True, eq=False)
class Known(Own):
    """A source of which everything but the images is known."""

    photos: Sequence[Photo] = ()

    @property
    def metadata(self) -> Sequence[Values]:
        return [photo.table for photo in self.photos]


def source(batches: Batches) -> Known:
    photos = [photo for batch in batches for photo in batch]
    count = len(photos)
    rows = Rows(
        Digests(b"".join(photo.digest for photo in photos)),
        np.array([photo.label for photo in photos]),
        np.full(count, ""),
        np.full((count, 2), 8, np.int32),
        np.zeros(count, FILE),
        np.full(count, ".jpg"),
        np.full(count, "RGB"),
    )
    records = [SimpleNamespace(images=len(batch), zones_of=lambda _: {}) for batch in batches]
    pointer: Any = SimpleNamespace(batches=records, shape=Shape("RGB", (8, 8)))
    nothing: Any = None
    return Known("photos", pointer, rows, nothing, {}, nothing, photos)


@st.composite
def batches_of_photos(draw: st.DrawFn) -> Batches:
    """Draw batches; later ones have photos of patients who are known, and of others."""
    chance = draw(st.randoms(use_true_random=False))
    patients = draw(st.integers(3, 60))
    found: list[list[Photo]] = []
    number = 0
    for index in range(draw(st.integers(1, 4))):
        batch = []
        for _ in range(draw(st.integers(20 if not index else 1, 80))):
            number += 1
            who = chance.randrange(patients * (index + 1))
            patient = None if chance.random() < 0.1 else f"P{who}"
            age = chance.choice([*AGES, None])
            batch.append(Photo(number, chance.choice(LABELS), patient, age, chance.choice(VIEWS)))
        found.append(batch)
    return found


@st.composite
def wishes(draw: st.DrawFn) -> Values:
    """Draw a question and the number of samples; the shares of the splits stay the same."""
    question: dict[str, Any] = {}
    if draw(st.booleans()):
        question["label_by"] = "age"
    if draw(st.booleans()):
        question["where"] = {"view": draw(st.sampled_from(VIEWS))}
    names = AGES if "label_by" in question else LABELS
    wanted = draw(st.sampled_from([ALL, names[0], [names[1]], [*names]]))
    return {**question, "class": wanted, "samples": draw(st.sampled_from([ALL, 5, 10, 20, 40]))}


SHARES = st.sampled_from(
    [{"test_size": 0.2}, {"test_size": 0.5}, {"test_size": 0.1, "validation_size": 0.3}]
)


def config(shares: Values, wish: Values, **changes: object) -> Config:
    fixed = {"source": "photos", "encoding": "original", "group_by": "patient"}
    return Config.model_validate({**fixed, **shares, **wish, **changes})


def selected(known: Known, wish: Config) -> Selection | None:
    """Return what a config selects, None where the groups have too few images."""
    try:
        return select(wish, view(known, wish.label_by, wish.where))
    except InputError as error:
        few = ("but the groups for", "none of the groups of")
        if all(any(words in str(one) for words in few) for one in error.problems):
            return None
        raise


def places(known: Known, found: Selection) -> Places:
    return {known.photos[row].digest: place for row, place in found.places().items()}


@given(batches_of_photos(), SHARES, st.lists(wishes(), min_size=1, max_size=4))
def test_no_group_is_on_two_sides_of_any_releases(
    batches: Batches, shares: Values, questions: Sequence[Values]
) -> None:
    side: dict[object, str] = {}
    for count in range(1, len(batches) + 1):
        known = source(batches[:count])
        for wish in questions:
            found = selected(known, config(shares, wish))
            for row, (split, folder) in (found.places() if found else {}).items():
                photo = known.photos[row]
                assert side.setdefault(photo.group, split) == split
                assert folder in {label_of(photo, wish), f"no{wish['class']}"}
                assert photo.view == wish.get("where", {}).get("view", photo.view)


def label_of(photo: Photo, wish: Values) -> str | None:
    return photo.age if "label_by" in wish else photo.label


@given(batches_of_photos(), SHARES, wishes(), st.integers(4, 60))
def test_counts_are_exact_wherever_the_groups_have_the_images(
    batches: Batches, shares: Values, wish: Values, samples: int
) -> None:
    known = source(batches)
    whole = selected(known, config(shares, wish, samples=ALL))
    assume(whole is not None)
    assert whole
    available = whole.counts()
    asked = config(shares, wish, samples=samples)
    folders = available[TRAIN]
    sizes = {folder: dict(zip(SPLITS, asked.sizes(folder), strict=True)) for folder in folders}
    expected = {split: {name: sizes[name][split] for name in folders} for split in asked.splits}

    found = selected(known, asked)

    is_enough = all(
        1 <= expected[split][name] <= available[split][name]
        for split in asked.splits
        for name in folders
    )
    assert (found is not None) == is_enough
    if found:
        assert found.counts() == expected


@given(batches_of_photos(), SHARES, wishes(), st.lists(st.integers(4, 60), min_size=4, max_size=4))
def test_growing_moves_nothing_and_removes_nothing(
    batches: Batches, shares: Values, wish: Values, steps: Sequence[int]
) -> None:
    before: Places = {}
    for count, samples in enumerate(sorted(steps)[: len(batches)], 1):
        known = source(batches[:count])
        found = selected(known, config(shares, wish, samples=samples))
        if found:
            after = places(known, found)
            assert before.items() <= after.items()
            before = after


@given(batches_of_photos(), SHARES, wishes(), st.randoms(use_true_random=False))
def test_the_order_within_batches_decides_nothing(
    batches: Batches, shares: Values, wish: Values, random: Random
) -> None:
    asked = config(shares, wish)
    known, other = source(batches), source([random.sample(batch, len(batch)) for batch in batches])
    one, two = selected(known, asked), selected(other, asked)
    assert (one is None) == (two is None)
    if one and two:
        assert places(known, one) == places(other, two)
        assert sorted(one.files()) == sorted(two.files())
