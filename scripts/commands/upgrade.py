"""Replace the machinery by another version of the template.

Replaces every file that is still as the template made it, for a pull request. What the team owns
(config, lock, remote, CODEOWNERS, README) stays; machinery that was edited here is named and left
alone.
"""

import argparse

from scripts import machinery, output
from scripts.git.git import Git


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("version", metavar="VERSION", help="such as 1.2.0; see CHANGELOG.md")


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    done = machinery.upgrade(git, options.version)
    output.say(
        f"machinery {done.old} -> {done.new}: {len(done.replaced)} files replaced,"
        f" {len(done.removed)} removed"
    )
    for path in done.edited:
        output.say(
            f"not replaced, because it was edited: {path}\n"
            f"    changes in the template: git diff {machinery.REFS}{done.old} "
            f"{machinery.REFS}{done.new} -- {path}"
        )
    output.say("Run `make test`, commit the changes on a branch, and open a pull request.")
