"""Reads what GitHub and the store say, with the rights of whoever runs this."""

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from scripts.errors import UserError
from scripts.setup import shell
from scripts.setup.shell import Ran
from scripts.setup.step import Json, Look

# Each look starts a program, which mostly waits for an answer.
AT_ONCE = 8
# Nothing can exist in a project whose service is off.
OFF = re.compile(r"SERVICE_DISABLED|has not been used in project|API \[\S+\] not enabled")
FORBIDDEN = re.compile(r"PERMISSION_DENIED|does not have|do not have|HTTPError 403|forbidden", re.I)
ABSENT = re.compile(r"NOT_FOUND|not (?:be )?found|HTTPError 404|does not exist", re.IGNORECASE)
ABSENT_AT_GITHUB = re.compile(r"HTTP 404")


class UnseenError(UserError):
    """Something cannot be seen; the text is the reason."""


class Looks:
    """What the looks of the steps have found; each is taken once.

    `is_admin` means that GitHub's "not found" is about the thing, not about the right to see it.
    `known` are answers that are known without a look.
    """

    def __init__(self, *, is_admin: bool = False, known: Mapping[Look, Json] | None = None) -> None:
        """Begin with the answers in `known`."""
        self.is_admin = is_admin
        self._found: dict[Look, Json | UnseenError] = dict(known or {})

    def take(self, looks: Iterable[Look]) -> None:
        """Take all `looks` at the same time."""
        new = list(dict.fromkeys(look for look in looks if look not in self._found))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._found |= zip(new, pool.map(self._seen, new), strict=True)

    def answer(self, look: Look) -> Json:
        """Return what `look` finds, None if there is nothing; raises `UnseenError`."""
        if look not in self._found:
            self._found[look] = self._seen(look)
        found = self._found[look]
        if isinstance(found, UnseenError):
            raise found
        return found

    def _seen(self, look: Look) -> Json | UnseenError:
        try:
            found = self._read(look)
            return [self._read(one) for one in _each(look, found)] if look.each else found
        except UnseenError as error:
            return error

    def _read(self, look: Look) -> Json:
        ran = shell.run(look.words)
        if ran.code == 0:
            return json.loads(ran.out) if ran.out.strip() else None
        if _is_absent(look, ran) and (self.is_admin or not look.is_admins):
            return None
        raise UnseenError(ran.reason)


def _is_absent(look: Look, ran: Ran) -> bool:
    if look.words[0] == "gh":
        return bool(ABSENT_AT_GITHUB.search(ran.err))
    if OFF.search(ran.err):
        return True
    return not FORBIDDEN.search(ran.err) and bool(ABSENT.search(ran.err))


def _each(look: Look, listed: Json) -> list[Look]:
    *first, address = look.words
    path = address.partition("?")[0]
    return [Look((*first, f"{path}/{one['id']}")) for one in listed or []]
