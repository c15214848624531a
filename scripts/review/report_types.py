"""The types of the fields of a report: each of limited size."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _readable(folder: str) -> str:
    if not folder.isprintable() or folder != folder.strip():
        raise ValueError("not the name of a folder")
    return folder


Tag = Annotated[str, Field(pattern=r"^v[0-9]{1,9}$")]
# A revision: no character that Markdown or HTML would give a meaning to.
NAME = r"^[A-Za-z0-9_.+/~^-]{1,120}$"
Name = Annotated[str, Field(pattern=NAME)]
# A class: a folder that any file system can have. Shown in a code span unless it is plain.
FOLDER = r'^[^/\\:*?"<>|]{1,120}$'
Folder = Annotated[str, Field(pattern=FOLDER), AfterValidator(_readable)]
Number = Annotated[int, Field(ge=0, lt=10**15)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,40}$")]
# Untrusted text: shown only in a code span.
Label = Annotated[str, Field(max_length=100)]
Distance = Annotated[float, Field(ge=0, le=255, allow_inf_nan=False)]


def bounded(text: str, most: int) -> str:
    """Return `text`, cut to at most `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
