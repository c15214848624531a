"""Build dataset/ from the config.

The same config gives the same files on every machine. Changes no file that git tracks.
"""

import argparse

from scripts import output
from scripts.dataset import record
from scripts.dataset.targets import Local
from scripts.git.git import Git
from scripts.github import actions
from scripts.inputs import paths
from scripts.inputs.tree import WorkTree
from scripts.releases import releases, resolve
from scripts.review import plan
from scripts.review.warnings import warnings
from scripts.review.words import counts_in_words, size
from scripts.runner import PLAN_ONLY_ABOVE
from scripts.storage.cache import Cache


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    build(git)


def build(git: Git) -> bool:
    """Build `dataset/`; return whether that was done: a large change is only planned."""
    # Before the build, so that an edit during the build does not count as built.
    inputs = paths.digest(git.root)
    dataset = resolve.work_tree(git)
    runner, images = actions.runner(), len(dataset.selection.identifiers)
    if not runner.makes(images):
        output.say(
            f"planned only: {images:,} images are more than {PLAN_ONLY_ABOVE} allows."
            " The release makes and stores the files."
        )
        return False
    cache = Cache(git.root)
    built = dataset.store(Local(cache))
    cache.checkout(built)
    record.write(git.root, built, inputs)
    counts = counts_in_words(dataset.selection.counts())
    output.say(f"dataset/ holds {counts} ({size(built.size)}, {built.md5})")
    before = releases.scan(git).latest
    planned, _difference = plan.plan(git, dataset, before, runner, WorkTree(git.root))
    for warning in warnings(planned):
        output.log(f"warning: {warning}")
    return True
