import io
import json

import numpy as np
import pytest
from PIL import Image

from scripts.review import previews, report
from scripts.review.previews import IMAGES_IN_TEXT, IMAGES_ON_SHEET, INK, MAX_TEXT_ROWS
from scripts.review.report import Preview, Report
from scripts.versions import releases, resolve
from scripts.versions.git import Git
from tests.repository import Repository, Run, config_text

WHITE = 255


def reported(repository: Repository, run: Run) -> Report:
    folder = repository.place / "report"
    assert run("report", str(folder)).code == 0
    return report.load((folder / "report.json").read_bytes())


def shown(repository: Repository, run: Run) -> list[Preview]:
    plan = reported(repository, run).plan
    assert plan is not None
    return plan.previews


def test_a_character_shows_two_pixels() -> None:
    pixels = np.zeros((4, 4), np.uint8)
    pixels[0, 1] = pixels[1, 2] = pixels[0, 3] = pixels[1, 3] = 255
    pixels[2] = 255

    assert previews.text([pixels]) == [" ▀▄█", "▀▀▀▀"]


def test_images_are_drawn_side_by_side_without_trailing_spaces() -> None:
    left, right = np.full((2, 2), 255, np.uint8), np.zeros((2, 2), np.uint8)

    assert previews.text([left, right]) == ["██"]
    assert previews.text([right, left]) == ["    ██"]
    assert previews.text([]) == []


@pytest.mark.parametrize("side", [1, 2, 7, 8, 15, 16, 28, 255])
def test_images_of_any_size_fit_and_pass_as_a_preview(side: int) -> None:
    lines = previews.text([np.full((side, side), 255, np.uint8)] * IMAGES_IN_TEXT)

    assert len(lines) == (min(side, 16) + 1) // 2
    assert set("".join(lines)) <= set(INK)
    Preview(split="train", folder="3", lines=lines)


def test_a_preview_shows_the_new_samples(repository: Repository, run: Run) -> None:
    git = Git(repository.root)
    old = resolve.work_tree(git).selection.rows
    run("release")
    repository.configure(config_text(samples=8))
    dataset, before = resolve.work_tree(git), releases.latest(git)

    rows = {
        (split, folder): rows for split, folder, rows in previews.selected_rows(dataset, before)
    }

    assert rows.keys() == old.keys() == dataset.selection.rows.keys()
    for key, every in dataset.selection.rows.items():
        new = sorted(set(every) - set(old[key]))
        # The test set does not change: all of it is shown.
        assert rows[key] == (new or every)
        assert len(new) == (3 if key[0] == "train" else 0)


def test_the_report_has_previews_of_each_split_and_class(repository: Repository, run: Run) -> None:
    found = shown(repository, run)

    assert [(one.split, one.folder) for one in found] == [
        *(("train", "3"), ("test", "3"), ("train", "no3"), ("test", "no3")),
    ]
    for one in found:
        assert len(one.lines) == 4
        assert "".join(one.lines).strip()


def test_the_number_of_previews_is_bounded(repository: Repository, run: Run) -> None:
    repository.configure(config_text(class_="all", samples=20, test_size=10))

    found = shown(repository, run)

    assert len(found) == MAX_TEXT_ROWS == 20
    # Eight pixels for each image, and two spaces between two.
    widest = IMAGES_IN_TEXT * 8 + (IMAGES_IN_TEXT - 1) * 2
    assert max(len(line) for one in found for line in one.lines) <= widest


def test_an_unchanged_dataset_has_no_previews(repository: Repository, run: Run) -> None:
    run("release")
    repository.configure(f"# the reason\n{config_text()}")

    assert shown(repository, run) == []


def test_the_plan_as_json_has_no_previews(repository: Repository, run: Run) -> None:
    assert "previews" not in json.loads(run("plan", "--format", "json").out)


def test_the_contact_sheet_shows_each_split_and_class_black_on_white(
    repository: Repository, run: Run
) -> None:
    repository.configure(config_text(samples=40, test_size=10))
    folder = repository.place / "report"
    assert run("report", str(folder)).code == 0

    with Image.open(folder / "samples.png") as image:
        pixels = np.asarray(image)

    thumbnail, gap, heading = previews.THUMBNAIL, previews.GAP, previews.HEADING
    assert pixels.shape == (
        4 * (heading + thumbnail + gap) + gap,
        IMAGES_ON_SHEET * (thumbnail + gap) + gap,
    )
    assert pixels[0, 0] == WHITE
    dataset = resolve.work_tree(Git(repository.root))
    for index, (_, _, rows) in enumerate(previews.selected_rows(dataset, None)):
        top = index * (heading + thumbnail + gap) + gap + heading - gap
        for column, row in enumerate(rows[:IMAGES_ON_SHEET]):
            left = gap + column * (thumbnail + gap)
            drawn = pixels[top : top + thumbnail, left : left + thumbnail]
            # Each of the 8 by 8 pixels is 7 pixels wide.
            assert np.array_equal(drawn[::7, ::7], WHITE - dataset.source.image(row))


def test_a_contact_sheet_of_one_image_is_wide_enough_for_its_heading(
    repository: Repository,
) -> None:
    repository.configure(config_text(class_=[3], samples=2, test_size=1))
    dataset = resolve.work_tree(Git(repository.root))

    with Image.open(io.BytesIO(previews.contact_sheet(dataset, None))) as image:
        assert image.width >= 4 * previews.THUMBNAIL
