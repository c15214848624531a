"""Add the failures of a model to curation.csv.

Adds a test row for each sample that is not in the train set of a comparable release, and lists the
others with the reason. Existing rows are not changed. Invalid rows of FAILURES.csv are listed and
skipped.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from scripts import output
from scripts.curation import proposals, similar
from scripts.curation.proposals import Proposal, Refusal
from scripts.curation.samples import Samples
from scripts.curation.similar import Similar
from scripts.git.git import Git
from scripts.inputs import class_numbers, failures
from scripts.inputs.config import TEST
from scripts.inputs.failures import Failure
from scripts.inputs.paths import CURATION_FILE
from scripts.inputs.problems import Problem
from scripts.inputs.tree import WorkTree
from scripts.releases import resolve
from scripts.releases.history import History
from scripts.review import neighbor_sheet
from scripts.storage import files

NEXT = f"""\
Next: review the new rows (git diff {CURATION_FILE}) and the changes (python -m scripts \
plan), commit {CURATION_FILE} and open a pull request."""


MAX_NEIGHBORS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "failures",
        metavar="FAILURES.csv",
        type=Path,
        help="a CSV or Parquet file with a column file or sample, and optionally label, predicted"
        " and score",
    )
    parser.add_argument(
        "--similar",
        metavar="N",
        type=_number_of_neighbors,
        default=0,
        help="for each sample, add the N most similar unused images of the source as train rows",
    )
    parser.add_argument(
        "--sheet", metavar="FILE", type=Path, help="draw each sample next to the most similar ones"
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    failed, unreadable = failures.read(options.failures)
    tree = WorkTree(git.root)
    samples = Samples(resolve.work_tree(git), History(git, tree=tree))
    failed = class_numbers.named(failed, samples.classes, samples.known_labels)
    checked = proposals.check(samples, map(_proposal, failed))
    found = _similar(samples, checked.tested, options.similar)
    to_train = similar.to_train(samples, found)
    content, decisions = tree.read(CURATION_FILE), [*checked.decisions, *to_train]
    made = proposals.extended(samples.dataset, content, decisions) if decisions else None
    _print_unreadable(options.failures, unreadable)
    _print_refusals(options.failures, checked.refusals, neighbors=bool(options.similar))
    if options.sheet:
        files.write(options.sheet, neighbor_sheet.draw(samples, found))
        output.say(f"Drew {options.sheet}")
    if made is None:
        output.say(f"Nothing to add to {CURATION_FILE}.")
        return
    files.write(git.root / CURATION_FILE, made)
    output.say(
        f"Added to {CURATION_FILE}: {len(checked.decisions):,} test, {len(to_train):,} train"
    )
    output.say(NEXT)


def _proposal(failure: Failure) -> Proposal:
    return Proposal(
        failure.sample,
        TEST,
        label=failure.label,
        predicted=failure.predicted,
        reason=failure.reason,
        line=failure.line,
    )


def _similar(samples: Samples, rows: Sequence[int], count: int) -> Similar:
    return similar.nearest(samples, rows, count) if count else {row: [] for row in rows}


def _print_unreadable(file: Path, problems: Sequence[Problem]) -> None:
    if problems:
        rows = len({problem.mark.line for problem in problems})
        output.say(f"Skipped {rows:,} invalid rows in {file}:")
    for problem in sorted(problems):
        output.say(f"  line {problem.mark.line}, column {problem.mark.column}: {problem.message}")


def _print_refusals(file: Path, refusals: Sequence[Refusal], *, neighbors: bool) -> None:
    """Print the samples that are in the test set already, then those that cannot be added."""
    tested = "Already in the test set"
    if neighbors:
        tested += ", so only similar images are added for them"
    for heading, is_tested in ((tested, True), ("Not added to the test set", False)):
        listed = [one for one in refusals if one.is_tested == is_tested]
        if listed:
            output.say(f"{heading}, {len(listed):,} of the samples in {file}:")
        for proposal, why, _ in listed:
            output.say(f"  line {proposal.line}, {proposal.sample}: {why}")


def _number_of_neighbors(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= MAX_NEIGHBORS):
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {MAX_NEIGHBORS}")
    return int(text)
