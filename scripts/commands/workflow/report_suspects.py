"""Rank the samples of the newest release, and keep one issue about labels that look wrong.

It lists the worst suspects with rows for curation.csv; it is updated by every run, and closed when
there are none.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import doubtful_labels


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(doubtful_labels.report(git))
