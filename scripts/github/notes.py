"""GitHub releases: one for each tag, with notes."""

from collections.abc import Iterator

from scripts.github import marker
from scripts.github.client import GitHub
from scripts.review import plan, render
from scripts.review.render import Review
from scripts.versions import releases
from scripts.versions.git import Git
from scripts.versions.history import History
from scripts.versions.releases import Release


def publish_notes(git: Git) -> Iterator[str]:
    """Publish a GitHub release for every release that has none; yield the address of each."""
    hub = GitHub()
    published = hub.released()
    history = History(git, releases.scan(git).accepted)
    for release in history.releases:
        if release.tag not in published:
            planned = plan.of_release(history, release)
            notes = render.notes(planned, release, hub.url, _review(git, hub, release))
            title = render.notes_title(planned)
            yield hub.release(release.tag, title, notes, latest=release == history.latest)


def _review(git: Git, hub: GitHub, release: Release) -> Review | None:
    """Return how `release` was reviewed; None when no pull request was merged as its commit."""
    # The commit of a release is main's own, or a child of it.
    for commit in git("rev-list", "--first-parent", "--max-count=2", release.commit).split():
        if (number := hub.merged_pull(commit)) is not None:
            text = hub.commented(number)
            known, _ = marker.parse(text) if text else (None, "")
            return Review(
                pull=number,
                shown=known.version if known else None,
                same=known is not None and known.md5 == release.lock.md5,
            )
    return None
