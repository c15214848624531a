"""Post a report on the pull request that started the workflow.

There is one comment, updated by every run.
"""

import argparse
from pathlib import Path

from scripts import output
from scripts.git.git import Git
from scripts.github import comments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the folder of the report")
    parser.add_argument("--sheet", metavar="URL", help="the address of the contact sheet")


def run(options: argparse.Namespace, _: Git) -> None:
    """Run the verb."""
    output.say(comments.comment(options.folder, options.sheet))
