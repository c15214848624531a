"""Write the catalogue of all releases."""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import actions
from scripts.releases import releases
from scripts.review.words import counted, size
from scripts.site import site


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    if actions.running() and not releases.scan(git).accepted:
        output.say("there is no release yet, so there is no catalogue")
        return
    written = site.write(git, options.out.resolve())
    actions.output("written", "true")
    counts = counted(written.releases, "release"), counted(written.pages, "page")
    output.say(f"{written.index}: {', '.join(counts)}, {size(written.size)}")
