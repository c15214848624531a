"""Errors that the user can fix."""


class UserError(Exception):
    """An error that the user can fix; its text says what is wrong, where, and what to do.

    The command line shows it as a message and exits with code 1. Any other exception is a bug.
    """

    def __init__(self, message: str) -> None:
        """Keep `message`, with what would control a terminal written out."""
        super().__init__(printable(message))


def printable(text: str) -> str:
    """Return `text` with every control character but line breaks as its escape sequence.

    What a message quotes can come from a stranger: a config, a tag, a server.
    """
    return "".join(
        x if x.isprintable() or x == "\n" else x.encode("unicode_escape").decode() for x in text
    )


def one_line(text: str) -> str:
    """Return `text` with every control character, line breaks included, as its escape sequence."""
    return printable(text).replace("\n", "\\n")
