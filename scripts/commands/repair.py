"""Build a damaged release again and upload what its remote lacks."""

import argparse

from scripts import output
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.publish import repair


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    done = repair.repair(git, options.tag)
    # On their own lines, and nothing else: they can be piped to a shell.
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
