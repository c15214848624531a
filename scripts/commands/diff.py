"""Show what differs between two releases."""

import argparse

from scripts import output
from scripts.commands.plan import FORMATS
from scripts.review import plan
from scripts.versions import diff, releases
from scripts.versions.git import Git
from scripts.versions.history import History


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    found = releases.scan(git)
    before, after = found.get(options.before), found.get(options.after)
    difference = diff.of_releases(before, after, History(git, found.accepted))
    output.say(FORMATS[options.format](plan.of(difference)))
