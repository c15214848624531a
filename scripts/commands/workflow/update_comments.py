"""Update the comments on open pull requests.

After a release, other pull requests would publish a different version than their comments show.
Candidates of closed pull requests are removed.
"""

import argparse
from itertools import chain

from scripts import output
from scripts.git.git import Git
from scripts.github import candidates, comments
from scripts.github.client import GitHub


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for line in chain(comments.update_comments(git), candidates.remove_outdated(git, GitHub())):
        output.say(line)
