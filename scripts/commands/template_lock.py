"""Write the lock that the template ships.

It records the dataset that the config gives. For maintainers of the template, before the first
release.
"""

import argparse

from scripts import output
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.tree import WorkTree
from scripts.releases import index, lock, releases, resolve
from scripts.releases.lock import LOCK_FILE
from scripts.releases.new_lock import new_lock
from scripts.storage import files


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    found = releases.scan(git)
    if found.accepted:
        raise UserError(f"{LOCK_FILE} is written by the release only, once there is one.")
    tree = WorkTree(git.root)
    dataset = resolve.of_tree(git, tree, resolve.template_lock(tree))
    made = new_lock(
        dataset,
        dataset.manifest,
        comparable=(),
        splits=index.of_dataset(dataset).sha256,
        copy=None,
    )
    files.write(git.root / LOCK_FILE, lock.render(made).encode())
    output.say(f"{LOCK_FILE} records {dataset.manifest.md5}")
