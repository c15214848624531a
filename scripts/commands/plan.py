"""Show what the config would change.

Counts by split and class before and after, samples added and removed, bytes, warnings. Writes
nothing and needs no access to the remote.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import actions
from scripts.inputs.tree import WorkTree
from scripts.insight import facts
from scripts.releases import releases, resolve
from scripts.review import insights, plan, render

FORMATS = {
    "text": render.plan_text,
    "markdown": render.plan_markdown,
    "json": render.plan_json,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "--against", metavar="REV", help="compare with this git revision, not the latest release"
    )
    parser.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="default: text"
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    dataset, rev = resolve.work_tree(git), options.against
    before = releases.at_revision(git, rev) if rev else releases.scan(git).latest
    tree = WorkTree(git.root)
    planned, difference = plan.plan(git, dataset, before, actions.runner(), tree)
    planned = plan.with_promotion(git, planned, tree)
    # In Markdown it is the comment. Searches can take longer than the rest, and are verbs too.
    searches = options.format == "markdown"
    found = facts.of_diff(git, dataset, difference)
    planned = insights.with_insight(planned, found, tree, searches=searches)
    output.say(FORMATS[options.format](planned))
