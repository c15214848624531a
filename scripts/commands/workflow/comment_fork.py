"""Post the report of a fork's workflow run on its pull request.

For a workflow that follows another one. The report is not trusted: its size is limited, and the
comment is rendered from its data.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import comments


def run(_: argparse.Namespace, __: Git) -> None:
    """Run the verb."""
    output.say(comments.comment_fork())
