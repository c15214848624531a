"""Provides the atlases of all releases: reads stored ones from the remote, makes others."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from scripts import output
from scripts.assets.samples import Version
from scripts.dataset import near, png
from scripts.errors import UserError
from scripts.inputs.config import ORIGINAL, TRAIN
from scripts.inputs.images import decode
from scripts.progress import Bar
from scripts.site import atlas, bundle
from scripts.site.bundle import Bundle, NearRecord
from scripts.site.sheets import PictureSheet, Place, SheetPicture, Sheets
from scripts.sources.source import Pixels
from scripts.storage import files, manifest
from scripts.storage.derived import Derived
from scripts.storage.records import digest


@dataclass
class Pictures:
    """The folder `images` of a catalogue, with one PNG for each sheet of any release."""

    folder: Path
    # The (height, width) of the images on each sheet, by its key.
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)
    # The checksum of each.
    checksums: dict[str, str] = field(default_factory=dict)
    _derived: dict[str, Derived] = field(default_factory=dict)

    def provide(self, version: Version, sheets: Sheets, before: Sheets) -> NearRecord:
        """Provide the atlases of the sheets of `version`; return its near-duplicates.

        `before` are the sheets of the previous release. Missing atlases are made and stored in the
        remote. Raises `UserError` if an image is missing or damaged.
        """
        name = version.release.lock.md5.removesuffix(".dir")
        missing = {
            sheet.key: (place, sheet)
            for place, of_place in sheets.items()
            for sheet in of_place
            if sheet.key not in self.shapes
        }
        found = self._read(version, name, missing)
        made = [*self._draw(version, missing)] if missing else []
        if found is None:
            found = _near_duplicates(self, sheets, before)
            made.append(bundle.pack({}, found))
        for record in made:
            self._store(version, name, record)
        return found

    def read(self, sheet: PictureSheet) -> list[Pixels]:
        """Return the images of a sheet that was provided."""
        return atlas.read(self._path(sheet.key), len(sheet.pictures))

    def write(self, content: bytes, key: str, count: int) -> None:
        """Write the atlas `key` of `count` images."""
        files.write(self._path(key), content)
        self.shapes[key] = atlas.size(content, count)
        self.checksums[key] = digest(content)

    def draw(self, images: Mapping[str, Pixels]) -> dict[str, tuple[PictureSheet, int]]:
        """Draw images that are on no sheet, by name; return the sheet and the number of each.

        Those of one shape share an atlas.
        """
        by_shape: dict[tuple[int, ...], list[str]] = {}
        for name, image in images.items():
            by_shape.setdefault(image.shape, []).append(name)
        found = dict[str, tuple[PictureSheet, int]]()
        for names in by_shape.values():
            same = [images[name] for name in names]
            md5s = (manifest.md5_of(image.tobytes()) for image in same)
            sheet = PictureSheet(tuple(map(SheetPicture, names, md5s)))
            self.write(atlas.draw(same), sheet.key, len(same))
            found |= {name: (sheet, number) for number, name in enumerate(names)}
        return found

    def take(self, path: Path, key: str, shape: tuple[int, int], sha256: str) -> None:
        """Take over the atlas `key` from the file at `path`, whose checksum was compared."""
        if key not in self.shapes:
            self.folder.mkdir(parents=True, exist_ok=True)
            files.link(str(path), str(self._path(key)))
            self.shapes[key], self.checksums[key] = shape, sha256

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.png"

    def _read(
        self, version: Version, name: str, missing: dict[str, tuple[Place, PictureSheet]]
    ) -> NearRecord | None:
        """Write the `missing` atlases that are in the remote, and remove them from `missing`."""
        found = None
        for content in self._of(version).read(name):
            record = Bundle(content)
            found = found or record.near
            for key, (_, sheet) in [*missing.items()]:
                kept = record.atlas(key)
                if kept is not None and atlas.holds(kept, sheet):
                    self.write(kept, key, len(sheet.pictures))
                    del missing[key]
            if found and not missing:
                break
        return found

    def _draw(
        self, version: Version, missing: Mapping[str, tuple[Place, PictureSheet]]
    ) -> Iterator[bytes]:
        """Draw and write the `missing` atlases; yield records of them.

        Images that were encoded by other code cannot be verified later, so their atlases are not
        stored.
        """
        drawn: dict[str, bytes] = {}
        with Bar(desc=f"Drawing {version.release.tag}", total=len(missing), unit="sheet") as bar:
            for sheet, images in _images(version, missing.values()):
                content = atlas.draw(images)
                self.write(content, sheet.key, len(images))
                if manifest.md5_of(png.encode(images[0])) == sheet.pictures[0].md5:
                    drawn[sheet.key] = content
                if sum(map(len, drawn.values())) > bundle.MAX_BYTES:
                    yield bundle.pack(drawn)
                    drawn = {}
                bar.update()
        if drawn:
            yield bundle.pack(drawn)

    def _of(self, version: Version) -> Derived:
        remote = version.remote
        if remote.url not in self._derived:
            self._derived[remote.url] = Derived(bundle.FOLDER, version.cache.records, remote)
        return self._derived[remote.url]

    def _store(self, version: Version, name: str, record: bytes) -> None:
        try:
            self._of(version).store(name, record)
        except UserError as error:
            # The catalogue can be made without permission to write to the remote.
            output.log(f"warning: the pictures of {version.release.tag} are not stored: {error}")


def _images(
    version: Version, missing: Iterable[tuple[Place, PictureSheet]]
) -> Iterator[tuple[PictureSheet, list[Pixels]]]:
    """Yield each missing sheet with its images."""
    is_original = version.release.lock.meta.config.get("encoding") == ORIGINAL
    samples = {(*one.name.place, one.identifier): one for one in version.samples}
    for place, group in groupby(missing, itemgetter(0)):
        sheets = [sheet for _, sheet in group]
        # Each shard is read once for all its samples.
        together = [sheets] if version.release.lock.is_sharded else [[sheet] for sheet in sheets]
        for part in together:
            wanted = {
                picture: samples[(*place, picture.identifier)]
                for sheet in part
                for picture in sheet.pictures
            }
            contents = version.read([*wanted.values()])
            for sheet in part:
                files_ = (wanted[picture].file for picture in sheet.pictures)
                # One after the other: photos are large.
                images = (decode(contents[file]) for file in files_)
                yield sheet, atlas.fitted(images) if is_original else [*images]


class _Rows:
    """All samples of a version by row, in the order of the sheets, for a comparison."""

    def __init__(self, pictures: Pictures, sheets: Sheets) -> None:
        self._pictures = pictures
        self.rows = [
            (place, sheet, number)
            for place, of_place in sheets.items()
            for sheet in of_place
            for number in range(len(sheet.pictures))
        ]

    def image(self, row: int) -> Pixels:
        _, sheet, number = self.rows[row]
        return self._pictures.read(sheet)[number]

    def picture(self, row: int) -> SheetPicture:
        _, sheet, number = self.rows[row]
        return sheet.pictures[number]


def _near_duplicates(pictures: Pictures, sheets: Sheets, before: Sheets) -> NearRecord:
    """Return the near-duplicates in `sheets` of which one is new in its split."""
    rows = _Rows(pictures, sheets)
    was = {
        (split, picture.md5)
        for (split, _), of_place in before.items()
        for sheet in of_place
        for picture in sheet.pictures
    }
    train: list[int] = []
    others: list[int] = []
    new: set[int] = set()
    for row, ((split, _), sheet, number) in enumerate(rows.rows):
        (train if split == TRAIN else others).append(row)
        if (split, sheet.pictures[number].md5) not in was:
            new.add(row)
    found = near.find(rows, train, others, new)
    pairs = [
        (pair.distance, rows.picture(pair.train).md5, rows.picture(pair.other).md5)
        for pair in found.pairs
    ]
    return NearRecord(searched=found.searched, count=found.count, pairs=pairs)
