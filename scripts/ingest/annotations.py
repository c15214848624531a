"""Recognizes annotations of boxes and masks, which are not read."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scripts.ingest import tables
from scripts.ingest.arrangement import Listing
from scripts.ingest.locations import LocatedFile
from scripts.inputs.images import MAX_BYTES

# Files of one ending and folder that are looked at: tools write all of them alike.
LOOKED_AT = 3
MAX_FOLDERS = 20
COCO = re.compile(rb'"(images|annotations|categories)"\s*:\s*\[')
COCO_VALUE = re.compile(rb'"(file_name|bbox|segmentation|supercategory|image_id)"')
LABELME = re.compile(rb'"(shapes|points|imagePath|shape_type)"\s*:')
VOC, VOC_VALUE = re.compile(rb"<annotation\b"), re.compile(rb"<(object|bndbox|filename)\b")
# A class, then a box or the corners of a polygon, as parts of the size of the image.
YOLO_LINE = re.compile(
    rb"[0-9]{1,9}( {1,9}-?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE]-?[0-9]{1,3})?){4,}"
)


class Annotations(NamedTuple):
    """Files with annotations of one format: how many there probably are, and the first of them."""

    form: str
    number: int
    first: PurePosixPath

    def __str__(self) -> str:
        """Say it in words."""
        files = "file" if self.number == 1 else "files"
        return f"{self.form} ({self.number:,} {files} such as {self.first})"


def _is_coco(head: bytes) -> bool:
    return bool(COCO.search(head) and COCO_VALUE.search(head))


def _is_labelme(head: bytes) -> bool:
    return len({found[1] for found in LABELME.finditer(head)}) > 1


def _is_voc(head: bytes) -> bool:
    return bool(VOC.search(head) and VOC_VALUE.search(head))


def _is_yolo(head: bytes) -> bool:
    lines = head.strip().splitlines()
    # The last line can be cut.
    return bool(lines) and all(YOLO_LINE.fullmatch(line.strip()) for line in lines[:-1] or lines)


FORMS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "COCO": (".json", _is_coco),
    "labelme": (".json", _is_labelme),
    "Pascal VOC": (".xml", _is_voc),
    "YOLO": (".txt", _is_yolo),
}


def find(listing: Listing) -> list[Annotations]:
    """Return the annotations at a location, by format."""
    groups: dict[tuple[str, PurePosixPath], list[LocatedFile]] = {}
    endings = {ending for ending, _ in FORMS.values()}
    for file in listing.files:
        if file.path.suffix.lower() in endings:
            groups.setdefault((file.path.suffix.lower(), file.path.parent), []).append(file)
    looked_at = [group[:LOOKED_AT] for group in [*groups.values()][:MAX_FOLDERS]]
    content = heads(listing, [file for group in looked_at for file in group])
    found: dict[str, Annotations] = {}
    for group in groups.values():
        for file in group[:LOOKED_AT]:
            form = _form(file, content.get(file.path, b""))
            if form and form in found:
                before = found[form]
                found[form] = before._replace(number=before.number + len(group))
            elif form:
                found[form] = Annotations(form, len(group), file.path)
            if form:
                break
    return [*found.values()]


def _form(file: LocatedFile, head: bytes) -> str | None:
    ending = file.path.suffix.lower()
    return next(
        (form for form, (of, is_one) in FORMS.items() if of == ending and is_one(head)), None
    )


def heads(listing: Listing, files: Sequence[LocatedFile]) -> dict[PurePosixPath, bytes]:
    """Return the beginning of each of `files`."""
    small = [file for file in files if file.size <= MAX_BYTES]
    found = {file.path: content[: tables.HEAD] for file, content in listing.location.read(small)}
    for file in files:
        if file.path not in found:
            with listing.location.spool(file) as opened:
                found[file.path] = opened.read(tables.HEAD)
    return found
