"""The files of a GitHub release: uploaded to a draft, which is published once it is complete.

A published release can be immutable, so nothing is added to it later.
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

    The draft that a killed run left is completed: files that it has are not uploaded again.
    `latest` shows the release as the latest one. Raises `UserError` when GitHub refuses.
    """
    with reporting(f"publish the release {tag}", UPLOAD_LIMIT):
        # What was done may be there although the answer failed: search for it again.
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
    """Return the GitHub release of `tag`: the published one, else a draft, else None."""
    named = [release for release in releases if release.tag_name == tag]
    return min(named, key=lambda release: bool(release.draft), default=None)


def _complete(draft: GitRelease, files: Mapping[Path, FileObject]) -> None:
    """Make `draft` have exactly `files`."""
    for path in _missing(draft, files):
        draft.upload_asset(str(path))
    if missing := _missing(draft, files):
        names = ", ".join(sorted(path.name for path in missing))
        raise UserError(
            f"these files at GitHub differ from the uploaded ones: {names}. Run it again"
        )


def _missing(draft: GitRelease, files: Mapping[Path, FileObject]) -> list[Path]:
    """Return which of `files` the draft lacks; what does not belong to it is removed."""
    missing = {file.name: (path, file) for path, file in files.items()}
    for asset in draft.get_assets():
        if asset.name in missing and _holds(asset, missing[asset.name][1]):
            del missing[asset.name]
        else:
            asset.delete_asset()
    return [path for path, _ in missing.values()]


def _holds(asset: GitReleaseAsset, file: FileObject) -> bool:
    # An upload that broke off leaves an asset in another state.
    found = (asset.state, asset.size, asset.digest)
    return found == ("uploaded", file.size, f"sha256:{file.sha256}")
