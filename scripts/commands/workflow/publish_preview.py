"""Show the contact sheet of a pull request in its comment.

For a workflow that follows another one. The code of main draws it. It is a file on the branch
previews; sheets of closed pull requests are removed.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import previews


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for line in previews.publish_preview(git):
        output.say(line)
