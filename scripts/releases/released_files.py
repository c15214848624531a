"""The files of a release, from its manifest."""

from scripts.errors import UserError
from scripts.git.git import Git
from scripts.releases import releases
from scripts.releases.releases import Release
from scripts.storage import manifest
from scripts.storage.cache import Cache
from scripts.storage.settings import CONFIG_PATH


def of_release(git: Git, release: Release) -> dict[str, str]:
    """Return the object of each file of `release`, by name.

    The manifest is read from the cache, otherwise from the remote. Raises `UserError` if it is not
    available.
    """
    content = Cache(git.root).read(release.lock.md5)
    if content is not None:
        return manifest.entries(content)
    return releases.remote_of(git, release).manifest(release.lock.md5)


def verified(git: Git, release: Release | None, committed: bytes | None) -> set[str]:
    """Return the verified objects in the remote of `committed`, the content of a `.dvc/config`.

    They are those of the newest release, `release`, if it has the same `.dvc/config`.
    """
    if release is None or git.file(release.commit, CONFIG_PATH) != committed:
        return set()
    try:
        return {*of_release(git, release).values(), release.lock.md5}
    except UserError:
        return set()
