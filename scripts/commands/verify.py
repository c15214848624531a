"""Check that releases are complete and intact.

Reads every object of the releases from their remotes, and compares the checksums.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import whole_list
from scripts.publish import verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "tags", metavar="TAG", nargs="*", help="or stable; default: all releases, and stable"
    )
    parser.add_argument(
        "--quick", action="store_true", help="check that the objects exist, without reading them"
    )


def run(options: argparse.Namespace, git: Git) -> int:
    """Run the verb; return 1 if a release is damaged."""
    broken = shown = 0
    whole: list[str] = []
    for finding in verify.verify(git, options.tags, quick=options.quick):
        shown += 1
        if finding.problems:
            broken += 1
            output.say(f"{finding.tag}  broken")
            output.say("\n".join(f"    {problem}" for problem in finding.problems))
            whole += [f"{finding.tag}: {line}" for line in finding.whole]
        else:
            output.say(f"{finding.tag}  complete and intact: {finding.files:,} files")
    whole_list.show(git.root, options.verb, whole)
    if not shown:
        output.say("there is no release yet")
    return 1 if broken else 0
