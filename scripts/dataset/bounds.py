"""Limits for the number and size of resized images."""

import math
from collections import Counter
from collections.abc import Iterator

from scripts.dataset.folders import folders_of
from scripts.inputs.config import SPLITS
from scripts.inputs.problems import Problem
from scripts.inputs.reader import Inputs
from scripts.sources.source import Source

# Bytes of the pixels of all resized images: more than a million RGB images of 256 x 256.
MAX_PIXELS = 256 * 1024**3
# The default if the colors of a source are unknown before its images are read.
COLORS = 3


def problems_of(inputs: Inputs, source: Source) -> Iterator[Problem]:
    """Yield a problem if the resized images would be too large."""
    config, total = inputs.config, pixels(inputs, source)
    if config.size is None or total <= MAX_PIXELS:
        return
    height, width = config.size
    message = (
        f"image_size: {_images(inputs, source):,} images of {width:,} x {height:,} pixels have"
        f" {total:,} bytes; at most {MAX_PIXELS:,} are allowed. Choose a smaller image_size, or "
        f"fewer"
        " samples"
    )
    yield config.problem(("image_size",), message)


def pixels(inputs: Inputs, source: Source) -> int:
    """Return an upper limit of the bytes of all resized images; 0 without `image_size`.

    No image is read or resized.
    """
    size, shape = inputs.config.size, source.shape
    if size is None or (shape or ())[:2] == size:
        return 0
    colors = math.prod(shape[2:]) if shape else COLORS
    return math.prod(size) * colors * _images(inputs, source)


def _images(inputs: Inputs, source: Source) -> int:
    """Return an upper limit of the number of selected images of `source`."""
    config, available = inputs.config, Counter(source.labels.tolist())
    taken = sum(decision.action in SPLITS for decision in inputs.curation.decisions)
    for name, labels in folders_of(config, source)[0].values():
        there = sum(available[label] for label in labels)
        taken += min(sum(config.sizes(name, there)), there)
    return min(taken, len(source.labels))
