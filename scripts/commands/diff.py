"""Show the changes between two releases.

Counts by class, images added, removed or moved. Reads the digests of the images from the remote if
necessary.
"""

import argparse

from scripts import output
from scripts.commands.plan import FORMATS
from scripts.git.git import Git
from scripts.releases import diff, releases
from scripts.releases.history import History
from scripts.review import plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("before", metavar="BEFORE", help="a release, such as v0")
    parser.add_argument("after", metavar="AFTER", help="a later release, such as v1")
    parser.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="default: text"
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    found = releases.scan(git)
    before, after = found.get(options.before), found.get(options.after)
    difference = diff.of_releases(before, after, History(git, found.accepted))
    output.say(FORMATS[options.format](plan.plan_of_diff(difference)))
