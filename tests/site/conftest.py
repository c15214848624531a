import csv
import io
import shutil
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from scripts.__main__ import main
from scripts.git.git import Git
from scripts.releases import releases
from scripts.site.catalogue import CatalogueReader
from scripts.site.entries import CatalogueEntry, EarlierRelease
from scripts.site.pictures import Pictures
from tests.assets.conftest import CURATION, DESCRIBED
from tests.ingest.pictures import picture, write
from tests.inputs.pictures import Pixels, encoded, rgb
from tests.repository import Repository, config_text, copy, create

NO_CURATION = "sample,action,label,new_label,reason\n"
MORE = config_text(samples=100, test_size=30) + DESCRIBED
# 00301 is in the train set before.
MOVED = CURATION + "301,test,3,,so that it is measured\n"
HISTORY = (
    (config_text(samples=60, test_size=20), NO_CURATION),
    (MORE, NO_CURATION),
    (MORE, CURATION),
    (MORE + "comparable_since: v3\n", MOVED),
)
SAID = "stable: v2\nwithdrawn: {v1: seven wrong labels}\n"


class Catalogued(NamedTuple):
    """A repository with releases, and the catalogue of them."""

    repository: Repository
    folder: Path

    @property
    def pages(self) -> list[Path]:
        return sorted(self.folder.rglob("*.html"))


def quietly(where: Path, *arguments: str) -> int:
    """Run a verb without its output; return its exit code."""
    with chdir(where), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return main(arguments)


def read(git: Git, place: Path) -> list[CatalogueEntry]:
    """Return the data of all releases; `place` is for their pictures."""
    accepted = releases.scan(git).accepted
    reader, entries = CatalogueReader(git, accepted, Pictures(place)), []
    for release in accepted:
        entries.append(reader.read(release))
        reader.pass_by(earlier(entries[-1]))
    return entries


def earlier(entry: CatalogueEntry) -> EarlierRelease:
    """Return what a later release needs of `entry`."""
    return EarlierRelease(
        entry.release,
        lambda: entry.known,
        lambda: entry.sheets,
        entry.distances,
        not entry.unreadable,
    )


def merge_and_release(repository: Repository, config: str, curation: str = NO_CURATION) -> None:
    (repository.root / "curation.csv").write_text(curation)
    repository.git("add", "curation.csv")
    repository.merge(config)
    assert quietly(repository.root, "release") == 0
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")


@pytest.fixture(scope="session")
def _catalogued(tmp_path_factory: pytest.TempPathFactory) -> Catalogued:
    place = tmp_path_factory.mktemp("catalogued")
    repository = create(place, HISTORY[0][0])
    for config, curation in HISTORY:
        merge_and_release(repository, config, curation)
    repository.merge_file("releases.yaml", SAID)
    assert quietly(repository.root, "site", "--out", str(place / "site")) == 0
    return Catalogued(repository, place / "site")


@pytest.fixture(scope="session")
def catalogued(_catalogued: Catalogued) -> Catalogued:
    """Four releases of the digits and their catalogue, which tests only look at."""
    return _catalogued


@pytest.fixture
def catalogue_copy(_catalogued: Catalogued, tmp_path: Path) -> Catalogued:
    """A copy of them for tests that change something."""
    repository = copy(_catalogued.repository, tmp_path)
    shutil.copytree(_catalogued.folder, tmp_path / "site")
    return Catalogued(repository, tmp_path / "site")


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Catalogued:
    """A release with more images in a class than fit on a page."""
    place = tmp_path_factory.mktemp("large")
    config = config_text(samples={"3": 100, "no3": 1614}, test_size={"3": 10, "no3": 100})
    repository = create(place, config)
    assert quietly(repository.root, "release") == 0
    assert quietly(repository.root, "site", "--out", str(place / "site")) == 0
    return Catalogued(repository, place / "site")


@pytest.fixture(scope="session")
def photographed(tmp_path_factory: pytest.TempPathFactory) -> Catalogued:
    """A release of color images of a custom source, with near-duplicates and an ambiguous one."""
    place = tmp_path_factory.mktemp("photographed")
    repository = create(place)
    photos = place / "photos"
    for name, image in _photos().items():
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(encoded(image))
    assert quietly(repository.root, "ingest", "pets", str(photos)) == 0
    repository.git("add", "sources/pets.dvc")
    config = config_text(source="pets", class_="all", samples=12, test_size=6)
    merge_and_release(repository, config)
    assert quietly(repository.root, "site", "--out", str(place / "site")) == 0
    return Catalogued(repository, place / "site")


EVIL = "<img src=x onerror=\"document.title = 'owned'\">"
NOTES = {0: EVIL, 2: "two\nlines, 'quoted' & \"quoted\"", 4: "long " * 60, 6: "\u202ereversed"}
BREEDS = ("siamese", "poodle", EVIL, "")


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Catalogued:
    """A release of photos of different sizes, as they came, with a table of their metadata."""
    place = tmp_path_factory.mktemp("described")
    repository = create(place)
    rows = io.StringIO()
    table = csv.writer(rows)
    table.writerow(("file_name", "label", "breed", "note", "age"))
    files = {}
    for number in range(40):
        # Wide, high, and small ones.
        size = (200 + number, 50) if number % 3 else (30, 8 * number + 10)
        name = f"photo {number} & <b>.png"
        files[name] = picture(number, size=size, mode="RGB" if number % 5 else "L")
        label, note = "cat" if number % 2 else "dog", NOTES.get(number, "")
        table.writerow((name, label, BREEDS[number // 2 % 4], note, 9 + number % 4))
    # The same pixels with two labels.
    files |= {f"same {n}.png": picture(99, size=(300, 200), mode="RGB") for n in range(2)}
    table.writerows((f"same {n}.png", ("cat", "dog")[n], "poodle", "", 3) for n in range(2))
    write(place / "photos", {**files, "metadata.csv": rows.getvalue().encode()})
    assert quietly(repository.root, "ingest", "pets", str(place / "photos")) == 0
    repository.git("add", "sources/pets.dvc")
    wish = {"source": "pets", "class_": "all", "samples": "all", "test_size": 0.2}
    merge_and_release(repository, config_text(**wish, encoding="original"))
    assert quietly(repository.root, "site", "--out", str(place / "site")) == 0
    return Catalogued(repository, place / "site")


def _photos() -> dict[str, Pixels]:
    cats = {f"cat/{n}.png": rgb(8, 12, n) for n in range(12)}
    # All dogs are nearly the same, so that some of train are like some of test.
    dog = rgb(8, 12, 99) // 2
    dogs = {f"dog/{n}.png": dog + np.uint8(n // 4) + _spot(n) for n in range(12)}
    both = rgb(8, 12, 50)
    return {**cats, **dogs, "cat/both.png": both, "dog/both.png": both}


def _spot(number: int) -> Pixels:
    spot = np.zeros((8, 12, 3), np.uint8)
    spot[0, number] = 3
    return spot


Remove = Callable[[Repository], None]


@pytest.fixture
def forget() -> Remove:
    """Return what removes the images from a repository's cache and remote, but no manifest."""

    def forget(repository: Repository) -> None:
        for store in (repository.bucket, repository.cache):
            for path in (store / "files" / "md5").glob("??/*"):
                if not path.name.endswith(".dir"):
                    path.chmod(0o644)
                    path.unlink()

    return forget
