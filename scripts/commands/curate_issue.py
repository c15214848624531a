"""Propose what an issue reports about samples."""

import argparse

from scripts import output
from scripts.github import reported_samples
from scripts.versions.git import Git


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(reported_samples.curate(git))
