"""What is probably wrong with labels from folders: asked for, with the commands that answer."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from scripts.errors import UserError
from scripts.ingest import names, patterns
from scripts.ingest.arrangement import Listing, classes_in_words
from scripts.ingest.folders import FolderLayout, outermost
from scripts.ingest.image_files import PlacedFile
from scripts.ingest.options import NAME, PARENT, PATH

# Fewer classes of one file each may be just a few more images.
MIN_SINGLE = 5
MASKS = {
    *("mask", "masks", "segmentation", "segmentations", "segmentationclass", "segmentationobject"),
    *("annotation", "annotations", "annot", "gt", "groundtruth", "trimap", "trimaps", "seg"),
    *("label", "labels"),
}
# `1_mask.png` beside `1.png`, and `1_mask_2.png` too.
MASK_OF = re.compile(rf"(.+)[-_ ](?:{'|'.join(sorted(MASKS))})(?:[-_ ]?\d+)?")
# Few names have a part of these words: that is fast to see.
IN_MASKS = ("mask", "seg", "annot", "gt", "truth", "trimap", "label")
PARTS = re.compile(r"[^\W\d_]+|\d+")
# The share of masks that must have an image with the same name.
MOST = 0.5


def check_depth(listing: Listing, layout: FolderLayout) -> None:
    """Raise `UserError` where most images are in no folder, or in deeper ones."""
    paths = [file.path for file in listing.images]
    depths = Counter(min(len(layout.folders(path)), 2) for path in paths)
    request = listing.request
    example = _example(paths, layout, 0 if 2 * depths[0] > len(paths) else 2)
    if 2 * depths[0] > len(paths):
        raise UserError(
            f"{request.address} has its images in no class folders, such as {example}, so say what"
            f" their labels are.{patterns.advice(request, paths)}\nWith labels from a table:"
            f"{request.command(table='FILE', file='COLUMN', label='COLUMN')}"
        )
    if 2 * depths[2] > len(paths):
        folders = layout.folders(example)
        raise UserError(
            f"{request.address} has its images in deeper folders than"
            f" {layout.described('LABEL/FILE')}, such as {example}, so say which folder is the"
            f" label. The innermost one ({folders[-1]}):{request.command(label=PARENT)}\nThe"
            f" outermost one ({folders[0]}), and the next one ({folders[1]}) as metadata:"
            f"{request.command(label=NAME + outermost(layout))}\nAll of them"
            f" ({'/'.join(folders)}):{request.command(label=PATH)}"
        )


def _example(paths: Sequence[PurePosixPath], layout: FolderLayout, depth: int) -> PurePosixPath:
    return next((path for path in paths if min(len(layout.folders(path)), 2) == depth), paths[0])


def check_classes(listing: Listing, placed: Sequence[PlacedFile]) -> None:
    """Raise `UserError` for labels that are probably something else."""
    classes: Counter[str | None] = Counter(one.label for one in placed)
    labels = [str(label) for label in classes]
    reason = (
        _of_splits(labels)
        or _of_masks(placed)
        or _single_class(listing, classes, has_splits=any(one.split for one in placed))
        or _class_for_each_file(listing, classes)
    )
    if reason:
        request = listing.request
        raise UserError(
            f"{request.address} would have {'this class' if len(labels) == 1 else 'these classes'}:"
            f" {classes_in_words(classes)} (such as {placed[0].path}). {reason}. If the folders are"
            f" the labels all the same:{request.command(label=PARENT)}"
            f"{patterns.advice(request, [one.path for one in placed])}\nWith labels from a table:"
            f"{request.command(table='FILE', file='COLUMN', label='COLUMN')}"
        )


def _of_splits(labels: Sequence[str]) -> str | None:
    is_so = labels and all(map(names.is_like_split, labels))
    return "They are called like splits, not like classes" if is_so else None


def _of_masks(placed: Sequence[PlacedFile]) -> str | None:
    """Return what to say where some images are masks of others."""
    stems: dict[str, set[str]] = defaultdict(set)
    endings: dict[str, set[str]] = defaultdict(set)
    for one in placed:
        stems[str(one.label)].add(one.path.stem.lower())
        endings[str(one.label)].add(one.path.suffix.lower())
    for mask, of_mask in stems.items():
        if not {*names.words_of(mask), mask.lower()} & MASKS:
            continue
        for other in stems.keys() - {mask}:
            is_other = names.is_general(other) or not endings[other] & endings[mask]
            images = {_image_of(stem) for stem in stems[other]} - {""}
            shared = sum(_image_of(stem) in images for stem in of_mask)
            if is_other and shared > MOST * len(of_mask):
                return (
                    f"The folder {mask} probably has masks of the images in {other}, by the names"
                    " of their files. Masks are not supported yet; ingest the images from a"
                    " location without them"
                )
    beside = sum(map(_masks_among, stems.values()))
    if beside > MOST * len(placed) / 2:
        return (
            f"{beside:,} files are probably masks of others, by their names. Masks are not"
            " supported yet; ingest the images from a location without them"
        )
    return None


def _masks_among(stems: Collection[str]) -> int:
    """Return how many of the files in one folder are masks of others there."""
    masks = {stem for stem in stems if any(part in stem for part in IN_MASKS) and _is_mask(stem)}
    images = {_image_of(stem) for stem in stems if stem not in masks} - {""} if masks else set()
    return sum(_image_of(stem) in images for stem in masks)


def _is_mask(stem: str) -> bool:
    return not MASKS.isdisjoint(PARTS.findall(stem))


def _image_of(stem: str) -> str:
    """Return what the names of an image and its masks share: `1` of `1_image` and `1_mask`."""
    found = MASK_OF.fullmatch(stem)
    parts = PARTS.findall(found[1] if found else stem)
    return " ".join(part for part in parts if part not in MASKS and part not in names.GENERAL)


def _single_class(
    listing: Listing, classes: Counter[str | None], *, has_splits: bool
) -> str | None:
    """Return what to say of one class for everything.

    It is fine where the source has classes already, or where it is below folders of splits, unless
    its name says nothing. A single folder is more often what everything is in.
    """
    if len(classes) != 1:
        return None
    (label,) = classes
    is_meant = (listing.request.known or has_splits) and not names.is_general(str(label))
    if is_meant or label in listing.request.known:
        return None
    return "One class for everything is probably not what you want"


def _class_for_each_file(listing: Listing, classes: Counter[str | None]) -> str | None:
    is_each = len(classes) >= MIN_SINGLE and set(classes.values()) == {1}
    is_known = classes.keys() <= {*listing.request.known}
    return "Each file would be a class of its own" if is_each and not is_known else None
