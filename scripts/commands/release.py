"""Publish every change on main that has no release.

For each change of the dataset on origin's main since the newest tag: builds it, pushes it, commits
its lock, tags it v0, v1, … and pushes the tag; then updates main. Can be run again at any time; it
succeeds when there is nothing to do.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import actions
from scripts.publish import bucket, publish
from scripts.publish.publish import PublishOutcome
from scripts.releases.history import History
from scripts.releases.lock import LOCK_FILE
from scripts.review import plan
from scripts.review.warnings import warnings
from scripts.review.words import counts_in_words

CAUGHT_UP = """\
### Released late

This run released changes that did not start it. A commit with `[skip ci]` or similar in its
message starts no run, and a run can fail or be replaced by a newer one.
"""


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    outcome = publish.release(git, actions.runner())
    history = History(git)
    for made in outcome.published:
        counts = counts_in_words(made.lock.meta.counts)
        output.say(f"{made.tag} is published: {counts} ({made.commit[:10]})")
        for warning in warnings(plan.of_release(history, made)):
            output.log(f"warning: {made.tag}: {warning}")
    _print_caught_up(git, outcome)
    if outcome.no_bucket:
        output.annotate("notice", bucket.NO_BUCKET, title="No bucket yet")
        output.say("nothing to release: there is no bucket yet")
    elif not outcome.published and not outcome.failure:
        output.say("nothing to release: the dataset on main is released already")
    _print_problems(outcome)
    if outcome.failure:
        raise outcome.failure


def _print_caught_up(git: Git, outcome: PublishOutcome) -> None:
    """List the releases of changes that did not start this run of the workflow."""
    if not actions.running():
        return
    changes = {made.tag: git.commit(f"{made.commit}^") for made in outcome.published}
    late = {tag: commit for tag, commit in changes.items() if commit != actions.pushed_commit()}
    for tag, commit in late.items():
        output.say(f"{tag} releases {commit[:10]}, which no earlier run released")
    if late:
        listed = "".join(f"- {tag}: commit {commit}\n" for tag, commit in late.items())
        output.summarize(f"{CAUGHT_UP}\n{listed}")


def _print_problems(outcome: PublishOutcome) -> None:
    for tag, reason in outcome.rejected.items():
        output.log(f"ignored the tag {tag}, which is not a release: {reason}")
    for commit, error in outcome.skipped.items():
        if error is not outcome.failure:
            output.log(f"skipped {commit[:10]}, which cannot be released: {error}")
    if outcome.not_rebuilt:
        output.log(
            f"Main was not updated: rebuilding {outcome.not_rebuilt} gave different files than its"
            f" {LOCK_FILE} records. The lock was edited, or made by another version of the "
            f"machinery."
        )
    if outcome.main_refused:
        output.log(
            f"Could not update main: the push was rejected ({outcome.main_refused}).\n"
            f"The releases are complete; only {LOCK_FILE} on main is out of date. To keep it up to"
            " date, give the release workflow a deploy key that may bypass the branch rules."
        )
