"""The plan of your own photos, in processor time: other work on the machine does not count."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tests.bench.document import Row
from tests.bench.repositories import Here, git

PHOTOS, SIDE, CLASSES = 2_800, 400, 7
CONFIG = "source: photos\nclass: all\nsamples: all\ntest_size: 0.2\n"
# Areas of one color, of these sizes; their levels add up.
AREAS = {100: 120, 25: 60, 5: 24, 1: 12}


def measure(place: Path) -> Iterator[Row]:
    """Yield the rows of the page; the photos are made in `place`."""
    here = Here(place / "photos", None)
    # An ingest fetches main.
    (here.root / "dataset_config.yaml").write_text(CONFIG)
    git(here.root, "add", "--all")
    git(here.root, "commit", "--quiet", "--message", "Begin")
    git(here.root, "push", "--quiet", "origin", "HEAD:main")
    for number in range(PHOTOS):
        file = place / "jpeg" / f"class{number % CLASSES}" / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        _photo(number).save(file, quality=90)
    ingested = here.verbs(f"ingest photos {place / 'jpeg'}")
    planned = here.verbs("plan")
    here.remove()
    for verb, cost in (("ingest", ingested), ("plan", planned)):
        label = f"{verb} of {PHOTOS:,} photos of {SIDE} x {SIDE}, processor time"
        print(f"{label}: {cost.processor:.2f} s, {cost.memory:.0f} MiB", file=sys.stderr)
        yield Row(label, None, cost.processor, None, cost.memory)


def _photo(number: int) -> Image.Image:
    random = np.random.default_rng(number)
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    for size, levels in AREAS.items():
        areas = random.integers(0, levels, (SIDE // size, SIDE // size, 3), np.uint8)
        pixels += areas.repeat(size, axis=0).repeat(size, axis=1)
    return Image.fromarray(pixels)
