"""The plan: what a change would do, compared with the latest release."""

import re

from scripts.build.dataset import Dataset
from scripts.build.selection import SPLITS
from scripts.errors import UserError
from scripts.review import previews, report
from scripts.review.report import (
    NAME,
    Bytes,
    ClassCount,
    Plan,
    Preview,
    Report,
    SampleChange,
)
from scripts.versions import diff, guards, releases, resolve
from scripts.versions.diff import Diff
from scripts.versions.git import Git
from scripts.versions.lock import Lock
from scripts.versions.releases import Release


def plan(git: Git, dataset: Dataset, before: Release | None) -> Plan:
    """Return what `dataset` changes compared with `before`, with previews of its samples."""
    difference = diff.compare(dataset, before, releases.next_tag(git), releases.all_releases(git))
    return of(difference, _previews(dataset, before) if difference.changed else [])


def of(difference: Diff, shown: list[Preview]) -> Plan:
    """Return `difference` as plain data."""
    before, samples = difference.before, difference.samples
    against = before and (before.tag if re.fullmatch(NAME, before.tag) else before.commit[:10])
    return Plan(
        version=difference.version,
        against=against,
        changed=difference.changed,
        counts=counts(before.lock if before else None, difference.after),
        samples=SampleChange(**vars(samples)) if samples else None,
        bytes=Bytes(
            before=before.lock.size if before else 0,
            after=difference.after.size,
            new=difference.new_bytes,
        ),
        md5=difference.after.md5,
        source_changed=before is not None
        and before.lock.meta.source != difference.after.meta.source,
        leaks=difference.leaks,
        previews=shown,
    )


def counts(before: Lock | None, after: Lock) -> list[ClassCount]:
    """Return the number of images of each split and class, in both versions."""
    old, new = before.meta.counts if before else {}, after.meta.counts
    return [
        ClassCount(
            split=split,
            folder=folder,
            before=old.get(split, {}).get(folder, 0),
            after=new[split].get(folder, 0),
        )
        for split in SPLITS
        for folder in new[split] | old.get(split, {})
    ]


def review(git: Git) -> tuple[Report, bytes | None]:
    """Return the report on the work tree, and a contact sheet if there is a dataset."""
    try:
        guards.refuse_edited_lock(git)
        dataset, before = resolve.work_tree(git), releases.latest(git)
        sheet = previews.contact_sheet(dataset, before)
        return Report(plan=plan(git, dataset, before)), sheet
    except UserError as error:
        return Report(problems=report.problems(error)), None


def _previews(dataset: Dataset, before: Release | None) -> list[Preview]:
    rows_to_show = previews.selected_rows(dataset, before)[: previews.MAX_TEXT_ROWS]
    return [
        Preview(
            split=split,
            folder=folder,
            lines=previews.text(
                [dataset.source.image(row) for row in rows[: previews.IMAGES_IN_TEXT]]
            ),
        )
        for split, folder, rows in rows_to_show
    ]
