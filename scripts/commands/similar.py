"""Show the samples that are most similar to others.

These are the samples that `curate --similar` would add to the train set. Changes nothing.
"""

import argparse
from pathlib import Path

from scripts import output
from scripts.curation import similar
from scripts.curation.samples import Samples
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.curation import identifier_in
from scripts.inputs.tree import WorkTree
from scripts.releases import resolve
from scripts.releases.history import History
from scripts.review import neighbor_sheet
from scripts.storage import files

COUNT = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "samples", metavar="SAMPLE", nargs="+", help="an identifier or a file name, such as 00058"
    )
    parser.add_argument(
        "--sheet", metavar="FILE", type=Path, help="draw each sample next to the most similar ones"
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    samples = Samples(resolve.work_tree(git), History(git, tree=WorkTree(git.root)))
    found = similar.nearest(samples, _rows(samples, options.samples), COUNT)
    for row, neighbors in found.items():
        output.say(f"{samples.identifier(row)}, label {samples.label(row)}, is most similar to")
        for other, distance in neighbors:
            name, label = samples.identifier(other), samples.label(other)
            output.say(f"  {name}, label {label}, distance {distance:.1f}")
        if not neighbors:
            output.say("  none: the source has no unused images for the train set")
    if options.sheet:
        files.write(options.sheet, neighbor_sheet.draw(samples, found))
        output.say(f"Drew {options.sheet}")


def _rows(samples: Samples, given: list[str]) -> list[int]:
    """Return the rows of the given samples, without duplicates; raises `UserError`."""
    rows, problems = [], []
    for text in given:
        try:
            rows.append(samples.find(identifier_in(text) or text))
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))
    return list(dict.fromkeys(rows))
