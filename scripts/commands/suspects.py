"""Rank samples by how much the most similar images contradict their label.

Prints rows for curation.csv, at most 100 of each split, those of the test set first. Nothing is
changed: look at each image before you add its row.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

from scripts import output
from scripts.curation.samples import Samples
from scripts.dataset import averages
from scripts.dataset.dataset import Dataset
from scripts.dataset.neighbors import Neighbor
from scripts.git.git import Git
from scripts.inputs import curation
from scripts.inputs.curation import Decision
from scripts.inputs.tree import WorkTree
from scripts.insight import predicted, predictions, suspects
from scripts.insight.suspects import Suspect
from scripts.releases import releases, resolve
from scripts.releases.history import History
from scripts.review import neighbor_sheet
from scripts.storage import files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "tag", metavar="TAG", nargs="?", help="a release; without it, the dataset of the work tree"
    )
    parser.add_argument(
        "--predictions",
        metavar="FILE",
        type=Path,
        help="rank by these predictions of a model, in CSV or Parquet, not by similar images",
    )
    parser.add_argument(
        "--sheet", metavar="FILE", type=Path, help="draw each sample next to the most similar ones"
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    samples = Samples(_dataset(git, options.tag), History(git, tree=WorkTree(git.root)))
    worst = _predicted(samples, options.predictions) if options.predictions else _voted(samples)
    rows = curation.extended(None, [one.decision for one in worst if one.decision is not None])
    output.say(rows.decode().rstrip("\n"))
    for one in worst:
        if one.decision is None:
            output.log(f"{samples.identifier(one.row)}, without a row: {one.why}")
    if options.sheet:
        drawn = neighbor_sheet.draw(samples, {one.row: one.neighbors for one in worst})
        files.write(options.sheet, drawn)
        output.log(f"Drew {options.sheet}")


class _Doubtful(NamedTuple):
    """A sample, why its label is doubtful, what voted, and the decision that relabels it."""

    row: int
    why: str
    neighbors: list[Neighbor]
    decision: Decision | None


def _voted(samples: Samples) -> list[_Doubtful]:
    """Return the samples whose label the most similar images contradict."""
    places = samples.dataset.selection.places()
    found = suspects.find(samples.dataset, places)
    for line in suspects.in_words(found):
        output.log(line)
    return [
        _Doubtful(one.row, one.why, _neighbors(one), suspects.decision_of(samples.dataset, one))
        for of_split in found.worst_by_split(places).values()
        for one in of_split
    ]


def _predicted(samples: Samples, path: Path) -> list[_Doubtful]:
    """Return the samples whose class a model contradicts."""
    known = predictions.read(path, samples)
    found = predicted.find(samples, known)
    output.log(f"Read {len(known):,} predictions: {len(found):,} suspects.")
    return [
        _Doubtful(
            one.row, f"a model predicts {one.predicted}", [], predicted.decision_of(samples, one)
        )
        for one in found
    ]


def _dataset(git: Git, tag: str | None) -> Dataset:
    if tag is None:
        return resolve.work_tree(git)
    return resolve.of_release(git, releases.scan(git).get(tag))


def _neighbors(one: Suspect) -> list[Neighbor]:
    return [Neighbor(row, averages.distance(square)) for row, square in one.neighbors]
