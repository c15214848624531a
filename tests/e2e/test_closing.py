import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset.deal import Wish, deal, zone
from scripts.dataset.order import Image
from scripts.git.git import Git
from scripts.ingest.closing import MIDDLE, Span, Use
from scripts.inputs.config import TEST, TRAIN, VALIDATION
from scripts.inputs.images import decode
from scripts.releases.history import History
from scripts.sources import identity, pointer
from scripts.sources.source import Zones
from tests.ingest.pictures import labeled, picture, write
from tests.repository import Repository, Run, config_text, create


@given(st.integers(1, 40), st.data())
def test_each_split_stays_on_its_side_of_a_cut(count: int, data: st.DataObject) -> None:
    places = [(2 * i + 1) / (2 * count) for i in range(count)]
    train = data.draw(st.integers(0, count))
    test = data.draw(st.integers(0, count - train))
    use = Use()
    for place in places[:train]:
        use.note(TRAIN, place)
    for place in places[count - test :]:
        use.note(TEST, place)
    wanted = Zones(MIDDLE, data.draw(st.floats(0, 1)), 1.0)

    cut = use.zones(wanted, 1 / (2 * count)).test

    assert all(place < cut for place in places[:train])
    assert all(place >= cut for place in places[count - test :])


@given(st.integers(1, 40), st.data())
def test_validation_stays_between_train_and_its_end(count: int, data: st.DataObject) -> None:
    places = [(2 * i + 1) / (2 * count) for i in range(count)]
    low = [place for place in places if place < MIDDLE]
    train = data.draw(st.integers(0, len(low)))
    validation = data.draw(st.integers(0, len(low) - train))
    use = Use()
    for place in low[:train]:
        use.note(TRAIN, place)
    for place in low[len(low) - validation :]:
        use.note(VALIDATION, place)
    wanted = Zones(data.draw(st.floats(0, MIDDLE)), MIDDLE, 1.0)

    zones = use.zones(wanted, 1 / (2 * count))

    assert all(place < zones.validation for place in low[:train])
    assert all(zones.validation <= place < MIDDLE for place in low[len(low) - validation :])
    assert zones.validation <= MIDDLE
    assert not validation or zones.test > low[-1]


@given(st.integers(3, 40), st.floats(0, 1), st.floats(0, MIDDLE), st.data())
def test_what_a_release_had_in_three_splits_is_in_their_zones(
    count: int, test_cut: float, validation_cut: float, data: st.DataObject
) -> None:
    """Also where test reached past validation, or train."""
    line = [Image(0, (2 * i + 1) / (2 * count), b"", i) for i in range(count)]
    test = data.draw(st.integers(0, count))
    validation = data.draw(st.integers(0, sum(image.place < MIDDLE for image in line)))
    sizes = {TRAIN: count, VALIDATION: validation, TEST: test}
    if not data.draw(st.booleans()):
        sizes[TRAIN] = data.draw(st.integers(0, count))
    dealt = deal(line, Wish(sizes), {}, {})
    use = Use()
    for split, images in dealt.items():
        for image in images:
            use.note(split, image.place)

    zones = use.zones(Zones(validation_cut, test_cut, 1.0), 1 / (2 * count))

    for split, images in dealt.items():
        assert {zone(zones, image.place) for image in images} <= {split}


def test_a_cut_that_fits_is_not_moved() -> None:
    span = Span(0.4, 0.9)
    assert span.clamp(0.8, 0.01) == 0.8
    assert span.clamp(0.95, 0.01) == 0.9
    assert span.clamp(0.4, 0.01) == pytest.approx(0.41)
    assert Span().clamp(0.0, 0.01) == 0.0


# With releases.


def asking(samples: object, **changes: object) -> str:
    values = {"source": "shapes", "class_": "all", "samples": samples, "test_size": 0.25, **changes}
    return config_text(**values)


@pytest.fixture
def used(repository: Repository, run: Run, tmp_path: Path) -> Repository:
    """A repository whose source of 60 images has a release with half of them."""
    photos = write(tmp_path / "photos", labeled(range(60), "a", "b"))
    assert run("ingest", "shapes", str(photos)).code == 0
    repository.git("add", "sources")
    repository.merge(asking(20))
    assert run("release").code == 0
    return repository


def ingest(repository: Repository, run: Run, numbers: range) -> pointer.Pointer:
    photos = write(repository.place / f"photos{numbers[0]}", labeled(numbers, "a", "b"))
    result = run("ingest", "shapes", str(photos), where=repository.root)
    assert result.code == 0, result.err
    repository.git("add", "sources")
    content = (repository.root / "sources/shapes.dvc").read_bytes()
    return pointer.parse(content, "shapes")


def places(repository: Repository, tag: str) -> dict[bytes, tuple[str, str]]:
    """Return the split and folder of each image of a release."""
    history = History(Git(repository.root))
    release = next(release for release in history.releases if release.tag == tag)
    return dict(history.index(release).places)


def test_an_ingest_closes_the_batch_before_it_at_the_share_of_the_newest_release(
    used: Repository, run: Run
) -> None:
    made = ingest(used, run, range(60, 70))
    assert made.batches[0].zones == {"*": (MIDDLE, 0.75, 1.0)}
    # Once it is closed, it stays as it is.
    used.merge(asking(25, test_size=0.5))
    assert ingest(used, run, range(70, 80)).batches[0].zones == {"*": (MIDDLE, 0.75, 1.0)}


def test_a_cut_lies_between_what_was_train_and_what_was_test(used: Repository, run: Run) -> None:
    # 27 of 30 images of each class are train now, which is more than the test share leaves.
    used.merge(
        config_text(source="shapes", class_="all", samples=29, test_size=2, comparable_since="v1")
    )
    assert run("release").code == 0
    used.merge(asking(4, comparable_since="v2"))
    assert run("release").code == 0
    zones = ingest(used, run, range(60, 70)).batches[0].zones
    # v2 is a part of v1 in train, but its test share is larger: only releases since v2 count.
    assert zones == {"*": (MIDDLE, 0.75, 1.0)}


def test_releases_that_compare_with_the_newest_one_move_the_cut(used: Repository, run: Run) -> None:
    used.merge(asking(30, test_size=7))
    assert run("release").code == 0
    zones = ingest(used, run, range(60, 70)).batches[0].zones
    # 23 of 30 are train, up to the place 45/60; 1 - 7/30 lies behind them.
    assert zones == {"*": (MIDDLE, 1 - 14 / 60, 1.0)}


def test_what_the_curation_pins_moves_no_cut(used: Repository, run: Run) -> None:
    assert run("build").code == 0
    drawn = {file.stem for file in (used.root / "dataset").rglob("*.png")}
    digests = (hashlib.sha256(decode(picture(n)).tobytes()).digest() for n in range(60))
    free = sorted({identity.identifier(digest) for digest in digests} - drawn)
    rows = "".join(f"{name},test,,,\n" for name in free[:5])
    (used.root / "curation.csv").write_text(f"sample,action,label,new_label,reason\n{rows}")
    used.git("add", "curation.csv")
    used.merge(asking(20))
    assert run("release").code == 0
    assert used.tags() == ["v0", "v1"]

    assert ingest(used, run, range(60, 70)).batches[0].zones == {"*": (MIDDLE, 0.75, 1.0)}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "sizes", [{"test_size": 0.25}, {"test_size": 0.15, "validation_size": 0.15}]
)
def test_growing_a_source_never_moves_a_sample(
    tmp_path: Path, run: Run, seed: int, sizes: dict[str, float]
) -> None:
    chance, repository = random.Random(seed), create(tmp_path)
    images = samples = 0
    released: dict[bytes, tuple[str, str]] = {}
    for tag in ("v0", "v1", "v2"):
        more = 2 * chance.randrange(15, 40)
        ingest(repository, run, range(images, images + more))
        images += more
        # Of each class; a part is left, because three splits cannot stay apart to the end.
        samples = chance.randrange(max(samples, 8), int(0.35 * images))
        repository.merge(asking(samples, **sizes))
        result = run("release", where=repository.root)
        assert result.code == 0, result.err
        found = places(repository, tag)
        assert len(found) == 2 * samples
        assert all(found[image] == place for image, place in released.items())
        released = found
