"""Text that others wrote, as a part of our Markdown, which it cannot leave."""

import re

from scripts.errors import one_line, printable

# An image, and HTML. A backslash that escapes another one escapes nothing else.
IMAGE = re.compile(r"!(?=\[)")
HTML = re.compile(r"(?<!\\)((?:\\\\)*)<")


def code(text: str) -> str:
    """Return `text` as a code span.

    Nothing inside of a code span renders, links or notifies. Its fence is longer than any run of
    backticks within, so that it cannot end early.
    """
    flat = one_line(" ".join(text.split())) or " "
    fence = "`" * (_longest(flat) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def cell(text: str) -> str:
    """Return `text` as a code span in a table, where a bar would end the cell.

    A bar is escaped; a backslash of the text before it must not escape the escape.
    """
    return re.sub(r"(\\*)\|", lambda found: f"{found[1]} \\|" if found[1] else "\\|", code(text))


def fenced(text: str, language: str = "text") -> str:
    """Return `text` as a code block, whose fence is longer than any run of backticks within."""
    shown = printable(text.replace("\r\n", "\n")).strip("\n")
    fence = "`" * max(3, _longest(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def harmless(text: str) -> str:
    """Return Markdown that people wrote as one line that loads nothing: no images, no HTML."""
    return HTML.sub(r"\1\\<", IMAGE.sub(r"!\\", one_line(text)))


def quote(text: str) -> str:
    """Return Markdown that people wrote as a quote that loads nothing.

    A quote ends what it holds, such as a code block that nobody closed.
    """
    lines = text.strip().splitlines()
    return "\n".join(f"> {harmless(line)}".rstrip() for line in lines)


def _longest(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)
