"""Check that releases are complete and intact."""

import argparse

from scripts.versions import releases, verify
from scripts.versions.git import Git


def run(options: argparse.Namespace, git: Git) -> int:
    """Run the verb; return 1 when a release is broken."""
    tags = options.tags or releases.tags(git)
    broken = 0
    for finding in verify.verify(git, tags, quick=options.quick):
        if finding.problems:
            broken += 1
            print(f"{finding.tag}  broken")
            print("\n".join(f"    {problem}" for problem in finding.problems))
        else:
            print(f"{finding.tag}  complete and intact: {finding.files:,} files")
    if not tags:
        print("there is no release yet")
    return 1 if broken else 0
