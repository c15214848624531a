"""Checks of the additions against the source: labels, image sizes and copies."""

from collections.abc import Iterator, Sequence

from scripts.dataset.folders import first_names
from scripts.dataset.order import distinct
from scripts.inputs.additions import Addition
from scripts.inputs.config import ORIGINAL, Config
from scripts.inputs.images import described
from scripts.inputs.paths import CURATION_FILE
from scripts.inputs.problems import Problem
from scripts.sources.source import Source, classes


def problems_of(additions: Sequence[Addition], source: Source, config: Config) -> Iterator[Problem]:
    """Yield what is wrong with `additions` to the dataset of `source`."""
    if not additions:
        return
    known, first = classes(source), distinct(source).first
    shape = None if config.encoding == ORIGINAL else source.shape
    for addition in additions:
        if addition.label not in known:
            yield addition.problem(
                f"{source.name} has no class of this name; it has {first_names(known)}"
            )
        if shape and addition.pixels.shape != shape:
            message = (
                f"it is {described(addition.pixels.shape)}, but the images of {source.name} are"
                f" {described(shape)}"
            )
            yield addition.problem(message)
        elif (row := first.get(addition.digest)) is not None:
            message = (
                f"it is a copy of sample {source.identifier(row)} of {source.name}, which has the"
                f" label {source.labels[row]}; remove it. To move that sample to a split, add a "
                f"row to {CURATION_FILE}"
            )
            yield addition.problem(message)
