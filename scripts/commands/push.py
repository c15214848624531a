"""Copy the built files to the remote.

Copies the missing objects of the newest build, and verifies all that the newest release does not
have. Fails if the config has changed since the build.
"""

import argparse

from scripts import output
from scripts.dataset import record
from scripts.git.git import Git
from scripts.github import actions
from scripts.inputs.tree import WorkTree
from scripts.publish import bucket
from scripts.releases import released_files, releases
from scripts.storage import transfer
from scripts.storage.cache import Cache
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    push(git)


def push(git: Git) -> bool:
    """Copy the built files to the remote; return whether that was done: there may be no bucket."""
    built = record.read(git.root)
    committed = WorkTree(git.root).read(CONFIG_PATH)
    remote = open_remote(git.root, committed)
    if not bucket.is_ready(git, remote, committed, actions.runner()):
        output.annotate("notice", bucket.NO_BUCKET, title="No bucket yet")
        return False
    verified = released_files.verified(git, releases.scan(git).latest, committed)
    copied = transfer.push(Cache(git.root), remote, built.md5, verified)
    output.say(f"{remote.url} holds all {built.nfiles:,} files of {built.md5} ({copied:,} copied)")
    return True
