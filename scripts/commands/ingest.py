"""Append your own images to a custom source.

Reads images in folders (LABEL/FILE, or train/LABEL/FILE and test/LABEL/FILE), or Parquet files with
the columns image and label, from a folder, an archive (zip, tar) or a bucket. Stores them in the
remote, then writes sources/NAME.dvc. Images that the source has already are skipped.
"""

import argparse

from scripts import markdown, output
from scripts.git.git import Git
from scripts.github import actions, branches, whole_list
from scripts.ingest import ingest
from scripts.ingest.ingest import IngestOutcome
from scripts.review.words import size
from scripts.sources.pointer import path_of

MAX_OTHERS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("name", metavar="NAME", help="name of the source, as in 'source: NAME'")
    parser.add_argument(
        "location", metavar="LOCATION", help="a path or a URL such as gs://bucket/folder"
    )
    parser.add_argument(
        "--branch",
        action="store_true",
        help="for workflows: push the result as the branch ingest/NAME",
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    name, branch = options.name, f"ingest/{options.name}"
    if options.branch:
        branches.refuse_unmerged(git, branch, path_of(name))
    outcome = ingest.ingest(git, name, options.location, actions.runner())
    text = "\n".join(_lines(name, outcome))
    output.say(text)
    left_out = outcome.collected.in_both.whole + outcome.collected.ambiguous.whole
    whole_list.show(git.root, options.verb, left_out)
    if options.branch:
        output.summarize(f"{markdown.fenced(text)}\n")
    if outcome.pointer is None:
        return
    if not options.branch:
        output.say(f"commit {path_of(name)} and open a pull request; 'source: {name}' uses it")
        return
    link = branches.push(git, branch, path_of(name), f"Ingest images into {name}")
    output.say(f"pushed the branch {branch}; open a pull request: {link}")
    output.summarize(f"[Open the pull request]({link}) from the branch `{branch}`.\n")


def _lines(name: str, outcome: IngestOutcome) -> list[str]:
    found = outcome.collected
    lines = [f"detected: {found.recognized}"]
    if found.others:
        shown = ", ".join(found.others[:MAX_OTHERS])
        more = f" and {len(found.others) - MAX_OTHERS:,} more" if found.others[MAX_OTHERS:] else ""
        lines.append(f"skipped, because they are not images: {shown}{more}")
    if found.copies:
        lines.append(f"skipped {found.copies:,} images that the source has already")
    if found.in_both.count:
        lines.append(
            f"{found.in_both.count:,} images are in both the train and the test set; they stay"
            f" where they were found first:{found.in_both}"
        )
    if found.ambiguous.count:
        lines.append(
            f"{found.ambiguous.count:,} images have two labels; the selection leaves them out:"
            f"{found.ambiguous}"
        )
    made = outcome.pointer
    if made is None:
        return [*lines, f"nothing to ingest: {name} has all of these images"]
    batch = made.batches[-1]
    lines.append(
        f"{path_of(name)}: batch {len(made.batches)} with {batch.images:,} images in"
        f" {len(batch.shards):,} {'shard' if len(batch.shards) == 1 else 'shards'}"
        f" ({size(outcome.size)}); {name} has {made.images:,} images of"
        f" {len(made.meta.counts):,} classes, {made.meta.mode}, {made.meta.size}; stored in"
        f" {outcome.remote}"
    )
    if made.shape.size is None:
        lines.append("the images differ in size, so the config needs image_size")
    return lines
