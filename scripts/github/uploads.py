"""Uploads the files of a GitHub release to a draft, and publishes it when it is complete.

A published release can be immutable.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from github.GitRelease import GitRelease
from github.GitReleaseAsset import GitReleaseAsset

from scripts.assets.croissant import FileObject
from scripts.errors import UserError
from scripts.github.client import GitHub
from scripts.github.retries import attempts, reporting

# Seconds for all files of a release, which are gigabytes at most.
UPLOAD_LIMIT = 3600.0


def publish(
    hub: GitHub, tag: str, title: str, notes: str, files: Mapping[Path, FileObject], *, latest: bool
) -> str:
    """Publish the GitHub release of `tag` with `files`, by path; return its address.

    The draft of a killed run is completed: existing files are not uploaded again. `latest` marks
    the release as the latest one. Raises `UserError` if GitHub refuses.
    """
    with reporting(f"publish the release {tag}", UPLOAD_LIMIT):
        # The action may have succeeded although the response failed: search again.
        for attempt in attempts():
            with attempt:
                found = find(hub.releases(), tag) or hub.draft_release(tag, title, notes)
                if found.draft:
                    _complete(found, files)
                    shown = "true" if latest else "false"
                    found = found.update_release(title, notes, draft=False, make_latest=shown)
                return found.html_url
    raise AssertionError("unreachable")


def find(releases: Sequence[GitRelease], tag: str) -> GitRelease | None:
    """Return the GitHub release of `tag`: the published one, a draft, or None."""
    named = [release for release in releases if release.tag_name == tag]
    return min(named, key=lambda release: bool(release.draft), default=None)


def _complete(draft: GitRelease, files: Mapping[Path, FileObject]) -> None:
    """Upload and remove files so that `draft` has exactly `files`."""
    for path in _missing(draft, files):
        draft.upload_asset(str(path))
    if missing := _missing(draft, files):
        names = ", ".join(sorted(path.name for path in missing))
        raise UserError(
            f"these files at GitHub differ from the uploaded ones: {names}. Run it again"
        )


def _missing(draft: GitRelease, files: Mapping[Path, FileObject]) -> list[Path]:
    """Return the `files` that the draft lacks; remove other files."""
    missing = {file.name: (path, file) for path, file in files.items()}
    for asset in draft.get_assets():
        if asset.name in missing and _holds(asset, missing[asset.name][1]):
            del missing[asset.name]
        else:
            asset.delete_asset()
    return [path for path, _ in missing.values()]


def _holds(asset: GitReleaseAsset, file: FileObject) -> bool:
    # An interrupted upload leaves an asset in another state.
    found = (asset.state, asset.size, asset.digest)
    return found == ("uploaded", file.size, f"sha256:{file.sha256}")
