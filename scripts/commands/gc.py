"""List the unused objects in the remote.

An object is unused if no commit of a branch, a tag or an open pull request names it, and it is
older than 14 days. With --yes they are deleted. No release may run at the same time, so start the
workflow Garbage collection instead.
"""

import argparse
from datetime import UTC, datetime

from scripts import output
from scripts.git.git import Git
from scripts.github import collection
from scripts.review.words import size
from scripts.storage.remote import StoredObject


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("--yes", action="store_true", help="delete them")


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    url, found, left_out = collection.collect(git, delete=options.yes)
    for number, reason in sorted(left_out.items()):
        message = f"skipped pull request {number}, whose objects can be in this list: {reason}"
        output.log(message)
        output.annotate("notice", message, title="Left out")
    for one in found.unneeded:
        output.say(f"{one.place}  {size(one.size)}  {_date(one)}")
    count = f"{len(found.unneeded):,} objects ({size(found.size)})"
    if options.yes:
        output.say(f"deleted {count} from {url}")
    elif found.unneeded:
        output.say(f"{count} in {url} are unused. To delete them, start the workflow in gc.yml")
    else:
        output.say(f"everything in {url} is needed, or younger than 14 days")
    if found.young:
        output.say(f"{found.young:,} more are unused, but younger than 14 days")
    if found.unknown:
        output.say(f"{found.unknown:,} files were ignored, because this project did not write them")


def _date(stored: StoredObject) -> str:
    return datetime.fromtimestamp(stored.modified or 0, UTC).date().isoformat()
