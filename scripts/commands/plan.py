"""Show what the config would change."""

import argparse

from scripts.review import plan, render
from scripts.versions import releases, resolve
from scripts.versions.git import Git

FORMATS = {
    "text": render.plan_text,
    "markdown": render.plan_markdown,
    "json": render.plan_json,
}


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    dataset = resolve.work_tree(git)
    before = releases.latest(git) if options.against is None else releases.get(git, options.against)
    print(FORMATS[options.format](plan.plan(git, dataset, before)), end="")
