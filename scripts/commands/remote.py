"""Set the remote in .dvc/config.

Accepts any address that DVC supports and whose client is installed, such as gs:// or s3://.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.inputs.tree import WorkTree
from scripts.storage import settings
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("url", metavar="URL", help="gs:// or s3://bucket/path, or a folder")


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    settings.set_remote(git.root, options.url)
    remote = open_remote(git.root, WorkTree(git.root).read(CONFIG_PATH))
    output.say(f"the remote is now {remote.url}; commit {CONFIG_PATH} so that everyone uses it")
