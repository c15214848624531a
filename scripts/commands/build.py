"""Build dataset/ from the config.

The same config gives the same files on every machine. Changes no file that git tracks.
"""

import argparse
import hashlib

from scripts import fingerprint, output
from scripts.dataset import record
from scripts.git.git import Git
from scripts.github import actions
from scripts.inputs import paths
from scripts.inputs.paths import RELEASES_FILE
from scripts.inputs.tree import WorkTree
from scripts.runner import Runner
from scripts.storage.cache import Cache
from scripts.storage.settings import CONFIG_PATH


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    build(git)


def build(git: Git) -> bool:
    """Build `dataset/`; return whether that was done: a large change is only planned."""
    # Before the build, so that an edit during the build does not count as built.
    inputs, runner = paths.digest(git.root), actions.runner()
    state = _state(git, runner)
    built = record.of_same(git.root, inputs, state)
    if built is None or not Cache(git.root).has_checked_out(built.md5):
        # Where nothing has changed it is not needed, and to load it takes longer than the rest.
        from scripts.review import builds  # noqa: PLC0415

        built = builds.build(git, runner, inputs, state)
        if built is None:
            return False
        record.write(git.root, built)
    output.say(built.said)
    for warning in built.warnings:
        output.log(f"warning: {warning}")
    return True


def _state(git: Git, runner: Runner) -> str:
    """Return the digest of what decides a build besides the inputs; empty if it is not known."""
    refs, tree = git.state(), WorkTree(git.root)
    checked = [tree.read(path) for path in (RELEASES_FILE, CONFIG_PATH, "dataset.dvc")]
    parts = (refs, fingerprint.of(""), runner, checked)
    return hashlib.sha256(repr(parts).encode()).hexdigest() if refs else ""
