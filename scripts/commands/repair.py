"""Build a damaged release again and upload what is missing.

Builds it from the inputs at its tag, and uploads missing objects and records. Damaged ones are
listed with the command that removes them; they are uploaded once they are removed.
"""

import argparse

from scripts import output
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.publish import repair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("tag", metavar="TAG", help="a release, such as v1")


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    done = repair.repair(git, options.tag)
    # On separate lines without other text, so that they can be piped to a shell.
    for command in done.removals:
        output.say(command)
    if done.removals:
        raise UserError(
            f"checksum mismatch for {len(done.removals):,} objects of {done.tag} in {done.url}"
            f" ({done.copied:,} missing copied). Remove them with the commands above, then run this"
            " again."
        )
    if done.lost:
        raise UserError("\n".join(done.lost))
    output.say(
        f"{done.tag} is complete and intact in {done.url}: {done.files:,} files"
        f" ({done.copied:,} copied)"
    )
