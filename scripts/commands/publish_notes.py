"""Publish a GitHub release for every tag that has none."""

import argparse

from scripts.github import notes
from scripts.versions.git import Git


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for address in notes.publish_notes(git):
        print(address)
