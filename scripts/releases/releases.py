"""The existing releases: annotated tags v0, v1, … that were made by this project."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from scripts import fingerprint
from scripts.errors import UserError
from scripts.git.git import MAIN, TRACKED_MAIN, Git
from scripts.inputs.paths import CONFIG_FILE
from scripts.releases import lock
from scripts.releases.lock import LOCK_FILE, Lock
from scripts.storage import kept, records
from scripts.storage.remote import Remote
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH

TAG = re.compile(r"v(0|[1-9][0-9]{0,8})")
# Tags with names of releases, by anybody.
SIMILAR = re.compile(r"v[0-9].*")
# A larger number counts only if it is the next one, so that a stray tag cannot use up the numbers.
LARGE_NUMBER = 100_000_000
# What the newest check of all tags found.
KEPT = ".dvc/tmp/releases"


class Release(NamedTuple):
    """A release: its tag, its commit, and its lock."""

    tag: str
    commit: str
    lock: Lock


@dataclass(frozen=True)
class Releases:
    """The tags of a repository.

    `accepted` are the releases, oldest first. `rejected` are other tags with such names, with the
    reason; they are ignored. `bases` are the commits on main of the accepted ones, by their own.
    """

    accepted: list[Release] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> Release | None:
        """The newest release, None before the first."""
        return self.accepted[-1] if self.accepted else None

    @property
    def next_tag(self) -> str:
        """The tag of the next release; no number is used twice, even that of a rejected tag."""
        return f"v{self.next_number}"

    @property
    def next_number(self) -> int:
        """The number in `next_tag`."""
        rejected = [number(tag) for tag in self.rejected if TAG.fullmatch(tag)]
        counted = [one for one in rejected if one <= LARGE_NUMBER]
        return max([number(one.tag) for one in self.accepted] + counted, default=-1) + 1

    def contained_in(self, git: Git, rev: str) -> Release | None:
        """Return the newest release that `rev` contains, or main at its merge base with `rev`.

        Its commit can be a child of one on main, if main could not be updated.
        """
        # Releases follow main's first-parent line: who has one has all before it.
        first, end = 0, len(self.accepted)
        at = end - 1  # mostly, it is the newest
        while first < end:
            if git.is_ancestor(self.bases[self.accepted[at].commit], rev):
                first = at + 1
            else:
                end = at
            at = (first + end) // 2
        return self.accepted[first - 1] if first else None

    def get(self, tag: str) -> Release:
        """Return the release `tag`; raises `UserError` if there is none."""
        found = next((one for one in self.accepted if one.tag == tag), None)
        if found is None:
            reason = self.rejected.get(
                tag, "there is no such tag. Fetch the tags: git fetch --tags"
            )
            raise UserError(f"{tag} is not a release: {reason}")
        return found


class _Tag(NamedTuple):
    name: str
    type: str
    commit: str


def number(tag: str) -> int:
    """Return the number in a release's tag."""
    return int(tag[1:])


def scan(git: Git) -> Releases:
    """Return the releases of a repository.

    A tag is accepted if it is annotated; its commit is on main's first-parent line, or a child of
    such a commit that changes the lock and `.dvc/config` only; its `.dvc/config` is one that main
    had; its lock was made from its config; and its commit does not come before that of the previous
    release. So a tag that somebody pushes to another commit has no effect.

    Raises `UserError` in a clone without history.
    """
    # The objects of the tags are not read for this.
    listed = git("for-each-ref", "--format=%(refname) %(objectname)", "refs/tags")
    return _checked(git.root, listed, main_of(git)) if listed else Releases()


# Cached, because verbs call this several times.
@lru_cache(maxsize=8)
def _checked(root: Path, listed: str, main: str) -> Releases:
    """Return the releases of the repository at `root`, with main at the commit `main`.

    `listed` are the tags. What was found is kept until one of them, main or this code changes.
    """
    file = root / KEPT
    of_code = fingerprint.of("inputs", "releases")
    state = records.digest(f"{of_code} {main}\n{listed}".encode())
    if (found := _parsed(kept.read(file), state)) is None:
        found = _found(Git(root), main)
        content = _rendered(found, state)
        if file.parent.parent.is_dir() and _parsed(content, state) == found:
            kept.write(file, content)
    return found


def _found(git: Git, main: str) -> Releases:
    if not (tags := list(_tags(git))):
        return Releases()
    if git("rev-parse", "--is-shallow-repository") == "true":
        raise UserError("this clone is shallow; releases need the history: git fetch --unshallow")
    found = Releases()
    checker = _Checker(git, main, [tag.commit for tag in tags if tag.commit])
    position = 0
    for tag in tags:
        try:
            release, position = checker.checked(tag, position, found.next_number)
        except UserError as error:
            found.rejected[tag.name] = str(error)
        else:
            found.accepted.append(release)
            found.bases[release.commit] = checker.base(release.commit)
    return found


def _rendered(found: Releases, state: str) -> bytes:
    accepted = [
        (one.tag, one.commit, one.lock.model_dump(mode="json", by_alias=True))
        for one in found.accepted
    ]
    return json.dumps([state, accepted, found.rejected, found.bases]).encode()


def _parsed(content: bytes | None, state: str) -> Releases | None:
    """Return the releases in `content`, None unless they were found in this `state`."""
    with suppress(ValueError, TypeError):
        kept_state, accepted, rejected, bases = json.loads(content or b"")
        if kept_state == state:
            listed = [Release(tag, at, Lock.model_validate(one)) for tag, at, one in accepted]
            return Releases(listed, rejected, bases)
    return None


def at_revision(git: Git, rev: str) -> Release:
    """Return the version at any git revision.

    Raises `UserError` if there is no such revision, or no lock in it.
    """
    commit = git.commit(f"refs/tags/{rev}" if TAG.fullmatch(rev) else rev)
    content = git.file(commit, LOCK_FILE)
    if content is None:
        raise UserError(f"{rev} has no {LOCK_FILE}, so it is not a version of the dataset.")
    return Release(rev, commit, lock.parse(content, f"{LOCK_FILE} at {rev}"))


def main_of(git: Git) -> str:
    """Return the commit of main at origin, or the local one without origin."""
    names = (TRACKED_MAIN, f"refs/heads/{MAIN}")
    listed = git("for-each-ref", "--format=%(refname) %(objectname)", *names).splitlines()
    found = dict(line.split() for line in listed)
    return next((found[name] for name in names if name in found), None) or git.commit("HEAD")


def date_of(git: Git, release: Release) -> str:
    """Return the day of `release`, such as 2026-01-31."""
    return git("show", "--no-patch", "--format=%cs", release.commit)


def remote_of(git: Git, release: Release) -> Remote:
    """Return the remote of `release`, which its consumers use."""
    committed = git.file(release.commit, CONFIG_PATH)
    return open_remote(git.root, committed, f"{CONFIG_PATH} at {release.tag}")


class _Checker:
    """Checks tags with few processes for any number of tags."""

    def __init__(self, git: Git, main: str, commits: list[str]) -> None:
        self._git = git
        line = git("rev-list", "--first-parent", "--reverse", main).split()
        self._position = {commit: at for at, commit in enumerate(line)}
        parents = (
            git("rev-list", "--no-walk", "--parents", *commits).splitlines() if commits else []
        )
        self._parents = {first: rest for first, *rest in (entry.split() for entry in parents)}
        named = git.object_names(f"{commit}:{CONFIG_PATH}" for commit in [*line, *commits])
        self._settings = set(named[: len(line)])
        self._settings_of = dict(zip(commits, named[len(line) :], strict=True))
        paths = [f"{commit}:{path}" for commit in commits for path in (LOCK_FILE, CONFIG_FILE)]
        self._files = dict(zip(paths, git.contents(paths), strict=True))

    def base(self, commit: str) -> str:
        """Return the parent of `commit` if that only records a release, otherwise `commit`."""
        is_child = self._changed.get(commit, {commit}) <= {LOCK_FILE, CONFIG_PATH}
        return self._parents[commit][0] if is_child else commit

    def checked(self, tag: _Tag, earliest: int, next_number: int) -> tuple[Release, int]:
        """Return the release, and its position on main.

        Raises `UserError` with the reason if it is not a release; `earliest` is the position of the
        previous release, `next_number` the expected number.
        """
        if not TAG.fullmatch(tag.name):
            raise UserError("the name of a release is v and a number, such as v7")
        if number(tag.name) > max(LARGE_NUMBER, next_number):
            raise UserError("its number is too large")
        if tag.type != "tag":
            raise UserError("it is not an annotated tag")
        if not tag.commit:
            raise UserError("it is not on a commit")
        at = self._place(tag.commit)
        if at < earliest:
            raise UserError("its commit comes before that of the previous release")
        if self._settings_of[tag.commit] not in self._settings:
            raise UserError(f"its {CONFIG_PATH} was never on {MAIN}")
        return Release(tag.name, tag.commit, self._lock(tag.commit)), at

    def _place(self, commit: str) -> int:
        if commit in self._position:
            return self._position[commit]
        parents = self._parents[commit]
        if len(parents) != 1 or parents[0] not in self._position:
            raise UserError(f"its commit is not on {MAIN}")
        if not self._changed[commit] <= {LOCK_FILE, CONFIG_PATH}:
            raise UserError(f"its commit is not on {MAIN}, and changes more than {LOCK_FILE}")
        return self._position[parents[0]]

    @cached_property
    def _changed(self) -> dict[str, set[str]]:
        """The paths that each commit changes which is a child of one on main."""
        children = [
            commit
            for commit, parents in self._parents.items()
            if len(parents) == 1 and parents[0] in self._position
        ]
        return self._git.changed_paths(children)

    def _lock(self, commit: str) -> Lock:
        recorded, written = (self._files[f"{commit}:{path}"] for path in (LOCK_FILE, CONFIG_FILE))
        if recorded is None or written is None:
            raise UserError(f"it has no {CONFIG_FILE if recorded else LOCK_FILE}")
        found = lock.parse(recorded)
        # To load it takes longer than all else, and is not needed while no tag changes.
        from scripts.inputs import config_file  # noqa: PLC0415

        if not config_file.is_recorded(written, found.meta.config):
            raise UserError(f"its {LOCK_FILE} was not made from its {CONFIG_FILE}")
        return found


def _tags(git: Git) -> Iterator[_Tag]:
    """Yield the tags with names of releases, by number."""
    form = "%(refname:strip=2)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)"
    found = []
    for line in git("for-each-ref", f"--format={form}", "refs/tags").splitlines():
        name, kind, direct, inner, behind = line.split("\0")
        is_commit = (inner or kind) == "commit"
        if SIMILAR.fullmatch(name):
            found.append(_Tag(name, kind, (behind or direct) if is_commit else ""))
    return iter(sorted(found, key=_by_number))


def _by_number(tag: _Tag) -> tuple[int, str]:
    digits = re.match("[0-9]+", tag.name[1:])
    return int(digits[0]) if digits else 0, tag.name
