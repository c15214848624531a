"""The files of a release: Parquet, zip, Croissant, card, and their checksums."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts.assets import archive, card, croissant, samples
from scripts.assets.archive import Archive
from scripts.assets.columns import MetadataColumn, columns_of
from scripts.assets.croissant import FileObject
from scripts.assets.parquet import RESERVED, Writer
from scripts.assets.samples import Version
from scripts.git.git import Git, GitTree
from scripts.inputs import reader
from scripts.inputs.paths import CONFIG_FILE
from scripts.progress import Bar
from scripts.publish import origin
from scripts.releases import releases
from scripts.releases.history import History
from scripts.releases.releases import Release
from scripts.review import plan
from scripts.storage import files

# A file of a GitHub release may have 2 GiB, including Parquet's metadata.
MAX_FILE = 2 * 1024**3 - 64 * 1024**2
CHECKSUMS = "SHA256SUMS"
CROISSANT = "croissant.json"
CARD = "README.md"


def package(git: Git, history: History, release: Release, folder: Path) -> dict[Path, FileObject]:
    """Write the files of `release` to `folder`, and describe each; the checksums come last.

    The same release gives the same files, with the requirements that its tag pins. Raises
    `UserError` if the release cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    version = samples.version_of(git, release)
    made = _Package(folder, version)
    parts = {split: [*map(describe_file, paths)] for split, paths in made.write_images().items()}
    tree = GitTree(git, release.commit)
    inputs = reader.read(tree, release.lock.meta.config)
    address = origin.address(git)
    described = croissant.describe(
        release,
        inputs.config,
        address=address,
        published=releases.date_of(git, release),
        parts=parts,
        columns=made.columns,
    )
    files.write(folder / CROISSANT, described)
    written = card.write(
        release,
        inputs.config,
        inputs.curation,
        plan.of_release(history, release),
        config_text=(tree.read(CONFIG_FILE) or b"").decode(),
        address=address,
        parts={split: [file.name for file in of_split] for split, of_split in parts.items()},
        without_archive=made.archive is None,
        columns=made.columns,
    )
    files.write(folder / CARD, written)
    found = [file for of_split in parts.values() for file in of_split]
    others = [made.archive] if made.archive else []
    found += map(describe_file, [*others, folder / CROISSANT, folder / CARD])
    sums = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(found))
    files.write(folder / CHECKSUMS, sums.encode())
    return {folder / file.name: file for file in [*found, describe_file(folder / CHECKSUMS)]}


@dataclass(frozen=True)
class _Package:
    folder: Path
    version: Version

    @cached_property
    def columns(self) -> Sequence[MetadataColumn]:
        """The columns of metadata of the samples."""
        return columns_of(self.version.samples, RESERVED)

    @cached_property
    def archive(self) -> Path | None:
        """The path of the zip file; None if it would be too large."""
        version = self.version
        size = archive.size_of(version.samples, version.labels, self.columns, version.size)
        name = f"dataset-{version.release.tag}.zip"
        return self.folder / name if size <= MAX_FILE else None

    def write_images(self) -> dict[str, list[Path]]:
        """Write the archive and the Parquet files, reading each image once; return the latter."""
        name = self.archive
        temporary = self.folder / f"archive{files.TEMPORARY}"
        packed = Archive(temporary) if name else None
        if packed:
            known = archive.tables(self.version.samples, self.version.labels, self.columns)
            for table, content in known.items():
                packed.add(table, content)
        parts = {}
        total = len(self.version.samples)
        with Bar(desc=f"Packing {self.version.release.tag}", total=total) as bar:
            for split in sorted(self.version.splits):
                path = self.folder / split
                writer = Writer(path, self.version.labels, self.columns, MAX_FILE)
                for one in self.version.contents(split):
                    writer.write(*one)
                    if packed:
                        packed.add(one[0].file, one[1])
                    bar.update()
                parts[split] = writer.close()
        if packed and name:
            packed.close()
            temporary.replace(name)
        return {split: parts[split] for split in self.version.splits}


def describe_file(path: Path) -> FileObject:
    """Return the name, size and checksum of a file."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
    return FileObject(path.name, path.stat().st_size, digest.hexdigest())
