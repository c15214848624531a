"""Check the config, also against its source.

Prints every problem with its file, line and column, and exits with code 1. Loads the source to
check the classes and counts. Checks releases.yaml and the rules of the policy too.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.tree import WorkTree
from scripts.insight import facts, policy_check
from scripts.releases import comparison, guards, index, releases
from scripts.releases.history import History
from scripts.releases.tag_ranges import tags_in_words
from scripts.review.words import counts_in_words


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    dataset, found = guards.work_tree(git), releases.scan(git)
    history = History(git, found.accepted, WorkTree(git.root))
    made = index.of_dataset(dataset)
    compared = comparison.compare(dataset, history, made)
    compared.refuse_leaks(dataset, found.next_tag)
    checked = policy_check.refuse(
        facts.of_dataset(git, history, dataset, made, compared.comparable)
    )
    output.say(f"{CONFIG_FILE} is valid: {counts_in_words(dataset.selection.counts())}")
    if compared.unknown:
        output.log(
            f"Leaks are unknown: {tags_in_words(compared.unknown)} cannot be read"
            f" here ({compared.reason}). The release checks them."
        )
    for rule, reason in checked.unchecked.items():
        output.log(f"The rule {rule} is not checked, because {reason}.")
