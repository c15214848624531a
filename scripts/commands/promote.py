"""Make the branch stable hold the stable release."""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.publish import promotion


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(promotion.promote(git))
