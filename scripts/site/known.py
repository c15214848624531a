"""Collects labels and decisions for the samples of a release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from scripts.assets import samples
from scripts.assets.samples import ReleasedSample
from scripts.dataset.dataset import Dataset
from scripts.dataset.order import distinct
from scripts.errors import UserError
from scripts.git.git import Git, GitTree
from scripts.inputs import reader
from scripts.inputs.curation import RELABEL, Curation, Decision
from scripts.inputs.reader import Inputs, InvalidInputsError
from scripts.releases import resolve
from scripts.releases.releases import Release
from scripts.site import atlas
from scripts.sources.own import Own
from scripts.sources.source import Pixels, Source
from scripts.sources.view import view

# More images with two labels are counted only.
MAX_AMBIGUOUS = 60


class Ambiguous(NamedTuple):
    """An image with two labels in the source: its rows, their labels, its pixels if small."""

    identifiers: list[str]
    labels: list[str]
    image: Pixels


@dataclass(frozen=True)
class KnownSamples:
    """The labels and decisions for the samples of a release.

    `decisions` are those of the curation by sample. `source` is None if it is not available for the
    `reason`.
    """

    inputs: Inputs | None
    source: Source | None
    reason: str = ""
    decisions: Mapping[str, str] = field(default_factory=dict)

    def label(self, identifier: str) -> str | None:
        """Return the label of a sample in the source, None if unknown."""
        row = self.source.find(identifier) if self.source else None
        return str(self.source.labels[row]) if self.source and row is not None else None

    def decision(self, identifier: str) -> str:
        """Return the decisions about a sample, in words; empty for most."""
        return self.decisions.get(_key(identifier), "")

    def described(self, release: Release) -> Mapping[str, ReleasedSample]:
        """Return the samples of `release` that have metadata, by identifier; none if unknown."""
        if self.inputs is None or not isinstance(self.source, Own):
            return {}
        try:
            if not any(self.source.names):
                return {}
            dataset = resolve.checked(Dataset(self.inputs, self.source))
            found = samples.described(dataset, release)
            return {one.identifier: one for one in found if one.metadata}
        except UserError:
            return {}

    @property
    def ambiguous(self) -> tuple[int, list[Ambiguous]]:
        """The number of images with two labels in the source, and the first of them."""
        return (0, []) if self.source is None else _ambiguous(self.source)


class SampleReader:
    """Reads the labels and decisions of releases; keeps the source of the newest one."""

    def __init__(self, git: Git) -> None:
        """Read from the repository `git`."""
        self._git = git
        self._name: tuple[str, str] | None = None
        self._loaded: Source | UserError = UserError("no source")

    def read(self, release: Release) -> KnownSamples:
        """Return the labels and decisions for the samples of `release`."""
        inputs = _inputs(self._git, release)
        if inputs is None:
            return KnownSamples(None, None, "its config cannot be read")
        decisions = _in_words(inputs.curation)
        source = self._source(release, inputs)
        if isinstance(source, UserError):
            return KnownSamples(inputs, None, str(source), decisions)
        # The labels are those of the view that the config has of the source.
        seen = view(source, inputs.config.label_by, inputs.config.where)
        return KnownSamples(inputs, seen, "", decisions)

    def _source(self, release: Release, inputs: Inputs) -> Source | UserError:
        recorded = release.lock.meta.source
        name = (recorded.name, recorded.sha256)
        # A source that grows has other rows in each release; all together can be too large.
        if name != self._name:
            self._name = name
            try:
                self._loaded = resolve.source_of(self._git, inputs, release.lock)
            except UserError as error:
                self._loaded = error
        return self._loaded


def _inputs(git: Git, release: Release) -> Inputs | None:
    try:
        return reader.read(GitTree(git, release.commit), release.lock.meta.config)
    except InvalidInputsError as error:
        return error.valid_part
    except UserError:
        return None


def _in_words(curation: Curation) -> dict[str, str]:
    words: dict[str, list[str]] = {}
    for one in curation.decisions:
        said = (
            f"relabeled as {one.new_label}" if one.action == RELABEL else f"pinned to {one.action}"
        )
        words.setdefault(one.key, []).append(said)
    return {key: ", ".join(said) for key, said in words.items()}


def _key(identifier: str) -> str:
    return Decision(identifier, "", "", "", "").key


@lru_cache(maxsize=4)
def _ambiguous(source: Source) -> tuple[int, list[Ambiguous]]:
    """Count the images with two labels, and list the first; the result is cached by source."""
    found = sorted(distinct(source).ambiguous)
    rows: dict[bytes, list[int]] = {source.digests[row]: [] for row in found[:MAX_AMBIGUOUS]}
    for row, digest in enumerate(source.digests):
        if digest in rows:
            rows[digest].append(row)
    return len(found), [_of_rows(source, same) for same in rows.values()]


def _of_rows(source: Source, rows: Sequence[int]) -> Ambiguous:
    labels = dict.fromkeys(str(source.labels[row]) for row in rows)
    # Those of a custom source are made from the pixels, so they are the same.
    identifiers = dict.fromkeys(source.identifier(row) for row in rows)
    return Ambiguous([*identifiers], [*labels], atlas.reduced(source.image(rows[0])))
