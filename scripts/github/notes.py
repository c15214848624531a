"""GitHub releases: one for each tag, with notes."""

from collections.abc import Iterator

from scripts.github.client import GitHub
from scripts.review import render
from scripts.versions import releases
from scripts.versions.git import Git


def publish_notes(git: Git) -> Iterator[str]:
    """Publish a GitHub release for every tag that has none; yield the address of each."""
    hub = GitHub()
    published = hub.released()
    tags = releases.tags(git)
    for before, tag in zip([None, *tags], tags, strict=False):
        if tag not in published:
            made, last = releases.get(git, tag), releases.get(git, before) if before else None
            notes = render.notes(made, last, hub.url)
            yield hub.release(tag, render.notes_title(made, last), notes, latest=tag == tags[-1])
