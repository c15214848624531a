"""Write what a pull request shows its reviewers."""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import reports
from scripts.review import render


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    found = reports.write_report(git, options.folder, options.stored)
    output.summarize(render.comment(found))
    output.say(render.title(found))
