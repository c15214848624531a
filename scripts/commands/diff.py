"""Show what differs between two releases."""

import argparse

from scripts import output
from scripts.commands.plan import FORMATS
from scripts.git.git import Git
from scripts.releases import diff, releases
from scripts.releases.history import History
from scripts.review import plan


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    found = releases.scan(git)
    before, after = found.get(options.before), found.get(options.after)
    difference = diff.of_releases(before, after, History(git, found.accepted))
    output.say(FORMATS[options.format](plan.plan_of_diff(difference)))
