"""Parquet files as Hugging Face writes them: a column with images, others with what they are."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from scripts.errors import UserError
from scripts.ingest import labeled_table, names
from scripts.ingest.arrangement import Arrangement, ExampleImage, Listing, Place, spread
from scripts.ingest.labeled_image import LabeledImage
from scripts.ingest.locations import LocatedFile, Location
from scripts.ingest.parquet_columns import ColumnsError, ImageColumns, columns_of, image_column
from scripts.inputs import values
from scripts.inputs.images import MAX_BYTES

ROWS_AT_ONCE = 256
# `train-00000-of-00002.parquet` or `train.parquet`
SPLIT = re.compile(r"([a-z]+)[-.]")
BESIDE = "an image beside Parquet files with images; ingest one of both by itself"


@dataclass(frozen=True)
class PlacedParquet:
    """A Parquet file, the split that its name says, and its columns."""

    file: LocatedFile
    split: str | None
    columns: ImageColumns

    def place(self, row: Mapping[str, Any]) -> Place:
        """Return the split and the label of a row; raises `UserError` where they are not valid."""
        split = self.split
        if self.columns.split:
            text = values.text_of(row[self.columns.split])
            split = names.valid_split(self.columns.split, text)
        return split, self.columns.label_of(row[self.columns.label])


def has_images(location: Location, file: LocatedFile) -> bool:
    """Return whether a Parquet file has a column with images."""
    try:
        with location.spool(file) as opened:
            return image_column(parquet.read_schema(opened)) is not None
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError):
        return False


def arrange(listing: Listing) -> Arrangement:
    """Return what the Parquet files of a location hold, and note what is wrong with them.

    Raises `UserError` where it is not known which column is the label.
    """
    paths = [file.path for file in listing.files]
    files = [file for file in listing.files if names.is_parquet(file.path)]
    for file in listing.images:
        listing.problems.add(str(file.path), BESIDE)
    counts: Counter[Place] = Counter()
    examples: list[ExampleImage] = []
    files = _with_splits(listing, files)
    placed = [one for file in files if (one := _placed(listing, file, counts, examples))]
    if not placed:
        listing.problems.refuse(listing.request.address)
    first = placed[0].columns
    form = f"Parquet files with {first.image} and {first.label}"
    options = listing.request.options
    return Arrangement(
        form,
        counts,
        spread(examples),
        [path for path in paths if not names.is_parquet(path) and not names.is_image(path)],
        lambda: _read(listing, placed),
        labeled_table.notes(first.metadata, first.dropped, options),
    )


def _with_splits(listing: Listing, files: Sequence[LocatedFile]) -> list[LocatedFile]:
    """Return those of `files` whose names say a split, if any does, and note the others."""
    splits = sorted({split for file in files if (split := split_of(file))})
    if not splits or listing.request.options.split:
        return [*files]
    message = f"its name does not begin with {' or '.join(splits)}, as others do"
    for file in files:
        if split_of(file) is None:
            listing.problems.add(str(file.path), message)
    return [file for file in files if split_of(file)]


def split_of(file: LocatedFile) -> str | None:
    """Return the split that the name of a file says, or a folder of it; None where none does."""
    found = SPLIT.match(file.path.name.lower())
    said = [found[1] if found else "", *reversed(file.path.parts[:-1])]
    return next((split for name in said if (split := names.split_of(name))), None)


def _placed(
    listing: Listing, file: LocatedFile, counts: Counter[Place], examples: list[ExampleImage]
) -> PlacedParquet | None:
    """Return what is known of a file, and count its labels; None where it cannot be read."""
    found: list[tuple[str, Place]] = []
    problems: list[tuple[str, str]] = []
    try:
        with listing.location.spool(file) as opened:
            table = parquet.ParquetFile(opened)
            columns = columns_of(table, listing.request)
            made = PlacedParquet(file, split_of(file), columns)
            for number, row in _rows(table, columns.places):
                where = f"{file.path} row {number}"
                try:
                    found.append((where, made.place(row)))
                except UserError as error:
                    problems.append((where, str(error)))
    except MemoryError:
        raise  # one of pyarrow's is one of the next kinds too
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        listing.problems.add(str(file.path), f"it is not a Parquet file, or damaged ({reason})")
        return None
    except ColumnsError as error:
        listing.problems.add(str(file.path), str(error))
        return None
    for where, message in problems:
        listing.problems.add(where, message)
    counts.update(place for _, place in found)
    examples.extend(spread(ExampleImage(where, place) for where, place in found))
    return made


def _read(listing: Listing, placed: Sequence[PlacedParquet]) -> Iterator[LabeledImage]:
    """Yield the images; rows whose label or split is not valid are noted already."""
    for one in placed:
        try:
            with listing.location.spool(one.file) as opened:
                table = parquet.ParquetFile(opened)
                for number, row in _rows(table, one.columns.all):
                    yield from _image(listing, one, f"{one.file.path} row {number}", row)
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            listing.problems.add(str(one.file.path), f"it is damaged ({reason})")


def _image(
    listing: Listing, one: PlacedParquet, where: str, row: Mapping[str, Any]
) -> Iterator[LabeledImage]:
    try:
        split, label = one.place(row)
    except UserError:
        return
    value = row[one.columns.image]
    content = value.get("bytes") if isinstance(value, dict) else value
    if content is None:
        listing.problems.add(where, "it holds no image; it may only name the path of one")
    elif len(content) > MAX_BYTES:
        message = f"it has {len(content):,} bytes; at most {MAX_BYTES:,} are allowed"
        listing.problems.add(where, message)
    else:
        known = {name: read(row[name]) for name, read in one.columns.metadata.items()}
        yield LabeledImage(where, split, label, content, known)


def _rows(table: Any, columns: Sequence[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield some rows at a time; by groups, because pyarrow keeps what it has read of a file."""
    number = 0
    for group in range(table.num_row_groups):
        for batch in table.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=[*columns]):
            for found in zip(*batch.columns, strict=True):
                number += 1
                cells = zip(batch.schema.names, found, strict=True)
                yield number, {column: value.as_py() for column, value in cells}
