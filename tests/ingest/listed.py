"""What is recognized at a location, without storing it."""

import io
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from scripts.ingest import locations, recognize
from scripts.ingest.arrangement import Listing
from scripts.ingest.findings import Findings
from scripts.ingest.labeled_image import LabeledImage
from scripts.ingest.options import IngestOptions, IngestRequest
from tests.ingest.pictures import picture

IMAGE = pa.struct({"bytes": pa.binary(), "path": pa.string()})


def found(
    location: Path, known: tuple[str, ...] = (), **options: str
) -> tuple[str, list[LabeledImage], list[str]]:
    """Return what is said of a location, its images, and the problems."""
    problems = Findings()
    with locations.opened(str(location)) as opened:
        files = locations.listed(opened, str(location), problems)
        request = IngestRequest("shapes", "LOCATION", IngestOptions(**options), known)  # type: ignore[arg-type]
        made = recognize.recognize(Listing(opened, files, request, problems))
        images = list(made.read())
    return str(made), images, [one.line for one in problems.found]


def labels(images: list[LabeledImage]) -> dict[str, str]:
    """Return split and label of each image by its path."""
    return {
        one.where: f"{one.split}: {one.label}" if one.split else str(one.label) for one in images
    }


def pictures(*names: str) -> dict[str, bytes]:
    """Return a picture for each name."""
    return {name: picture(number) for number, name in enumerate(names)}


def parquet_file(columns: Mapping[str, object], footer: bytes | None = None) -> bytes:
    """Return a Parquet file; images are given as numbers in `image` or `img`."""
    made = {
        name: pa.array([_image(number) for number in values], IMAGE)  # type: ignore[attr-defined]
        if name in {"image", "img"}
        else values
        for name, values in columns.items()
    }
    buffer = io.BytesIO()
    table = pa.table(made)
    if footer:
        table = table.replace_schema_metadata({b"huggingface": footer})
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def _image(number: int | None) -> dict[str, object]:
    content = None if number is None else picture(number)
    return {"bytes": content, "path": f"{number}.png"}
