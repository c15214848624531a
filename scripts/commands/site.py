"""Write the catalogue of all releases."""

import argparse
from pathlib import Path

from scripts.review.render import counted, size
from scripts.site import site
from scripts.versions.git import Git


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    written = site.write(git, Path(options.out).resolve())
    releases, pages = counted(written.releases, "release"), counted(written.pages, "page")
    print(f"{written.index}: {releases}, {pages}, {size(written.size)}")
