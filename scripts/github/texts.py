"""Comments and issues of ours: each is written once, and then edited."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from github.IssueComment import IssueComment

from scripts.github.retries import attempts

# Anybody can write a comment with our marker, so only those of this account are ours.
BOT_LOGIN = "github-actions[bot]"


class Comments(NamedTuple):
    """The comments of an issue or a pull request: how they are listed, and how one is added."""

    listed: Callable[[], Iterable[IssueComment]]
    add: Callable[[str], IssueComment]


def write(open_: Callable[[], Comments], text: str, is_ours: Callable[[str], bool]) -> str:
    """Write `text` as the one comment that is ours; return its address."""
    # It may be there although the answer failed, or it was deleted just now: search again.
    for attempt in attempts():
        with attempt:
            comments = open_()
            found = find(comments, is_ours)
            if found is None:
                return comments.add(text).html_url
            if found.body != text:
                found.edit(text)
            return found.html_url
    raise AssertionError("unreachable")


def find(comments: Comments, is_ours: Callable[[str], bool]) -> IssueComment | None:
    """Return the one of `comments` that is ours, None without one."""
    return next(
        (one for one in comments.listed() if one.user.login == BOT_LOGIN and is_ours(one.body)),
        None,
    )


def begins_with(body: str, first_line: str) -> bool:
    """Return whether a text of ours begins with `first_line`."""
    # What somebody edits in a browser gets other line endings.
    return body.replace("\r\n", "\n").startswith(first_line)
