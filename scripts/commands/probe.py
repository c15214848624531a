"""Compare what two versions teach a nearest-neighbor classifier.

Both are tested on the test images that they share. With the predictions of a model for each, these
are compared instead. Changes nothing.
"""

import argparse
from pathlib import Path

from tabulate import tabulate

from scripts import output
from scripts.curation.samples import Samples
from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.tree import WorkTree
from scripts.insight import facts, predictions, probe, team_model
from scripts.releases import index, releases, resolve
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.releases import Release
from scripts.review import accuracy_words
from scripts.review.report_accuracy import ReportedProbe, reported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "before", metavar="A", nargs="?", help="a release, such as v0; default: the newest"
    )
    parser.add_argument(
        "after", metavar="B", nargs="?", help="a later release; default: the work tree"
    )
    parser.add_argument(
        "--predictions",
        metavar=("BEFORE", "AFTER"),
        nargs=2,
        type=Path,
        help="compare the predictions of two models: CSV or Parquet files with a column file or"
        " sample, and predicted",
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    found = releases.scan(git)
    before = found.get(options.before) if options.before else found.latest
    if before is None:
        raise UserError("nothing is released yet, so there is no version to compare with")
    history = History(git, found.accepted, WorkTree(git.root))
    dataset, new = _version(git, history, found.get(options.after) if options.after else None)
    change = facts.change_of(git, before, history.index(before, dataset.source), new, dataset)
    if options.predictions:
        samples = Samples(dataset, history)
        was, now = (predictions.read(path, samples) for path in options.predictions)
        _print("own model", reported(team_model.of_change(change, was, now)), before.tag)
        return
    made = reported(probe.find(change))
    _print(f"probe ({accuracy_words.PROBE})" if made.accuracy else "probe", made, before.tag)
    if made.accuracy:
        output.say(accuracy_words.NOTE)


def _version(git: Git, history: History, release: Release | None) -> tuple[Dataset, Index]:
    """Return the dataset of a release and its index; of the work tree for None."""
    if release is None:
        dataset = resolve.work_tree(git)
        return dataset, index.of_dataset(dataset)
    dataset = resolve.of_release(git, release)
    return dataset, history.index(release, dataset.source)


def _print(name: str, found: ReportedProbe, against: str) -> None:
    output.say(f"{name}: {accuracy_words.in_words(found, against)}")
    if found.accuracy is None:
        return
    rows = [[one.folder, *accuracy_words.class_row(one)] for one in found.accuracy.classes]
    align = ("left", *("right" for _ in rows[0][1:]))
    columns = accuracy_words.CLASS_COLUMNS
    output.say(
        f"\n{tabulate(rows, columns, tablefmt='plain', colalign=align, disable_numparse=True)}"
    )
    if found.accuracy.more:
        output.say(f"({found.accuracy.more:,} more classes)")
    output.say("")
