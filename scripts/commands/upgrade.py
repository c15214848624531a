"""Replace the machinery by another version of the template.

Replaces every file that is unchanged since the last upgrade, for a pull request. Files of the team
(config, lock, remote, CODEOWNERS, README) are kept; edited machinery is listed and not replaced.
"""

import argparse

from scripts import machinery, output
from scripts.git.git import Git


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
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
