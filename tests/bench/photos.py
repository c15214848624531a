"""Ingest and plan of your own photos, in processor time, which other work does not change."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tests.bench.document import Row
from tests.bench.repositories import PROJECT, PYTHON, Here, git, run

PHOTOS, SIDE, CLASSES = 2_800, 400, 7
CONFIG = "source: photos\nclass: all\nsamples: all\ntest_size: 0.2\n"
# Areas of one color, of these sizes; their levels add up.
AREAS = {100: 120, 25: 60, 5: 24, 1: 12}
# The least that an ingest has to do: each image is decoded, its file and its pixels are hashed.
DECODE = """\
import hashlib, os, pathlib, sys
from concurrent.futures import ThreadPoolExecutor
from scripts.inputs import images

def decode(file):
    content = file.read_bytes()
    hashlib.sha256(content).digest(), hashlib.md5(content).digest()
    hashlib.sha256(images.read(content).pixels.tobytes()).digest()

with ThreadPoolExecutor(os.cpu_count()) as pool:
    list(pool.map(decode, pathlib.Path(sys.argv[1]).rglob("*.jpg")))
"""


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
    decoded = run(PROJECT, [PYTHON, "-c", DECODE, str(place / "jpeg")])
    ingested = here.verbs(f"ingest photos {place / 'jpeg'}")
    planned = here.verbs("plan")
    here.remove()
    of = f"of {PHOTOS:,} photos of {SIDE} x {SIDE}, processor time"
    for label, limit, cost in (
        (f"ingest {of}; by hand: decoding and hashing alone", decoded, ingested),
        (f"plan {of}", None, planned),
    ):
        per_second = f"{PHOTOS / cost.processor:.0f} images in a second"
        if limit:
            per_second += f", {PHOTOS / limit.processor:.0f} by hand"
        print(
            f"{label}: {cost.processor:.2f} s, {per_second}, {cost.memory:.0f} MiB",
            file=sys.stderr,
        )
        yield Row(
            label,
            limit.processor if limit else None,
            cost.processor,
            limit.memory if limit else None,
            cost.memory,
        )


def _photo(number: int) -> Image.Image:
    random = np.random.default_rng(number)
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    for size, levels in AREAS.items():
        areas = random.integers(0, levels, (SIDE // size, SIDE // size, 3), np.uint8)
        pixels += areas.repeat(size, axis=0).repeat(size, axis=1)
    return Image.fromarray(pixels)
