"""What names say: which files are images, which folders are splits, and what can be a label."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath

from scripts.errors import UserError
from scripts.inputs.config import TEST, TRAIN, VALIDATION

IMAGES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
}
PARQUET = ".parquet"
SPLITS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
# Words that say nothing about an image, so no class is called like them.
GENERAL = {
    *("image", "images", "img", "imgs", "jpegimages", "photo", "photos", "picture", "pictures"),
    *("pic", "pics", "png", "jpg", "jpeg", "file", "files", "data", "dataset", "set", "sample"),
    *("samples", "all", "raw", "original", "originals", "folder", "split"),
}
# Control characters, halves of characters, and separators of lines.
UNREADABLE = {"Cc", "Cs", "Zl", "Zp"}


def is_image(path: PurePosixPath) -> bool:
    """Return whether the ending of a name is that of an image."""
    return path.suffix.lower() in IMAGES


def is_parquet(path: PurePosixPath) -> bool:
    """Return whether the ending of a name is that of a Parquet file."""
    return path.suffix.lower() == PARQUET


def split_of(name: str) -> str | None:
    """Return the split that is called `name`, in any case; None where it is none."""
    return SPLITS.get(name.strip().lower())


def valid_split(column: str, text: str | None) -> str:
    """Return the split that a value of a column names; raises `UserError` where it names none."""
    split = split_of(text or "")
    if split is None:
        raise UserError(f"its {column} is {text!r}, which is no name of a split")
    return split


def is_like_split(name: str) -> bool:
    """Return whether a name has a split and nothing else that means something: `train2017`."""
    words = words_of(name)
    return any(word in SPLITS for word in words) and is_general(name)


def is_general(name: str) -> bool:
    """Return whether a name says nothing about the images: `images`, `data`, `train2017`."""
    return all(word in GENERAL or word in SPLITS for word in words_of(name))


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case, without numbers."""
    return re.findall(r"[^\W\d_]+", name.lower())


@lru_cache(maxsize=10_000)
def label(text: str) -> str:
    """Return the label that `text` is, in NFC.

    Raises `UserError` where a person could not read it.
    """
    text = unicodedata.normalize("NFC", text.strip())
    if not text:
        raise UserError("its label is empty")
    if any(unicodedata.category(character) in UNREADABLE for character in text):
        raise UserError(f"its label {text!r} has control characters")
    return text


def endings(paths: Iterable[PurePosixPath]) -> str:
    """Return how many of `paths` have each ending, as in `364 .xml, 6 .py`."""
    found = Counter(path.suffix.lower() or "without ending" for path in paths)
    ordered = sorted(found.items(), key=lambda one: (-one[1], not one[0].startswith("."), one[0]))
    return ", ".join(f"{number:,} {ending}" for ending, number in ordered)
