"""Escapes untrusted text in Markdown."""

import re

from scripts.errors import one_line, printable

# An image, and HTML. An escaped backslash does not escape the next character.
IMAGE = re.compile(r"!(?=\[)")
HTML = re.compile(r"(?<!\\)((?:\\\\)*)<")

PLAIN = re.compile(r"(?![0-9A-Fa-f]{7,}$)[A-Za-z0-9]+")


def code(text: str) -> str:
    """Return `text` as a code span.

    Text in a code span is not rendered, and creates no links or notifications. The fence is longer
    than any run of backticks in the text.
    """
    flat = one_line(" ".join(text.split())) or " "
    fence = "`" * (_longest(flat) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def cell(text: str) -> str:
    """Return `text` as a code span in a table, with bars escaped.

    A backslash before a bar must not disable the escaping.
    """
    return re.sub(r"(\\*)\|", lambda found: f"{found[1]} \\|" if found[1] else "\\|", code(text))


def name(text: str) -> str:
    """Return the name of a class or a revision, as a code span where it is more than plain.

    GitHub would link an address or a reference, which dots and dashes can make of a name, and what
    could be the hash of a commit.
    """
    return text if PLAIN.fullmatch(text) else code(text)


def name_cell(text: str) -> str:
    """Return the name of a class or a revision in a table; see `name`."""
    return text if PLAIN.fullmatch(text) else cell(text)


def fenced(text: str, language: str = "text") -> str:
    """Return `text` as a code block, with a fence longer than any run of backticks in it."""
    shown = printable(text.replace("\r\n", "\n")).strip("\n")
    fence = "`" * max(3, _longest(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def harmless(text: str) -> str:
    """Return untrusted Markdown as one line without images and HTML."""
    return HTML.sub(r"\1\\<", IMAGE.sub(r"!\\", one_line(text)))


def quote(text: str) -> str:
    """Return untrusted Markdown as a quote without images and HTML.

    The end of a quote also ends an unclosed code block in it.
    """
    lines = text.strip().splitlines()
    return "\n".join(f"> {harmless(line)}".rstrip() for line in lines)


def _longest(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)
