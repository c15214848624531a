"""Splits and labels from paths: `LABEL/FILE`, `SPLIT/LABEL/FILE`, or a part of each file's name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from scripts.errors import UserError
from scripts.ingest import names, patterns
from scripts.ingest.options import NAME, PARENT, PATH

# Folders that a note names.
MAX_BESIDE = 3

# Returns the label that a path says; raises `UserError` where it says none.
Labeling = Callable[[PurePosixPath], str]


@dataclass(frozen=True)
class FolderLayout:
    """The folders around all images, and whether the next ones are splits.

    `not_splits` are those that are called like splits, and `beside` the ones because of which they
    are none.
    """

    around: tuple[str, ...]
    has_splits: bool
    not_splits: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def described(self, form: str) -> str:
        """Return `form`, such as `LABEL/FILE`, with the folders around it."""
        form = f"SPLIT/{form}" if self.has_splits else form
        return f"{form} in {'/'.join(self.around)}/" if self.around else form

    @property
    def notes(self) -> list[str]:
        """What is said of folders that are probably splits."""
        if not self.beside:
            return []
        more = ", ..." if len(self.beside) > MAX_BESIDE else ""
        return [
            f"no splits: {', '.join(self.not_splits)} are beside other folders"
            f" ({', '.join(self.beside[:MAX_BESIDE])}{more}), so they are not taken for splits"
        ]

    def split(self, path: PurePosixPath) -> str | None:
        """Return the split of an image, None where there are none.

        Raises `UserError` for an image beside the folders of the splits.
        """
        if not self.has_splits:
            return None
        split = names.split_of(path.parts[len(self.around)])
        if split is None or len(path.parts) == len(self.around) + 1:
            raise UserError("it is in none of the folders of the splits")
        return split

    def folders(self, path: PurePosixPath) -> tuple[str, ...]:
        """Return the folders of an image that can be its label."""
        return path.parts[len(self.around) + self.has_splits : -1]


def layout_of(paths: Sequence[PurePosixPath], labels: int) -> FolderLayout:
    """Return the layout of images, each in so many folders that can be its `labels` at least.

    A folder around all of them does not count. Where all of the top folders are called like splits
    and have folders, these are splits.
    """
    images = [path.parts for path in paths]
    deepest = max(map(len, images), default=0)
    around: list[str] = []
    while (top := _common(images)) and deepest - len(around) > labels + 1:
        around.append(top)
        images = [parts[1:] for parts in images]
    tops = {parts[0] for parts in images if len(parts) > 1}
    splits = sorted(top for top in tops if names.split_of(top))
    others = sorted(tops.difference(splits))
    has_folders = any(len(parts) > labels + 1 for parts in images)
    if has_folders and others and len({*map(names.split_of, splits)}) > 1:
        return FolderLayout(tuple(around), False, tuple(splits), tuple(others))
    return FolderLayout(tuple(around), bool(splits) and not others and has_folders)


def _common(images: Sequence[Sequence[str]]) -> str | None:
    """Return the folder that all images are in, if there is one and it is not a split."""
    tops = {parts[0] for parts in images}
    is_one = len(tops) == 1 and all(len(parts) > 1 for parts in images)
    top = next(iter(tops)) if is_one else None
    return None if top is None or names.split_of(top) else top


def outermost(layout: FolderLayout) -> str:
    """Return the pattern of which the label is the outermost folder; the next one is metadata."""
    before = len(layout.around) + layout.has_splits
    return (
        "^" + (f"(?:[^/]+/){{{before}}}" if before else "") + "(?P<label>[^/]+)/(?P<folder>[^/]+)/"
    )


def labels_needed(how: str | None) -> int:
    """Return in how many folders an image must be for its label."""
    if how and how.startswith(NAME):
        return 0
    return 2 if how == PATH else 1


def labeling(layout: FolderLayout, how: str | None) -> tuple[Labeling, str]:
    """Return how paths become labels, and that in words.

    `how` is `parent`, `path` or `name:PATTERN`, otherwise the only folder is the label.
    """
    if how == PARENT:
        return lambda path: names.label(_folders(layout, path)[-1]), ".../LABEL/FILE"
    if how == PATH:
        return lambda path: names.label("/".join(_folders(layout, path))), "LABEL/.../FILE"
    if how:
        return patterns.parse(how).label, f"FILE ({how})"
    return lambda path: names.label(_only(layout, path)), "LABEL/FILE"


def _folders(layout: FolderLayout, path: PurePosixPath) -> tuple[str, ...]:
    found = layout.folders(path)
    if not found:
        raise UserError("it is in no folder that could be its label")
    return found


def _only(layout: FolderLayout, path: PurePosixPath) -> str:
    found = layout.folders(path)
    form = layout.described("LABEL/FILE")
    if len(found) > 1:
        raise UserError(
            f"it is in deeper folders than {form}; --label {PARENT} takes the innermost one,"
            f" --label {PATH} all of them"
        )
    if not found:
        raise UserError(f"it is in no class folder; expected {form}")
    return found[0]
