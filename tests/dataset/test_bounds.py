"""Bounds of what is resized, checked before anything is."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from scripts.dataset import bounds
from scripts.dataset.dataset import Dataset
from scripts.inputs import config_file, curation
from scripts.inputs.reader import Inputs
from scripts.sources import registry, resized
from scripts.sources.source import Source, SourceRequest
from tests.repository import Repository, Run, config_text

TWO_PINS = b"sample,action,label,new_label,reason\n00000,train,0,,x\n00001,test,1,,y\n"


@pytest.fixture(scope="module")
def digits() -> Source:
    return registry.load(SourceRequest("digits"))


def inputs(decisions: bytes = b"", **changes: Any) -> Inputs:
    made = config_file.parse(config_text(**changes).encode())
    return Inputs(made, curation.parse(decisions) if decisions else curation.NO_DECISIONS)


@pytest.mark.parametrize(
    "wanted",
    [
        inputs(image_size=16),
        inputs(image_size="4x12"),
        inputs(TWO_PINS, image_size=16, class_="all"),
        inputs(image_size=16, class_=[3, 5], samples="all", test_size=0.2),
        inputs(image_size=16, samples={"3": 9, "no3": "all"}, test_size=2, validation_size=3),
    ],
)
def test_the_bound_counts_what_is_selected(wanted: Inputs, digits: Source) -> None:
    rows = len(Dataset(wanted, digits).selection.identifiers)
    height, width = wanted.config.size or (0, 0)

    counted = bounds.pixels(wanted, digits)

    # A pinned sample can be one of those that are drawn.
    pinned = len(wanted.curation.decisions) * height * width
    assert rows * height * width <= counted <= rows * height * width + pinned


@pytest.mark.parametrize("size", [None, 8])
def test_what_keeps_its_size_has_no_bound(digits: Source, size: int | None) -> None:
    assert bounds.pixels(inputs(image_size=size), digits) == 0


def test_a_team_can_have_many_photos() -> None:
    labels = np.array(["3", "5"] * 10_000)
    photos = cast(Source, SimpleNamespace(name="photos", labels=labels, shape=None))
    wanted = inputs(image_size=512, samples="all", test_size=0.2)

    assert bounds.pixels(wanted, photos) == 20_000 * 512 * 512 * 3
    assert not [*bounds.problems_of(wanted, photos)]


@pytest.mark.parametrize("verb", ["validate", "plan", "build"])
def test_too_many_large_images_are_refused_on_their_line_before_one_is_resized(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    repository.configure(config_text(samples=10, image_size=64))
    monkeypatch.setattr(bounds, "MAX_PIXELS", 20 * 64 * 64 - 1)
    monkeypatch.setattr(resized, "resize", None)

    result = run(verb)

    assert result.code == 1
    assert result.err == (
        "dataset_config.yaml:6:13: image_size: 20 images of 64 x 64 pixels have 81,920 bytes; at"
        " most 81,919 are allowed. Choose a smaller image_size, or fewer samples\n"
    )


def test_what_is_not_selected_does_not_count(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.configure(config_text(samples=10, image_size=64))
    monkeypatch.setattr(bounds, "MAX_PIXELS", 20 * 64 * 64)

    assert run("validate").code == 0
