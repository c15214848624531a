"""GitHub releases: one for each tag, with notes and files."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scripts.assets.package import package
from scripts.errors import UserError
from scripts.git.git import Git, GitTree
from scripts.github import marker, uploads, withdrawn
from scripts.github.client import GitHub
from scripts.inputs.problems import InputError
from scripts.releases import declared, releases
from scripts.releases.history import History
from scripts.releases.releases import Release
from scripts.review import plan, render
from scripts.review.render import Review


class Published(NamedTuple):
    """A GitHub release: its tag, its address, and the SHA-256 of each of its files, by name."""

    tag: str
    address: str
    checksums: dict[str, str]


def publish_notes(git: Git) -> Iterator[Published]:
    """Publish a GitHub release, with its files, for every release that has none; yield each.

    Then the marks of withdrawn releases are updated. After a failure, the others are still
    processed, and `UserError` is raised in the end.
    """
    hub = GitHub()
    published = {one.tag_name for one in hub.releases() if not one.draft}
    history = History(git, releases.scan(git).accepted)
    failures = []
    for release in history.releases:
        if release.tag not in published:
            try:
                yield _publish(git, hub, history, release)
            except UserError as error:
                failures.append(f"{release.tag}: {error}")
    try:
        reasons = declared.read(git, GitTree(git, releases.main_of(git))).withdrawn
        failures += withdrawn.mark(hub, history, reasons)
    except InputError as error:
        failures.append(str(error))
    if failures:
        raise UserError("\n".join(failures))


def _publish(git: Git, hub: GitHub, history: History, release: Release) -> Published:
    planned = plan.of_release(history, release)
    notes = render.notes(planned, release, hub.url, _review(git, hub, release))
    title = render.notes_title(planned)
    with tempfile.TemporaryDirectory() as folder:
        files = package(git, history, release, Path(folder))
        latest = release == history.latest
        address = uploads.publish(hub, release.tag, title, notes, files, latest=latest)
        checksums = {file.name: file.sha256 for file in files.values()}
    return Published(release.tag, address, checksums)


def _review(git: Git, hub: GitHub, release: Release) -> Review | None:
    """Return the review of `release`; None if no pull request was merged as its commit."""
    # The commit of a release is main's own, or a child of it.
    for commit in git("rev-list", "--first-parent", "--max-count=2", release.commit).split():
        if (number := hub.merged_pull(commit)) is not None:
            text = hub.commented(number)
            known, _ = marker.parse(text) if text else (None, "")
            author, approved = hub.people(number)
            return Review(
                pull=number,
                author=author,
                approved=approved,
                shown=known.version if known and known.md5 else None,
                same=known is not None and known.md5 == release.lock.md5,
            )
    return None
