"""Builds the dataset, and says what people must know about it."""

from scripts import output
from scripts.dataset import record
from scripts.dataset.record import BuildRecord
from scripts.dataset.targets import Local
from scripts.git.git import Git
from scripts.inputs.tree import WorkTree
from scripts.releases import releases, resolve
from scripts.review import plan
from scripts.review.warnings import warnings
from scripts.review.words import counts_in_words, size
from scripts.runner import PLAN_ONLY_ABOVE, Runner
from scripts.storage.cache import Cache


def build(git: Git, runner: Runner, inputs: str, state: str) -> BuildRecord | None:
    """Build `dataset/`; return the record of it, None if the change is only planned.

    `inputs` and `state` are as in the record.
    """
    dataset = resolve.work_tree(git)
    images = len(dataset.selection.identifiers)
    if not runner.makes(images):
        output.say(
            f"planned only: {images:,} images are more than {PLAN_ONLY_ABOVE} allows."
            " The release makes and stores the files."
        )
        return None
    cache = Cache(git.root)
    built = dataset.store(Local(cache))
    cache.checkout(built)
    counts = counts_in_words(dataset.selection.counts())
    done = BuildRecord(
        inputs=inputs,
        md5=built.md5,
        nfiles=len(built.files),
        said=f"dataset/ holds {counts} ({size(built.size)}, {built.md5})",
    )
    # What is built can be pushed, also if the plan fails.
    record.write(git.root, done)
    before = releases.scan(git).latest
    planned, _ = plan.plan(git, dataset, before, runner, WorkTree(git.root), sizes=False)
    # A release that cannot be read now may be there the next time.
    is_certain = not planned.unknown and planned.samples is not None
    return done.model_copy(
        update={"warnings": list(warnings(planned)), "state": state if is_certain else ""}
    )
