"""Write the catalogue: a static site of all releases.

Shows counts over time, the images, changes, near-duplicates, config and card of each release, and
compares any two. It needs no server. The pages of a release are made once, and taken over from an
older catalogue in the same folder. Its pictures are also stored in the remote.
"""

import argparse
from pathlib import Path

from scripts import output
from scripts.git.git import Git
from scripts.github import actions
from scripts.releases import releases
from scripts.review.words import counted, size
from scripts.site import site


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="a new folder, or an older catalogue"
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    if actions.running() and not releases.scan(git).accepted:
        output.say("there is no release yet, so there is no catalogue")
        return
    written = site.write(git, options.out.resolve())
    actions.output("written", "true")
    count = f"{counted(written.releases, 'release')} ({written.new:,} new)"
    pages = counted(written.pages, "page")
    output.say(f"{written.index}: {count}, {pages}, {size(written.size)}")
