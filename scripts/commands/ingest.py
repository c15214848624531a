"""Append your own images to a custom source.

Recognizes folders (LABEL/FILE, or SPLIT/LABEL/FILE), tables that name images, IDX files, and
Parquet files, in a folder, an archive (zip, tar) or a bucket. Says what it recognized, and asks
where something is probably wrong. Stores the images in the remote, then writes sources/NAME.dvc.
Images that are there already are skipped.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import fields

from scripts import markdown, output
from scripts.dataset.folders import first_names, folder_names
from scripts.git.git import Git
from scripts.github import actions, branches, whole_list
from scripts.ingest import ingest, likeness
from scripts.ingest.ingest import IngestOutcome
from scripts.ingest.options import IngestOptions
from scripts.review.words import size
from scripts.sources.pointer import DIFFERENT, Shape, path_of

OPTIONS = [one.name for one in fields(IngestOptions)]
DRY_RUN = "dry run: no image was read, and nothing was written"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("name", metavar="NAME", help="name of the source, as in 'source: NAME'")
    parser.add_argument(
        "location", metavar="LOCATION", help="a path or a URL such as gs://bucket/folder"
    )
    parser.add_argument(
        "--table", metavar="FILE", help="a table there that names the images: CSV, JSON or Parquet"
    )
    parser.add_argument("--file", metavar="COLUMN", help="the column with the files of the images")
    parser.add_argument(
        "--label",
        metavar="LABEL",
        help="the column with the labels; or parent (the innermost folder), path (all folders), or"
        " name:PATTERN (a regular expression with one group, searched in the names of the files)",
    )
    parser.add_argument("--split", metavar="COLUMN", help="the column with train, validation, test")
    parser.add_argument(
        "--group", metavar="COLUMN", help="the column with the group, such as a patient"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what is recognized; read no image"
    )
    parser.add_argument(
        "--skip-invalid", action="store_true", help="leave out invalid files, and print each"
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
    asked = IngestOptions(**{key: getattr(options, key) for key in OPTIONS})
    outcome = ingest.ingest(git, name, options.location, actions.runner(), asked)
    if asked.dry_run:
        output.say(DRY_RUN)
        return
    # What was recognized is said by then.
    text = "\n".join([*_lines(name, outcome), *_likeness(git, name, outcome)])
    output.say(text)
    left_out = outcome.collected.in_both.whole + outcome.collected.ambiguous.whole
    whole_list.show(git.root, options.verb, left_out)
    if options.branch:
        whole = "\n".join([outcome.collected.recognized, text])
        output.summarize(f"{markdown.fenced(whole)}\n")
    if outcome.pointer is None:
        return
    if not options.branch:
        output.say(f"commit {path_of(name)} and open a pull request; 'source: {name}' uses it")
        return
    link = branches.push(git, branch, path_of(name), f"Ingest images into {name}")
    output.say(f"pushed the branch {branch}; open a pull request: {link}")
    output.summarize(f"[Open the pull request]({link}) from the branch `{branch}`.\n")


def _likeness(git: Git, name: str, outcome: IngestOutcome) -> list[str]:
    line = likeness.in_words(git.root, name, outcome.pointer) if outcome.pointer else None
    return [line] if line else []


def _lines(name: str, outcome: IngestOutcome) -> list[str]:
    found = outcome.collected
    lines = []
    if found.skipped:
        lines.append(f"left out {found.skipped:,} files that are invalid")
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
        f" {len(made.meta.counts):,} classes, {_shape(made.shape)}; stored in {outcome.remote}"
    )
    if renamed := [f"{folder} for {label!r}" for label, folder in _renamed(made.meta.counts)]:
        lines.append(f"folders that are not called like their class: {first_names(renamed)}")
    if made.shape.size is None:
        lines.append(
            "the images differ in size, so the config needs 'encoding: original' or image_size"
        )
    return lines


def _shape(shape: Shape) -> str:
    """Return the mode and the size of images in words."""
    mode = "gray and RGB" if shape.mode == DIFFERENT else shape.mode
    if shape.size is None:
        return f"{mode}, of different sizes"
    height, width = shape.size
    return f"{mode}, {width}x{height}"


def _renamed(labels: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the classes whose folder in a dataset has another name, with the folder."""
    names = folder_names(labels).items()
    return ((label, folder) for label, folder in names if label != folder)
