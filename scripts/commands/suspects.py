"""Rank samples by how much the most similar images contradict their label.

Prints rows for curation.csv, at most 100 of each split, those of the test set first. Nothing is
changed: look at each image before you add its row.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from scripts import output
from scripts.curation.samples import Samples
from scripts.dataset import averages
from scripts.dataset.dataset import Dataset
from scripts.dataset.neighbors import Neighbor
from scripts.git.git import Git, GitTree
from scripts.inputs import curation
from scripts.inputs.config import SPLITS
from scripts.inputs.tree import WorkTree
from scripts.insight import suspects
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
        "--sheet", metavar="FILE", type=Path, help="draw each sample next to the most similar ones"
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    dataset = _dataset(git, options.tag)
    places = dataset.selection.places()
    found = suspects.find(dataset, places)
    # SPLITS begins with train.
    worst = [one for split in SPLITS[::-1] for one in found.worst if places[one.row][0] == split]
    decisions = [suspects.decision_of(dataset, one) for one in worst]
    rows = curation.extended(None, [one for one in decisions if one is not None])
    output.say(rows.decode().rstrip("\n"))
    for one, decision in zip(worst, decisions, strict=True):
        if decision is None:
            output.log(f"addition {dataset.images.identifier(one.row)}: {one.reason}")
    for line in suspects.in_words(found):
        output.log(line)
    if options.sheet:
        samples = Samples(dataset, History(git, tree=WorkTree(git.root)))
        files.write(options.sheet, neighbor_sheet.draw(samples, _neighbors(worst)))
        output.log(f"Drew {options.sheet}")


def _dataset(git: Git, tag: str | None) -> Dataset:
    if tag is None:
        return resolve.work_tree(git)
    release = releases.scan(git).get(tag)
    return resolve.of_tree(git, GitTree(git, release.commit), release.lock)


def _neighbors(worst: Sequence[Suspect]) -> dict[int, list[Neighbor]]:
    return {
        one.row: [Neighbor(row, math.sqrt(square / averages.SIZE)) for row, square in one.neighbors]
        for one in worst
    }
