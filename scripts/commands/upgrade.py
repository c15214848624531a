"""Replace the machinery by another version of the template."""

import argparse

from scripts import machinery, output
from scripts.git.git import Git


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    done = machinery.upgrade(git, options.version)
    output.say(
        f"machinery {done.old} -> {done.new}: {len(done.replaced)} files replaced,"
        f" {len(done.removed)} removed"
    )
    for path in done.edited:
        output.say(
            f"not replaced, because it was edited here: {path}\n"
            f"    what changed in the template:"
            f" git diff {machinery.REFS}{done.old} {machinery.REFS}{done.new} -- {path}"
        )
    output.say("Run `make test`, commit the changes on a branch, and open a pull request.")
