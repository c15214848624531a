"""Write the lock that the template ships."""

import argparse

from scripts.errors import UserError
from scripts.inputs import reader
from scripts.inputs.reader import WorkTree
from scripts.storage import files
from scripts.versions import lock, releases, resolve
from scripts.versions.git import Git
from scripts.versions.lock import LOCK_FILE


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    if releases.tags(git):
        raise UserError(f"{LOCK_FILE} is written by the release only, once there is one.")
    tree = WorkTree(git.root)
    dataset = resolve.resolve(reader.read(tree), resolve.intact_lock(tree), None)
    text = lock.render(lock.of(dataset, dataset.manifest))
    files.write(git.root / LOCK_FILE, text.encode())
    print(f"{LOCK_FILE} records {dataset.manifest.md5}")
