"""Show what the config would change."""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.inputs.reader import WorkTree
from scripts.releases import releases, resolve
from scripts.review import plan, render

FORMATS = {
    "text": render.plan_text,
    "markdown": render.plan_markdown,
    "json": render.plan_json,
}


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    dataset, rev = resolve.work_tree(git), options.against
    before = releases.at_revision(git, rev) if rev else releases.scan(git).latest
    tree = WorkTree(git.root)
    planned, _ = plan.plan(git, dataset, before, tree)
    planned = plan.with_promotion(git, planned, tree)
    output.say(FORMATS[options.format](planned))
