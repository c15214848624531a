"""Write the files of a release.

Parquet files for each split, a zip file of the images, a description in Croissant, the dataset card
and checksums. The same release gives the same files.
"""

import argparse
from pathlib import Path

from scripts import output
from scripts.assets.package import package
from scripts.git.git import Git
from scripts.releases import releases
from scripts.releases.history import History


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("tag", metavar="TAG", help="a release, such as v1")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="the folder of the files"
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    found = releases.scan(git)
    release = found.get(options.tag)
    for path, file in package(git, History(git, found.accepted), release, options.out).items():
        output.say(f"{path}  {file.size:,} bytes")
