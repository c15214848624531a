"""Errors that the user can fix."""


class UserError(Exception):
    """An error that the user can fix; its text says what is wrong, where, and how to fix it.

    The command line shows it as a message and exits with code 1. Any other exception is a bug.
    """

    def __init__(self, message: str) -> None:
        """Escape control characters in `message`."""
        super().__init__(printable(message))


def printable(text: str) -> str:
    """Return `text` with control characters escaped, except for line breaks.

    Messages can quote untrusted text: a config, a tag, a server.
    """
    return "".join(
        x if x.isprintable() or x == "\n" else x.encode("unicode_escape").decode() for x in text
    )


def one_line(text: str) -> str:
    """Return `text` with control characters and line breaks escaped."""
    return printable(text).replace("\n", "\\n")
