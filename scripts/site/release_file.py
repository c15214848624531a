"""The file of a release: its samples, from which a browser compares any two releases.

It is a script that passes one JSON value to a function of `static/compare.js`, because a page on
the disk may load scripts, but no data. A later run reads the sheets of the release from it again.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from scripts.releases import lock
from scripts.site.entries import CatalogueEntry
from scripts.site.sheets import PictureSheet, Place, SheetPicture, Sheets

NAME = "release.js"
START, END = "addRelease(", ");\n"
# The bytes of an MD5.
MD5_SIZE = 16
# Pictures that are narrower are shown larger, in pixels.
SMALL = 64


def write(entry: CatalogueEntry, shapes: Mapping[str, tuple[int, int]]) -> bytes:
    """Return the file of a release; `shapes` are those of its atlases, by key."""
    meta = entry.release.lock.meta
    value = {
        "tag": entry.tag,
        "source": meta.source.sha256,
        "names": meta.samples,
        "images": entry.release.lock.images,
        "isReadable": not entry.unreadable,
        # Pairs, because a browser sorts the keys of an object that are numbers.
        "counts": {split: [*of_split.items()] for split, of_split in meta.counts.items()},
        "comparable": [[one[0], one[-1]] for one in lock.runs(entry.plan.comparable or ())],
        "comparableInWords": entry.comparable,
        "labels": entry.new_labels,
        "sheets": [
            _of_sheet(entry, place, sheet, shapes)
            for place, of_place in entry.sheets.items()
            for sheet in of_place
        ],
    }
    return f"{START}{json.dumps(value, separators=(',', ':'))}{END}".encode()


def read(content: bytes) -> dict[str, Any]:
    """Return the value in a file that `write` made."""
    text = content.decode().removeprefix(START).removesuffix(END)
    value: dict[str, Any] = json.loads(text)
    return value


def sheets_of(content: bytes) -> Sheets:
    """Return the sheets of the release, from its file."""
    sheets: dict[Place, list[PictureSheet]] = {}
    for one in read(content)["sheets"]:
        joined = base64.b64decode(one["md5"]).hex()
        md5s = (joined[at : at + 2 * MD5_SIZE] for at in range(0, len(joined), 2 * MD5_SIZE))
        pairs = zip(one["samples"].split(), md5s, strict=True)
        pictures = tuple(SheetPicture(*pair) for pair in pairs)
        sheets.setdefault((one["split"], one["label"]), []).append(PictureSheet(pictures))
    return sheets


def _of_sheet(
    entry: CatalogueEntry, place: Place, sheet: PictureSheet, shapes: Mapping[str, tuple[int, int]]
) -> dict[str, object]:
    """Return the samples of a sheet, with the label that the source gives each."""
    found = [entry.known.label(picture.identifier) or "" for picture in sheet.pictures]
    labels = {label: number for number, label in enumerate(dict.fromkeys(found))}
    joined = b"".join(bytes.fromhex(picture.md5) for picture in sheet.pictures)
    return {
        "split": place[0],
        "label": place[1],
        "key": sheet.key,
        "isSmall": shapes[sheet.key][1] < SMALL,
        "samples": " ".join(picture.identifier for picture in sheet.pictures),
        "md5": base64.b64encode(joined).decode(),
        "sourceLabels": [*labels],
        # Nothing for one label, which most sheets have.
        "numbers": [labels[label] for label in found] if len(labels) > 1 else [],
    }
