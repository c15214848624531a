"""Publish a GitHub release, with its files, for every tag that has none.

The notes show the counts compared with the previous release. The files are those of `package`; they
go to a draft, which is published once it has all of them.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import actions, notes


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb; a later job attests the files in the output `checksums`."""
    checksums = ""
    for tag, address, digests in notes.publish_notes(git):
        output.say(address)
        checksums += "".join(f"{digest}  {tag}/{name}\n" for name, digest in digests.items())
        # Set after each release, so that it is attested even if a later one fails.
        actions.output("checksums", checksums)
