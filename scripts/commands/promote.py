"""Make the branch stable hold the stable release."""

import argparse

from scripts import output
from scripts.versions import promotion
from scripts.versions.git import Git


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(promotion.promote(git))
