"""How files are arranged in class folders: `label/file`, or `train/label/file`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from scripts.ingest.findings import Findings
from scripts.inputs.config import TEST, TRAIN
from scripts.inputs.paths import IMAGE_SUFFIXES

SUFFIXES = {*IMAGE_SUFFIXES}
OWN_SPLITS = {TRAIN, TEST}
# What others call sets that a source does not have.
OTHER_SPLITS = {"validation", "valid", "val", "dev"}
NO_OTHER_SPLIT = (
    "a source has train and test sets only. Put these images into train: validation_size takes a"
    " validation set from them"
)
EXPECTED = "expected LABEL/FILE, or train/LABEL/FILE and test/LABEL/FILE"


@dataclass(frozen=True)
class Layout:
    """What is recognized: folders around everything, and whether the next one names a split."""

    around: tuple[str, ...]
    has_splits: bool

    def __str__(self) -> str:
        """Say it in words."""
        form = "train/LABEL/FILE and test/LABEL/FILE" if self.has_splits else "LABEL/FILE"
        return f"{form} in {'/'.join(self.around)}/" if self.around else form

    def place(self, path: PurePosixPath) -> tuple[str | None, str] | None:
        """Return the split and the label of a file, None where it is not in a class folder."""
        parts = path.parts[len(self.around) :]
        if path.parts[: len(self.around)] != self.around or len(parts) != 2 + self.has_splits:
            return None
        return (parts[0], parts[1]) if self.has_splits else (None, parts[0])


def recognize(paths: Iterable[PurePosixPath]) -> Layout:
    """Return how the images among `paths` are arranged.

    A folder around all of them does not count. Where all of the top folders are called `train` or
    `test` and have folders, these are splits; otherwise the top folders are labels.
    """
    images = [path.parts for path in paths if path.suffix.lower() in SUFFIXES]
    around: list[str] = []
    while (top := _common(images)) and max(map(len, images)) > 2:  # noqa: PLR2004 - label/file
        around.append(top)
        images = [parts[1:] for parts in images]
    tops = {parts[0] for parts in images if len(parts) > 1}
    has_folders = any(len(parts) > 2 for parts in images)  # noqa: PLR2004 - split/label/file
    is_split = bool(tops & OWN_SPLITS) and tops <= OWN_SPLITS | OTHER_SPLITS
    return Layout(tuple(around), has_splits=is_split and has_folders)


def problem(layout: Layout, path: PurePosixPath) -> str | None:
    """Return what is wrong with the place of the file at `path`, if anything is.

    Files that are no images and lie outside of the class folders do not matter.
    """
    place = layout.place(path)
    if place is None:
        is_inside = len(path.parts) > len(layout.around) + 1 + layout.has_splits
        return EXPECTED if is_inside or path.suffix.lower() in SUFFIXES else None
    return NO_OTHER_SPLIT if layout.has_splits and place[0] not in OWN_SPLITS else None


def check(layout: Layout, paths: Iterable[PurePosixPath], problems: Findings) -> list[str]:
    """Note which of `paths` are in the wrong place; return those that do not matter."""
    others = []
    for path in paths:
        if message := problem(layout, path):
            problems.add(str(path), message)
        elif layout.place(path) is None:
            others.append(str(path))
    return others


def _common(images: Sequence[Sequence[str]]) -> str | None:
    """Return the folder that all images are in, if there is one and it is not a split."""
    tops = {parts[0] for parts in images if len(parts) > 1}
    is_one = len(tops) == 1 and all(len(parts) > 1 for parts in images)
    top = next(iter(tops)) if is_one else None
    return None if top in OWN_SPLITS else top
