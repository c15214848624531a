"""Make the branch stable hold the stable release."""

import argparse

from scripts.versions import promotion
from scripts.versions.git import Git


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    print(promotion.promote(git))
