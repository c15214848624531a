"""Additions: a few of your own images, kept in git below `additions/`."""

import hashlib
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple

from scripts.inputs import images, stored
from scripts.inputs.config import SPLITS, Config, Split
from scripts.inputs.images import ImageError, Picture, Pixels
from scripts.inputs.paths import ADDITIONS_FOLDER, IMAGE_SUFFIXES, is_image_name
from scripts.inputs.problems import START, Problem
from scripts.inputs.tree import shown
from scripts.inputs.values import MetadataValue

MAX_FILES = 1_000
# Bytes of one file, and of all.
MAX_FILE = 8 * 1024 * 1024
MAX_TOTAL = 64 * 1024 * 1024
# Bytes of all pixels: a small file can contain a very large image.
MAX_PIXELS = 512 * 1024 * 1024
# additions/<split>/<label>/<name>
PARTS = 4
USE_A_SOURCE = "For more, make a custom source: python -m scripts ingest"


NO_METADATA: Mapping[str, MetadataValue] = {}


class Addition(NamedTuple):
    """One image: where it lies in the repository, its split and label, its pixels and its file.

    The pixels have the size that the config gives all images; `original` is the SHA-256 of those
    before resizing. `ending` is that of the file, by its content. `metadata` are the values of the
    table by column.
    """

    path: str
    split: Split
    label: str
    pixels: Pixels
    original: bytes
    content: bytes
    ending: str
    metadata: Mapping[str, MetadataValue] = NO_METADATA

    @property
    def digest(self) -> bytes:
        """The SHA-256 of its pixels."""
        return _digest(self.pixels)

    @property
    def identifier(self) -> str:
        """Its identifier, the name of its file in the dataset."""
        return identifier(self.pixels)

    @property
    def name(self) -> str:
        """Its path below `additions/`."""
        return self.path.removeprefix(f"{ADDITIONS_FOLDER}/")

    def problem(self, message: str) -> Problem:
        """Return a problem with it."""
        return problem(self.path, message)


def too_large(sizes: Mapping[str, int]) -> list[Problem]:
    """Return the problems of the number and the sizes (in bytes, by path) of files."""
    if len(sizes) > MAX_FILES:
        message = f"it holds {len(sizes):,} files; at most {MAX_FILES:,} are allowed"
        return [problem(ADDITIONS_FOLDER, f"{message}. {USE_A_SOURCE}")]
    problems = [
        problem(path, f"it has {size:,} bytes; at most {MAX_FILE:,} are allowed. {USE_A_SOURCE}")
        for path, size in sizes.items()
        if size > MAX_FILE
    ]
    if (total := sum(sizes.values())) > MAX_TOTAL:
        message = f"it holds {total:,} bytes; at most {MAX_TOTAL:,} are allowed"
        problems.append(problem(ADDITIONS_FOLDER, f"{message}. {USE_A_SOURCE}"))
    return problems


def parse(
    files: Iterable[tuple[str, bytes]], config: Config | None
) -> tuple[list[Addition], list[Problem]]:
    """Return the additions in `files` (path and content) that are valid, and every problem.

    Images are resized to the size in `config`, which is None if too much of it is invalid.
    """
    found: list[Addition] = []
    problems: list[Problem] = []
    paths: dict[tuple[tuple[int, ...], str], str] = {}
    total = 0
    for path, content in files:
        place, wrong = _place(path, config)
        try:
            picture = _decoded(content)
            decoded = picture.pixels
            pixels = images.resize(decoded, config.size) if config and config.size else decoded
        except ImageError as error:
            wrong.append(str(error))
        else:
            total += pixels.nbytes
            earlier = paths.setdefault((pixels.shape, identifier(pixels)), path)
            if earlier != path:
                wrong.append(f"it has the same pixels as {shown(earlier)}; remove one of them")
            if place and not wrong:
                file = content, picture.ending
                found.append(Addition(path, *place, pixels, _digest(decoded), *file))
        problems += [problem(path, message) for message in wrong]
        if total > MAX_PIXELS:
            message = f"its images have more than {MAX_PIXELS:,} bytes of pixels"
            return [], [*problems, problem(ADDITIONS_FOLDER, f"{message}. {USE_A_SOURCE}")]
    return sorted(found, key=attrgetter("digest")), problems


def problem(path: str, message: str) -> Problem:
    """Return a problem with the file at `path`."""
    return Problem(shown(path), START, message)


def identifier(pixels: Pixels) -> str:
    """Return the identifier of an addition with these pixels."""
    return f"x{_digest(pixels).hex()[:16]}"


def _digest(pixels: Pixels) -> bytes:
    return hashlib.sha256(pixels.tobytes()).digest()


def _decoded(content: bytes) -> Picture:
    if stored.is_pointer(content):
        raise ImageError(stored.POINTER)
    # Versions of older machinery have these colors.
    return images.read(content, in_srgb=False)


def _place(path: str, config: Config | None) -> tuple[tuple[Split, str] | None, list[str]]:
    """Return the split and label in `path`, and its problems."""
    parts = path.split("/")
    if len(parts) != PARTS:
        form = f"{ADDITIONS_FOLDER}/SPLIT/LABEL/NAME"
        return None, [f"expected {form}, such as {ADDITIONS_FOLDER}/train/3/one.png"]
    _, named, label, name = parts
    split = next((split for split in SPLITS if split == named), None)
    wrong = []
    if split is None:
        wrong.append(f"unknown split; expected {', '.join(SPLITS[:-1])} or {SPLITS[-1]}")
    elif config and split not in config.splits:
        wrong.append(f"there is no {split} set; add {split}_size to the config")
    if not is_image_name(name):
        *others, last = IMAGE_SUFFIXES
        wrong.append(f"the name must end in {', '.join(others)} or {last}")
    return (split, label) if split else None, wrong
