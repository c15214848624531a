"""The plan: what a change would do, compared with the latest release."""

import re

from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.config import SPLITS
from scripts.inputs.tree import Tree, WorkTree
from scripts.insight import facts
from scripts.releases import declared, diff, guards, releases
from scripts.releases.diff import Diff
from scripts.releases.history import History
from scripts.releases.lock import Lock
from scripts.releases.releases import Release
from scripts.review import insights, report, samples
from scripts.review.report import (
    Bytes,
    ClassCount,
    Leaks,
    Plan,
    Promotion,
    Report,
    SampleChange,
)
from scripts.review.report_types import NAME
from scripts.runner import LOCAL, Runner


def plan(
    git: Git,
    dataset: Dataset,
    before: Release | None,
    runner: Runner = LOCAL,
    tree: Tree | None = None,
    *,
    sizes: bool = True,
) -> tuple[Plan, Diff]:
    """Return the changes of `dataset` compared with `before`, as plain data and in full.

    `releases.yaml` is that of `tree`; without it, the one on main. Without `sizes` the bytes that
    the remote gains are not computed.
    """
    found = releases.scan(git)
    history = History(git, found.accepted, tree)
    difference = diff.compare(dataset, before, found.next_tag, history, runner, sizes=sizes)
    return plan_of_diff(difference, dataset), difference


def plan_of_diff(difference: Diff, dataset: Dataset | None = None) -> Plan:
    """Return `difference` as plain data.

    Without `dataset`, the newer version, some of it is unknown.
    """
    before, after, change = difference.before, difference.after, difference.samples
    against = before and (before.tag if re.fullmatch(NAME, before.tag) else before.commit[:10])
    old, new = before and before.lock.meta, after.meta
    compared = difference.comparison
    is_new = difference.is_made and (old is None or old.source.sha256 != new.source.sha256)
    return Plan(
        version=difference.version,
        against=against,
        changed=difference.changed,
        counts=counts(before.lock if before else None, after),
        samples=SampleChange(**vars(change)) if change else None,
        bytes=Bytes(
            before=before.lock.size if before else 0,
            after=after.size if difference.is_made else None,
            new=difference.new_bytes,
        ),
        md5=after.md5 if difference.is_made else None,
        source_changed=old is not None
        and old.source.sha256 != new.source.sha256
        and not difference.has_grown,
        seed_changed=old is not None and old.config.get("seed") != new.config.get("seed"),
        rule_changed=old is not None and old.selection != new.selection,
        resized=old is not None and old.config.get("image_size") != new.config.get("image_size"),
        comparable=list(compared.comparable),
        incomparable=list(compared.incomparable),
        leaks=[Leaks(**{**vars(leak), "tags": list(leak.tags)}) for leak in compared.leaks],
        placed_leaks=samples.placed_leaks(dataset, compared.placed) if dataset else [],
        unknown=list(compared.unknown),
        curated=samples.curated_changes(difference.curated),
        selected=samples.selected(dataset, search_groups=is_new) if dataset else None,
        near_duplicates=samples.near_duplicates(dataset, difference.near) if dataset else None,
    )


def with_promotion(git: Git, planned: Plan, tree: Tree) -> Plan:
    """Return `planned` with the change of `releases.yaml` in `tree`.

    Raises `InputError` if that is invalid.
    """
    change = declared.change(git, tree)
    return planned.model_copy(update={"promotion": Promotion(**vars(change)) if change else None})


def of_release(history: History, release: Release) -> Plan:
    """Return the changes of `release` compared with the one before it in `history`."""
    earlier = history.before(release)
    return plan_of_diff(diff.of_releases(earlier[-1] if earlier else None, release, history))


def counts(before: Lock | None, after: Lock) -> list[ClassCount]:
    """Return the number of images of each split and class, in both versions."""
    old, new = before.meta.counts if before else {}, after.meta.counts
    return [
        ClassCount(
            split=split,
            folder=folder,
            before=old.get(split, {}).get(folder, 0),
            after=new.get(split, {}).get(folder, 0),
        )
        for split in SPLITS
        for folder in new.get(split, {}) | old.get(split, {})
    ]


def review(git: Git, runner: Runner = LOCAL) -> tuple[Report, bytes | None]:
    """Return the report on the work tree, and a contact sheet if there is a dataset."""
    from scripts.review import contact_sheet  # noqa: PLC0415 - a build need not load it

    try:
        dataset, before = guards.work_tree(git), releases.scan(git).latest
        tree = WorkTree(git.root)
        planned, difference = plan(git, dataset, before, runner, tree)
        planned = with_promotion(git, planned, tree)
        found = facts.of_diff(git, dataset, difference)
        planned = insights.with_insight(planned, found, tree)
        # Without files no images are read, and the sheet would need most of the source.
        sheet = contact_sheet.draw(dataset, difference, found) if difference.is_made else None
        return Report(plan=planned), sheet
    except UserError as error:
        return Report(problems=report.problems(error)), None
