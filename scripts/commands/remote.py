"""Set the remote in .dvc/config.

Accepts any address that DVC supports and whose client is installed: gs://, s3://, azure://, …
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
    parser.add_argument(
        "url", metavar="URL", help="an address such as gs://bucket/path, or a folder"
    )
    parser.add_argument("--account", metavar="NAME", help="the storage account of azure://")


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    settings.set_remote(git.root, options.url, options.account)
    remote = open_remote(git.root, WorkTree(git.root).read(CONFIG_PATH))
    output.say(f"the remote is now {remote.url}; commit {CONFIG_PATH} so that everyone uses it")
