"""Write the files of a release, for consumers that have nothing but a download."""

import argparse

from scripts import output
from scripts.assets.package import package
from scripts.git.git import Git
from scripts.releases import releases
from scripts.releases.history import History


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    found = releases.scan(git)
    release = found.get(options.tag)
    for path, file in package(git, History(git, found.accepted), release, options.out).items():
        output.say(f"{path}  {file.size:,} bytes")
