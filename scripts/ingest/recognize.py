"""Recognizes how images and labels are arranged at a location, before any image is read."""

from scripts.errors import UserError
from scripts.ingest import (
    beside,
    doubts,
    folders,
    idx,
    image_files,
    labeled_table,
    names,
    parquet_images,
    patterns,
)
from scripts.ingest.arrangement import Arrangement, Listing
from scripts.ingest.image_files import PlacedFile
from scripts.ingest.locations import ARCHIVES, LocatedFile
from scripts.ingest.options import IN_WORDS, NAME
from scripts.ingest.patterns import NamePattern

FORM = "LABEL/FILE"


def recognize(listing: Listing) -> Arrangement:
    """Return how the files of a location are arranged; problems of single files are noted.

    Raises `UserError` where something is probably wrong, or has to be said, with the commands that
    say it.
    """
    options = listing.request.options
    if options.table:
        with labeled_table.named(listing) as (location, tables):
            return labeled_table.arrange(listing, location, tables)
    if _has_parquet_images(listing):
        return parquet_images.arrange(listing)
    if tables := labeled_table.conventional(listing):
        return labeled_table.arrange(listing, listing.location, tables)
    _refuse_columns(listing)
    if not listing.images:
        if pairs := idx.pairs(listing.files):
            return idx.arrange(listing, pairs)
        raise UserError(_nothing(listing))
    if options.label is None:
        beside.check(listing)
    return _by_path(listing)


def _by_path(listing: Listing) -> Arrangement:
    """Return the arrangement of images whose paths say their labels."""
    how = listing.request.options.label
    paths = [file.path for file in listing.images]
    layout = folders.layout_of(paths, folders.labels_needed(how))
    if how is None:
        doubts.check_depth(listing, layout)
    label_of, form = folders.labeling(layout, how)

    def place(file: LocatedFile) -> PlacedFile:
        return PlacedFile(file, layout.split(file.path), label_of(file.path))

    pattern = _pattern(listing)

    placed = image_files.each(listing, listing.images, place)
    if how is None and placed:
        doubts.check_classes(listing, placed)
    if all(len(layout.folders(one.path)) == 1 for one in placed) and not pattern:
        form = FORM
    return image_files.arrangement(
        listing,
        layout.described(form),
        placed,
        metadata=lambda one: pattern.metadata(one.path) if pattern else {},
        notes=[
            *layout.notes,
            *labeled_table.notes(pattern.others if pattern else [], [], listing.request.options),
        ],
    )


def _pattern(listing: Listing) -> NamePattern | None:
    """Return the pattern that finds labels in names, None where there is none."""
    how = listing.request.options.label_from_path
    return patterns.parse(how) if how and how.startswith(NAME) else None


def _has_parquet_images(listing: Listing) -> bool:
    """Return whether images are in Parquet files, rather than beside them."""
    found = [file for file in listing.files if names.is_parquet(file.path)]
    if not listing.images:
        return bool(found)
    return any(parquet_images.has_images(listing.location, file) for file in found)


def _refuse_columns(listing: Listing) -> None:
    """Raise `UserError` for options that name columns where there is no table."""
    pattern = _pattern(listing)
    for option, column in listing.request.options.columns.items():
        if option == "group" and pattern and column in pattern.others:
            continue
        others = f", or one of {IN_WORDS}" if option == "label" else ""
        raise UserError(
            f"--{option} {column} names a column, but {listing.request.address} has no table that"
            f" is known. Name one with --table FILE{others}"
        )


def _nothing(listing: Listing) -> str:
    paths = [file.path for file in listing.files]
    passed = f"; passed over: {names.endings(paths)}" if paths else ""
    archives = [path for path in paths if path.name.lower().endswith(ARCHIVES)]
    hint = f". Ingest an archive by its own path, such as {archives[0]}" if archives else ""
    return f"{listing.request.address}: there are no images{passed}{hint}"
