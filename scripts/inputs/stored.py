"""Checks for files that git stores differently from the work tree.

Pull requests read files and main reads commits, so both would build different versions.
"""

from collections.abc import Iterable, Mapping

from scripts.inputs.paths import ADDITIONS_FOLDER, ADDITIONS_TABLE
from scripts.inputs.problems import START, Problem

# The first line of a Git LFS pointer: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
_POINTERS = (
    b"version https://git-lfs.github.com/spec/",
    b"version https://hawser.github.com/spec/",
)
POINTER = (
    "it is a pointer of Git LFS, not the file itself. Versions are made from what git stores:"
    " exclude it from LFS in .gitattributes, run git lfs pull, and commit the file itself"
)
# The setting that disables an attribute.
ATTRIBUTES = {
    "filter": "-filter",
    "ident": "-ident",
    "working-tree-encoding": "!working-tree-encoding",
    "text": "-text",
    "eol": "-text",
}
_NO_VALUE = ("unspecified", "unset")

# The value of each attribute.
Attributes = Mapping[str, str]


def is_pointer(content: bytes) -> bool:
    """Return whether `content` is a pointer of Git LFS."""
    return content.startswith(_POINTERS)


def problems(attributes: Mapping[str, Attributes]) -> Iterable[Problem]:
    """Return the problems of the git attributes of files, by path.

    There is one problem for all additions with the same attribute.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for path, values in sorted(attributes.items()):
        if (name := _converting(path, values)) is not None:
            pattern = f"{ADDITIONS_FOLDER}/**" if _is_addition(path) else path
            found.setdefault((pattern, name, values[name]), []).append(path)
    for (pattern, name, value), paths in found.items():
        shown = name if value == "set" else f"{name}={value}"
        more = f", and {len(paths) - 1:,} more" if paths[1:] else ""
        yield Problem(
            paths[0],
            START,
            f"git converts this file{more} (attribute {shown}), and versions are made from what git"
            f" stores. Add the line '/{pattern} {ATTRIBUTES[name]}' at the end of .gitattributes,"
            f" then: git add --renormalize {pattern.removesuffix('/**')}",
        )


def _converting(path: str, values: Attributes) -> str | None:
    """Return the attribute with which git changes more than the line endings of a file."""
    if values["filter"] not in (*_NO_VALUE, "set"):
        return "filter"
    if values["ident"] == "set":
        return "ident"
    encoding = values["working-tree-encoding"]
    if encoding not in (*_NO_VALUE, "set") and encoding.upper() != "UTF-8":
        return "working-tree-encoding"
    if _is_addition(path):
        # Git does not convert files that it detects as images, so text=auto is fine.
        if values["text"] == "set":
            return "text"
        if values["text"] == "unspecified" and values["eol"] in ("lf", "crlf"):
            return "eol"
    return None


def _is_addition(path: str) -> bool:
    return path.startswith(f"{ADDITIONS_FOLDER}/") and path != ADDITIONS_TABLE
