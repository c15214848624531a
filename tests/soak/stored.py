"""What git and the DVC remote store of a release, read without any code of the product."""

import csv
import hashlib
import io
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from ruamel.yaml import YAML

Pixels = npt.NDArray[np.uint8]
SAFE = YAML(typ="safe", pure=True)


@dataclass
class Picture:
    """One image of a source: its pixels, and each label under which the source has it."""

    pixels: Pixels
    labels: list[str]


# The images of each source, by its name and their identifiers.
Sources = dict[str, dict[str, Picture]]


@dataclass(frozen=True)
class Version:
    """What is stored of a release, and what the people who asked for it had written.

    `withdrawn` are the releases that were withdrawn when it was made, also after they asked for it.
    """

    tag: str
    config: Mapping[str, Any]
    lock: Mapping[str, Any]
    curation: Sequence[Mapping[str, str]]
    withdrawn: frozenset[str]
    pointer: str
    files: Mapping[str, bytes] = field(repr=False)

    @cached_property
    def places(self) -> dict[str, tuple[str, str]]:
        """The split and folder of each sample."""
        found = {}
        for name in self.files:
            split, folder, file = name.split("/")
            identifier = file.removesuffix(".png")
            assert identifier not in found, f"{self.tag} has {identifier} twice"
            found[identifier] = split, folder
        return found

    @cached_property
    def pixels(self) -> dict[str, Pixels]:
        """The pixels of each sample, as any program reads them."""
        return {
            name.rpartition("/")[2].removesuffix(".png"): np.asarray(Image.open(io.BytesIO(data)))
            for name, data in self.files.items()
        }

    @cached_property
    def by_pixels(self) -> dict[str, tuple[str, str]]:
        """The split and folder of each image, by its pixels."""
        return {digest(self.pixels[one]): place for one, place in self.places.items()}

    def count(self, split: str, folder: str) -> int:
        return sum(place == (split, folder) for place in self.places.values())


def git(where: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=where, capture_output=True, check=True)
    return done.stdout.decode()


def number(tag: str) -> int:
    return int(tag[1:])


def digest(pixels: Pixels) -> str:
    """Return a checksum of pixels and their shape."""
    return hashlib.sha256(f"{pixels.shape} ".encode() + pixels.tobytes()).hexdigest()


def tags_of(ranges: Sequence[str]) -> list[str]:
    """Return the tags in a list such as `[v0..v4, v6]`."""
    found = []
    for one in ranges:
        first, _, last = one.partition("..")
        found += [f"v{n}" for n in range(number(first), number(last or first) + 1)]
    return found


def read(origin: Path, bucket: Path, tag: str) -> Version:
    """Return what is stored of a release, after a look at every object and checksum.

    Main has to be as it was for the run that made the release, which goes by what is withdrawn
    there.
    """
    assert git(origin, "cat-file", "-t", tag).strip() == "tag"

    def text(name: str, rev: str = tag) -> str:
        there = git(origin, "ls-tree", "--name-only", rev, name)
        return git(origin, "show", f"{rev}:{name}") if there else ""

    lock, config = SAFE.load(text("dataset.dvc")), SAFE.load(text("dataset_config.yaml"))
    [output] = lock["outs"]
    entries = json.loads(stored(bucket, output["md5"]))
    files = {entry["relpath"]: stored(bucket, entry["md5"]) for entry in entries}
    assert len(files) == len(entries) == output["nfiles"], tag
    assert sum(map(len, files.values())) == output["size"], tag
    assert output["path"] == "dataset"
    declared = SAFE.load(text("releases.yaml", "main")) or {}
    return Version(
        tag,
        config,
        lock,
        list(csv.DictReader(io.StringIO(text("curation.csv")))),
        frozenset(declared.get("withdrawn", ())),
        text(f"sources/{config['source']}.dvc"),
        files,
    )


def stored(bucket: Path, md5: str) -> bytes:
    """Return an object of the remote, whose name is the checksum of its content."""
    content = (bucket / "files" / "md5" / md5[:2] / md5[2:]).read_bytes()
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == md5.removesuffix(".dir")
    return content


def built(root: Path, tag: str) -> Version:
    """Return the version in `dataset/` of a work tree, which would be called `tag`."""
    files = [file for file in (root / "dataset").rglob("*") if file.is_file()]
    file = root / "releases.yaml"
    declared = SAFE.load(file.read_text()) if file.exists() else {}
    return Version(
        tag,
        SAFE.load((root / "dataset_config.yaml").read_text()),
        {},
        [],
        frozenset(declared.get("withdrawn", ())),
        "",
        {file.relative_to(root / "dataset").as_posix(): file.read_bytes() for file in files},
    )
