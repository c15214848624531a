"""Tell whether images come from the same distribution as those of a release.

Compares images in a folder, an archive or a bucket with those of the newest release, labeled or
not, and lists those that are least like any of it. Changes nothing.
"""

import argparse
from pathlib import Path

from tabulate import tabulate

from scripts import output
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.ingest import drifted
from scripts.ingest.drifted import LocationDrift
from scripts.inputs.tree import WorkTree
from scripts.releases import declared, releases, resolve
from scripts.releases.declared import STABLE
from scripts.releases.releases import Release
from scripts.review import drift_sheet
from scripts.review.drift_sheet import NewImage
from scripts.storage import files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "location", metavar="LOCATION", help="a path or a URL such as gs://bucket/folder"
    )
    parser.add_argument(
        "--against",
        metavar="TAG",
        help=f"a release such as v0, or {STABLE}; default: the newest release",
    )
    parser.add_argument(
        "--sheet",
        metavar="FILE",
        type=Path,
        help="draw the images that are least like the release next to the most similar ones",
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    release = _release(git, options.against)
    dataset = resolve.of_release(git, release)
    found = drifted.compare(dataset, options.location)
    output.say("\n".join(_lines(found, release.tag)))
    if options.sheet and found.strange:
        strange = [NewImage(one.path, one.picture, one.similar) for one in found.strange]
        files.write(options.sheet, drift_sheet.draw(dataset, strange))
        output.log(f"Drew {options.sheet}")


def _release(git: Git, against: str | None) -> Release:
    found = releases.scan(git)
    tag = declared.read(git, WorkTree(git.root)).stable if against == STABLE else against
    if against == STABLE and tag is None:
        raise UserError("releases.yaml names no stable release; name one with --against")
    release = found.get(tag) if tag else found.latest
    if release is None:
        raise UserError("nothing is released yet, so there is no version to compare with")
    return release


def _lines(found: LocationDrift, tag: str) -> list[str]:
    lines = [f"{found.address}: {found.counted(tag)}"]
    if found.read.invalid.count:
        noun = "file" if found.read.invalid.count == 1 else "files"
        lines.append(f"left out {found.read.invalid.count:,} invalid {noun}:{found.read.invalid}")
    if found.drift.traits:
        rows = [[one.name, one.before, one.now, one.chance] for one in found.drift.traits]
        columns = ["", tag, "new", "chance of as much"]
        lines += ["", tabulate(rows, columns, tablefmt="plain", disable_numparse=True), ""]
    lines.append(found.verdict(tag))
    if found.strange:
        lines.append(f"least like {tag}:")
        lines += [
            f"  {number}. {one.path}: {one.why}" for number, one in enumerate(found.strange, 1)
        ]
    return lines
