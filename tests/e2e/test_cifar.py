"""A history on real images: a fifth of the test images of CIFAR-10, ingested in two parts."""

import os
import tarfile
from pathlib import Path

import pytest

from scripts.git.git import Git
from scripts.inputs.config import TEST, TRAIN
from scripts.releases.history import History
from scripts.releases.tag_ranges import tags_in_words
from scripts.sources import pointer
from tests.repository import Repository, Run, config_text, contents, create, git

IMAGES = os.environ.get("CIFAR10_TEST_IMAGES")
CLASSES = 10

pytestmark = pytest.mark.skipif(
    not IMAGES, reason="the CIFAR-10 images are not here: CIFAR10_TEST_IMAGES is not set"
)


def part(target: Path, step: int) -> Path:
    """Write an archive with every image whose number is a multiple of `step`."""
    with tarfile.open(IMAGES or "") as archive, tarfile.open(target, "w") as made:
        for number, member in enumerate(x for x in archive if x.isreg()):
            if number % step == 0:
                made.addfile(member, archive.extractfile(member))
    return target


def release(repository: Repository, run: Run, samples: int) -> None:
    repository.git("add", "sources")
    repository.merge(config_text(source="cifar", class_="all", samples=samples, test_size=0.2))
    result = run("release", where=repository.root)
    assert result.code == 0, result.err


def test_a_source_of_real_images_grows_and_nothing_moves(tmp_path: Path, run: Run) -> None:
    repository = create(tmp_path)
    first = run("ingest", "cifar", str(part(tmp_path / "first.tar", 10)))
    assert "batch 1 with 1,000 images" in first.out, first.err
    release(repository, run, 80)
    second = run("ingest", "cifar", str(part(tmp_path / "second.tar", 5)))
    assert "skipped 1,000 images that the source has already\n" in second.out, second.err
    assert "batch 2 with 1,000 images" in second.out
    release(repository, run, 80)
    # All images of the first batch, and most of the second one.
    release(repository, run, 180)

    recorded = pointer.parse((repository.root / "sources" / "cifar.dvc").read_bytes(), "cifar")
    assert recorded.meta.counts == dict.fromkeys(sorted(recorded.meta.counts), 200)
    history = History(Git(repository.root))
    indexes = [history.index(one) for one in history.releases]
    # The second batch alone changed nothing.
    assert [len(one.places) for one in indexes] == [800, 1800]
    counts = history.releases[-1].lock.meta.counts
    assert set(counts[TRAIN].values()) == {144}
    assert set(counts[TEST].values()) == {36}
    old, new = indexes
    assert all(new.places[image] == place for image, place in old.places.items())
    assert not old.split(TRAIN) & new.split(TEST)
    assert not old.split(TEST) & new.split(TRAIN)
    assert run("verify").code == 0

    # The same bytes, rebuilt from the tags in a clone.
    for tag, images in (("v0", 800), ("v1", 1800)):
        clone = tmp_path / tag
        git(tmp_path, "clone", "--quiet", "--branch", tag, str(repository.origin), str(clone))
        built = run("build", where=clone)
        assert history.releases[int(tag[1:])].lock.md5 in built.out
        assert len(contents(clone / "dataset")) == images
    assert tags_in_words(["v0", "v1"]) == "v0 and v1"
