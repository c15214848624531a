"""Update the branch stable to the release in releases.yaml.

The branch contains config, curation, lock and .dvc/ of that release, for `dvc get --rev stable`.
Can be run again at any time.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.publish import promotion


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(promotion.promote(git))
