"""Write the report of a pull request.

Writes report.json and a contact sheet to a folder, and the report to the summary of the job.
Succeeds for an invalid config too: the report then lists the problems.
"""

import argparse
from pathlib import Path

from scripts import output
from scripts.git.git import Git
from scripts.github import reports
from scripts.review import render
from scripts.review.report import Stored


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where the report is written")
    parser.add_argument(
        "--stored",
        choices=("yes", "no", "failed"),
        help="whether the files are in the remote",
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    write(git, options.folder, options.stored)


def write(git: Git, folder: Path, stored: Stored | None) -> None:
    """Write the report to `folder`, and to the summary of the job."""
    found = reports.write_report(git, folder, stored)
    output.summarize(render.comment(found))
    output.say(render.title(found))
