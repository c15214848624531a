"""Finds and deletes unused objects in a remote."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from scripts.errors import UserError
from scripts.storage.files import TEMPORARY
from scripts.storage.remote import DIR, Remote, StoredObject, reason

# Seconds. Files of a pull request have no reference before its candidate is published, and a run
# may rely on an existing object without storing it again.
MIN_AGE = 14 * 24 * 60 * 60

OBJECT = re.compile(r"files/md5/([0-9a-f]{2})/([0-9a-f]{30})(\.dir)?")
RECORD = re.compile(r"records/([0-9a-f]{64})")
# What was made from a version lies in a folder with the name of its manifest.
DERIVED = re.compile(r"records/[^/]+/([0-9a-f]{32})/([0-9a-f]{64})")
LEFTOVER = re.compile(rf"(files/md5/[0-9a-f]{{2}}|records(/[^/]+)*)/[^/]+{re.escape(TEMPORARY)}")


@dataclass(frozen=True)
class Garbage:
    """The unused objects, and the number of those that are kept because of their age.

    `unknown` is the number of files that were not written by this project; they are ignored.
    """

    unneeded: list[StoredObject]
    young: int
    unknown: int

    @property
    def size(self) -> int:
        """The total size of the unused objects, in bytes."""
        return sum(one.size for one in self.unneeded)


def expanded(remote: Remote, manifests: Iterable[StoredObject], named: Collection[str]) -> set[str]:
    """Return `named`, names without `.dir`, with the names of all files in their manifests.

    Raises `UserError` if a manifest is damaged, because its files are unknown.
    """
    found = set(named)
    for stored in manifests:
        place = OBJECT.fullmatch(stored.place)
        name = place[1] + place[2] if place else ""
        if place and place[3] and name in found:
            try:
                found.update(remote.manifest(f"{name}{DIR}").values())
            except (UserError, ValueError, TypeError, KeyError) as error:
                raise UserError(
                    f"the manifest {name}{DIR} cannot be read, so the objects that it needs are "
                    f"unknown, and nothing is deleted. Repair it first ({error})."
                ) from None
    return found


def find(listed: Iterable[StoredObject], needed: Collection[str], now: float) -> Garbage:
    """Return the objects of `listed` that are not `needed`, by name without `.dir`, and old.

    Objects younger than `MIN_AGE`, or of unknown age, are kept.
    """
    unneeded, young, unknown = [], 0, 0
    for stored in listed:
        names = _names(stored.place)
        if names is None:
            unknown += 1
        elif names.isdisjoint(needed):
            if stored.modified is None or stored.modified > now - MIN_AGE:
                young += 1
            else:
                unneeded.append(stored)
    return Garbage(unneeded, young, unknown)


def delete(remote: Remote, unneeded: Sequence[StoredObject]) -> None:
    """Delete the objects from `find`; raises `UserError` if some could not be deleted.

    Manifests go first, so that a manifest in the remote always has its files.
    """
    manifests = [one for one in unneeded if one.place.endswith(DIR)]
    others = [one for one in unneeded if not one.place.endswith(DIR)]
    errors = remote.delete(manifests)
    if not errors:
        errors = remote.delete(others)
    if errors:
        raise UserError(
            f"not everything could be deleted from {remote.url} ({reason(errors)}). Run it again."
        )


def names_of(stored: Collection[StoredObject]) -> set[str]:
    """Return the names with which these objects and records can be needed."""
    return {name for one in stored for name in _names(one.place) or ()}


def _names(place: str) -> set[str] | None:
    """Return the names with which the file at `place` can be needed, without `.dir`.

    Empty for a temporary file; None for a file that was not written by this project.
    """
    if found := OBJECT.fullmatch(place):
        return {found[1] + found[2]}
    if found := RECORD.fullmatch(place):
        return {found[1]}
    if found := DERIVED.fullmatch(place):
        return {found[1], found[2]}
    return set() if LEFTOVER.fullmatch(place) else None
