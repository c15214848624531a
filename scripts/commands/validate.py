"""Check the config, by itself and against its source."""

import argparse

from scripts.inputs.paths import CONFIG_FILE
from scripts.review.render import counts_in_words
from scripts.versions import guards, resolve
from scripts.versions.git import Git


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    guards.refuse_edited_lock(git)
    dataset = resolve.work_tree(git)
    print(f"{CONFIG_FILE} is valid: {counts_in_words(dataset.selection.counts())}")
