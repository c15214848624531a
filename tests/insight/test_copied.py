"""Changed copies across versions, in repositories with releases."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.dataset.dataset import Dataset
from scripts.dataset.near import NearPairs
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs import additions
from scripts.inputs.config import Split
from scripts.insight import copied
from scripts.insight.copied import CopiedImages
from scripts.insight.older_images import PlacedImage
from scripts.releases import releases, resolve
from scripts.releases.diff import Diff
from scripts.releases.history import History
from scripts.releases.releases import Release
from scripts.review import plan
from scripts.sources.source import Pixels
from tests.inputs.pictures import encoded, gray
from tests.repository import Released, Repository, Run, config_text

LARGE = config_text(samples=60, test_size=20)
# Fewer images of each split.
SMALL = config_text(samples=20, test_size=8)

Alter = Callable[[Pixels], Pixels]


def one_level(pixels: Pixels) -> Pixels:
    """Return `pixels` of which one is changed by one level."""
    changed = pixels.copy()
    changed[4, 4] += 1 if changed[4, 4] < 255 else -1
    return changed


def mirrored(pixels: Pixels) -> Pixels:
    return one_level(pixels)[:, ::-1]


def removed(repository: Repository, split: Split) -> tuple[Dataset, int]:
    """Return an image of v0 that the work tree does not have, and its dataset."""
    git = Git(repository.root)
    now = resolve.work_tree(git).selection.places()
    [before, *_] = releases.scan(git).accepted
    old = resolve.of_release(git, before)
    rows = old.selection.rows[split, "3"]
    return old, next(row for row in rows if row not in now)


def add(repository: Repository, place: str, pixels: Pixels) -> Path:
    file = repository.root / "additions" / place / "picture.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encoded(pixels))
    return file


def publish(repository: Repository, run: Run) -> None:
    """Merge and release what the work tree has."""
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Change the dataset")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    result = run("release", where=repository.root)
    assert result.code == 0, result.err
    repository.git("pull", "--quiet", "--ff-only", "--tags", "origin", "main")


def difference(repository: Repository) -> tuple[Dataset, Diff]:
    git = Git(repository.root)
    dataset, before = resolve.work_tree(git), releases.scan(git).latest
    return dataset, plan.plan(git, dataset, before)[1]


def found(repository: Repository) -> CopiedImages:
    git = Git(repository.root)
    dataset, made = difference(repository)
    near = bool(made.near and made.near.searched)
    comparable = made.comparison.comparable
    return copied.find(git, History(git), dataset, made.old, comparable, has_near=near)


def named(image: PlacedImage) -> tuple[str, str, str, str | None]:
    identifier = image.dataset.images.identifier(image.row)
    return identifier, image.split, image.folder, image.release


@pytest.fixture
def smaller(released_as: Released) -> Repository:
    """A repository with v0, and v1 which is comparable with it and lacks most of its images."""
    return released_as(LARGE, SMALL)


@pytest.mark.parametrize("there", ["train", "test"])
def test_an_exact_copy_of_an_image_of_a_release_is_refused_as_a_leak(
    smaller: Repository, run: Run, there: Split
) -> None:
    old, row = removed(smaller, there)
    here = "test" if there == "train" else "train"
    rows = f"sample,action,label,new_label,reason\n{old.images.identifier(row)},{here},3,,\n"
    (smaller.root / "curation.csv").write_text(rows)

    refused = run("validate")

    assert refused.code == 1
    assert f"leak: {old.images.identifier(row)} is in the {there} set of v0" in refused.err


@pytest.mark.parametrize("alter", [one_level, mirrored])
@pytest.mark.parametrize("there", ["train", "test"])
def test_a_changed_copy_of_an_image_of_a_release_is_named(
    smaller: Repository, run: Run, there: Split, alter: Alter
) -> None:
    old, row = removed(smaller, there)
    here = "test" if there == "train" else "train"
    changed = alter(old.images.image(row))
    add(smaller, f"{here}/3", changed)

    copies = found(smaller)

    assert (copies.count, copies.searched, copies.missing) == (1, True, 0)
    [pair] = copies.pairs
    assert pair.mirrored == (alter is mirrored)
    mine, theirs = (pair.other, pair.train) if there == "train" else (pair.train, pair.other)
    assert named(theirs) == (old.images.identifier(row), there, "3", "v0")
    assert named(mine)[1:] == (here, "3", None)
    assert (mine.dataset.images.image(mine.row) == changed).all()
    assert run("validate").code == 0


def test_a_changed_copy_in_one_version_is_named_once(smaller: Repository) -> None:
    dataset, _ = difference(smaller)
    pixels = dataset.images.image(dataset.selection.rows["train", "3"][0])
    file = add(smaller, "test/3", one_level(pixels))

    # It is in the warning of near-duplicates.
    assert found(smaller) == CopiedImages()
    near = difference(smaller)[1].near
    assert near is not None
    assert near.count == 1
    file.write_bytes(encoded(pixels // 2))
    copies = found(smaller)
    assert (copies.count, difference(smaller)[1].near) == (1, NearPairs())
    assert [one.release for one in (copies.pairs[0].train, copies.pairs[0].other)] == [None, None]


def test_what_a_release_has_already_is_not_named_again(smaller: Repository, run: Run) -> None:
    old, row = removed(smaller, "train")
    add(smaller, "test/3", one_level(old.images.image(row)))
    assert found(smaller).count == 1

    publish(smaller, run)
    smaller.configure(config_text(samples=22, test_size=8))

    assert found(smaller) == CopiedImages()


def test_an_image_that_only_the_release_has_is_read_there(
    smaller: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = gray(8, 8)
    file = add(smaller, "train/3", pixels)
    publish(smaller, run)
    file.unlink()
    add(smaller, "test/3", one_level(pixels))

    copies = found(smaller)

    assert (copies.count, copies.missing) == (1, 0)
    assert named(copies.pairs[0].train) == (additions.identifier(pixels), "train", "3", "v2")

    def unavailable(git: Git, release: Release) -> Dataset:
        raise UserError("not available")

    monkeypatch.setattr(resolve, "of_release", unavailable)
    assert found(smaller) == CopiedImages(missing=1)


def test_a_comment_names_changed_copies_and_a_plan_as_text_does_not(
    smaller: Repository, run: Run
) -> None:
    old, row = removed(smaller, "train")
    add(smaller, "test/3", mirrored(old.images.image(row)))
    words = (
        "Changed copies: 1 test or validation image looks like a train image that was changed, such"
        f" as saved again, turned or mirrored: {old.images.identifier(row)} (`train/3`, of v0)"
    )

    assert f"> {words} and x" in run("plan", "--format", "markdown").out
    assert "Changed copies" not in run("plan").out
