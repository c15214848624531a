"""Post a report on the pull request that started the workflow."""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import comments


def run(options: argparse.Namespace, _: Git) -> None:
    """Run the verb."""
    output.say(comments.comment(options.folder, options.sheet))
