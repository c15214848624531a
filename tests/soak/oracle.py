"""An independent judge of releases, which shares no code with the product.

It knows what the sources hold and what is stored, and works out by itself what has to be true of
each release and of what is said about it.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.soak import statements
from tests.soak.stored import Picture, Sources, Version, digest, git, number, read, tags_of

SPLITS = ("train", "validation", "test")


@dataclass
class Judge:
    """Judges the releases in the repository `origin` with the remote `bucket`, oldest first."""

    origin: Path
    bucket: Path
    sources: Sources = field(repr=False)
    versions: dict[str, Version] = field(default_factory=dict, repr=False)

    def judge(self) -> list[str]:
        """Judge the releases that are new; return their tags."""
        tags = git(self.origin, "tag", "--list", "--sort=version:refname").split()
        new = [tag for tag in tags if tag not in self.versions]
        assert tags == [*self.versions, *new]
        for tag in new:
            version = read(self.origin, self.bucket, tag)
            judge_files(version, self.sources[version.config["source"]])
            judge_counts(version, self.sources[version.config["source"]])
            self._judge_comparability(version)
            self._judge_growth(version)
            self.versions[tag] = version
        return new

    def comparable(self, version: Version) -> list[str]:
        """Return the earlier releases between which and `version` there is no leak."""
        return [other.tag for other in self._earlier(version) if not self.leaks(other, version)]

    def leaks(self, one: Version, other: Version) -> set[str]:
        """Return the images that are for evaluation in one of two versions, for train in another.

        Two images are the same if their pixels are, or if those before resizing are.
        """
        (train, rest), (other_train, other_rest) = map(self._sides, (one, other))
        return (train & other_rest) | (rest & other_train)

    def judge_text(self, text: str, tag: str, *, about: str | None = None) -> None:
        """Assert that what `text` says about the comparability of a release is true.

        It has to name all earlier releases, or just the release `about`.
        """
        version = self.versions[tag]
        good = set(self.comparable(version))
        bad = {other.tag for other in self._earlier(version)} - good
        claimed, denied = statements.comparability(text)
        said = f"{tag} is comparable with {sorted(good)}, not with {sorted(bad)}: {text}"
        assert claimed <= good, said
        assert denied <= bad, said
        expected = (good, bad) if about is None else ({about} & good, {about} & bad)
        assert expected[0] <= claimed, said
        assert expected[1] <= denied, said

    def judge_change(self, text: str, before: str | None, after: str) -> None:
        """Assert that what a plan or a diff says about samples is true, whatever their size is."""
        old, new = ({} if tag is None else self._images(tag) for tag in (before, after))
        both = [(old[one][0], new[one][0]) for one in old.keys() & new.keys()]
        moved = sum({*pair} == {"train", "test"} for pair in both)
        relabeled = sum(
            old[one][0] == new[one][0] and old[one] != new[one] for one in old.keys() & new
        )
        expected = (len(new.keys() - old), len(old.keys() - new), relabeled, moved)
        assert statements.change(text) == expected, text
        md5 = self.versions[after].lock["outs"][0]["md5"]
        assert statements.md5(text) in {None, md5}, text

    def _images(self, tag: str) -> dict[str, tuple[str, str]]:
        """Return the split and folder of each image, by its pixels before any resizing."""
        version = self.versions[tag]
        source = self.sources[version.config["source"]]
        return {digest(source[one].pixels): place for one, place in version.places.items()}

    def _earlier(self, version: Version) -> Iterator[Version]:
        return (one for one in self.versions.values() if number(one.tag) < number(version.tag))

    def _sides(self, version: Version) -> tuple[set[str], set[str]]:
        """Return the images of train, and those of the other splits, by all their pixels."""
        source = self.sources[version.config["source"]]
        sides: tuple[set[str], set[str]] = set(), set()
        for one, (split, _) in version.places.items():
            found = {digest(version.pixels[one]), digest(source[one].pixels)}
            sides[split != "train"].update(found)
        return sides

    def _judge_comparability(self, version: Version) -> None:
        train, rest = self._sides(version)
        assert not train & rest, f"{version.tag} has an image in train and in another split"
        good = self.comparable(version)
        assert tags_of(version.lock["meta"]["comparable_with"]) == good, version.tag
        is_revert = version.files in [other.files for other in self._earlier(version)]
        lost = self._lost(version)
        assert is_revert or not lost, f"{version.tag} was released although it leaks with {lost}"

    def judge_refusal(self, version: Version) -> None:
        """Assert that a version that was refused because of leaks has leaks that matter."""
        assert self._lost(version), f"{version.tag} has no leak for which it must be refused"
        assert version.files not in [other.files for other in self._earlier(version)]

    def _lost(self, version: Version) -> list[str]:
        """Return the releases that its config demands and that only this version leaks with."""
        earlier = list(self._earlier(version))
        if not earlier:
            return []
        before, good = earlier[-1], self.comparable(version)
        kept = {before.tag, *self.comparable(before)} - version.withdrawn
        since = number(version.config.get("comparable_since", "v0"))
        return [tag for tag in kept if number(tag) >= since and tag not in good]

    def _judge_growth(self, version: Version) -> None:
        """Assert that a version that only asks for more keeps every sample where it was."""
        earlier = list(self._earlier(version))
        if not earlier or "validation_size" in version.config:
            return
        before = earlier[-1]
        sizes = {"samples", "test_size", "comparable_since"}
        same = [
            ({key: one.config[key] for key in one.config.keys() - sizes}, one.curation, one.pointer)
            for one in (before, version)
        ]
        grew = all(
            version.count(*place) >= before.count(*place) for place in {*before.places.values()}
        )
        if same[0] == same[1] and grew and not self.leaks(before, version):
            assert before.places.items() <= version.places.items(), f"{version.tag} lost samples"


def judge_files(version: Version, source: Mapping[str, Picture]) -> None:
    """Assert that each file has the pixels of its sample, and is where its label belongs."""
    size = shape(version.config.get("image_size"))
    decided = {row["sample"]: row for row in version.curation if row["action"] == "relabel"}
    excluded = {row["sample"] for row in version.curation if row["action"] == "exclude"}
    for one, (split, folder) in version.places.items():
        picture, where = source[one], f"{version.tag}: {split}/{folder}/{one}"
        image = Image.fromarray(picture.pixels)
        expected = image.resize(size, Image.Resampling.BICUBIC) if size else image
        assert np.array_equal(version.pixels[one], np.asarray(expected)), where
        assert len(set(picture.labels)) == 1, f"{where} is ambiguous"
        assert one not in excluded, where
        label = decided[one]["new_label"] if one in decided else picture.labels[0]
        assert folder == folder_of(version.config, label), where
    assert len(version.by_pixels) == len(version.places), f"{version.tag} has copies"


def shape(size: int | str | None) -> tuple[int, int] | None:
    """Return the width and height that `image_size` says, None without it."""
    if size is None:
        return None
    width, _, height = str(size).partition("x")
    return int(width), int(height or width)


def folder_of(config: Mapping[str, Any], label: str) -> str | None:
    """Return the folder of a label, None where the dataset does not have it."""
    asked = config["class"]
    if asked == "all":
        return label
    if isinstance(asked, list):
        return label if label in map(str, asked) else None
    return label if label == str(asked) else f"no{asked}"


def judge_counts(version: Version, source: Mapping[str, Picture]) -> None:
    """Assert that each split and folder has as many images as the config asks for.

    It asks for images by the labels of the source. What the curation pins can come on top, and a
    sample with another label can leave.
    """
    counts = Counter(version.places.values())
    recorded = version.lock["meta"]["counts"]
    assert counts == Counter(
        {(split, folder): n for split, by in recorded.items() for folder, n in by.items() if n}
    )
    usable = {one for one, picture in source.items() if len(set(picture.labels)) == 1}
    usable -= {row["sample"] for row in version.curation if row["action"] == "exclude"}
    pins = {row["sample"]: row["action"] for row in version.curation if row["action"] in SPLITS}
    for one in pins.keys() & version.places:
        assert version.places[one][0] == pins[one], f"{version.tag}: {one} is pinned"
    gone = {
        row["sample"]
        for row in version.curation
        if row["action"] == "relabel" and not folder_of(version.config, row["new_label"])
    }
    for folder in {folder_of(version.config, source[one].labels[0]) for one in usable} - {None}:
        mine = {one for one in usable if folder_of(version.config, source[one].labels[0]) == folder}
        judge_folder(version, str(folder), mine, pins, len(gone & mine))


def judge_folder(
    version: Version, folder: str, mine: set[str], pins: Mapping[str, str], gone: int
) -> None:
    """Assert that the splits have as many of the images `mine` as the config asks for.

    Up to `gone` of them are not in the dataset, because of their new label.
    """
    places = {one: version.places[one][0] for one in mine & version.places.keys()}
    if version.config["samples"] == "all":
        assert len(mine) - gone <= len(places) <= len(mine), f"{version.tag}: {folder}"
        if isinstance(version.config["test_size"], float) or pins or gone:
            return
    for split, wanted in wanted_counts(version.config, len(mine)).items():
        free = sum(where == split and one not in pins for one, where in places.items())
        pinned = sum(where == split and one in pins for one, where in places.items())
        where = f"{version.tag}: {split}/{folder} has {free} and {pinned} pinned, not {wanted}"
        assert free <= wanted <= free + pinned + gone, where


def wanted_counts(config: Mapping[str, Any], available: int) -> dict[str, int]:
    """Return how many images of a folder the config asks for, by split."""
    samples = available if config["samples"] == "all" else config["samples"]
    test, validation = config["test_size"], config.get("validation_size", 0)
    share = Fraction(repr(test)) if isinstance(test, float) else None
    test = test if share is None else math.ceil(share * samples)
    if isinstance(validation, float):
        part, rest = Fraction(repr(validation)), samples
        if share is not None:
            part, rest = part / (1 - share), samples - test
        validation = math.ceil(part * rest)
    return {"train": samples - test - validation, "validation": validation, "test": test}
