"""What others wrote stays in its place in our Markdown, and loads nothing."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from scripts import markdown

AFTER = "what follows"
# Text that is likely to break out of something.
NASTY = st.text(st.sampled_from("`~|\\<>![]()#-*_: ax1\n\r\t\x1b\x85\u2028\u202e"), max_size=30)
TEXT = st.one_of(st.text(), NASTY)


def parsed(text: str) -> list[Token]:
    """Return what a reader of Markdown sees, which allows all HTML."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def tokens(found: list[Token]) -> Iterator[Token]:
    for token in found:
        yield token
        yield from token.children or ()


def controls(text: str) -> set[str]:
    return {x for x in text if not (x.isprintable() or x == "\n")}


@given(TEXT)
@example("```\n![b](https://example.com)")
@example("`````")
def test_a_code_block_ends_where_it_should(text: str) -> None:
    shown = markdown.fenced(text)
    block, *rest = parsed(f"{shown}\n\n{AFTER}\n")

    assert (block.type, block.info, controls(shown)) == ("fence", "text", set())
    assert [token.type for token in rest] == ["paragraph_open", "inline", "paragraph_close"]
    assert rest[1].content == AFTER


@given(TEXT)
def test_a_code_span_is_one_and_holds_all(text: str) -> None:
    shown = markdown.code(text)
    _, line, _ = parsed(f"{shown} {AFTER}")

    assert not controls(shown)
    assert line.children
    assert [token.type for token in line.children] == ["code_inline", "text"]
    assert line.children[1].content == f" {AFTER}"


@given(TEXT)
@example("a|b")
def test_a_name_in_a_table_is_plain_or_a_cell(text: str) -> None:
    shown = markdown.name_cell(text)

    assert shown in (text, markdown.cell(text))
    assert shown == markdown.cell(text) or re.fullmatch("[A-Za-z0-9]+", text)


@given(TEXT)
def test_a_cell_is_one_code_span_in_its_column(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {markdown.cell(text)} | {AFTER} |\n\n{AFTER}\n"
    found = parsed(table)
    cells = [one for number, one in enumerate(found) if found[number - 1].type == "td_open"]

    assert [token.type for token in cells[0].children or ()] == ["code_inline"]
    assert cells[1].content == AFTER


@given(TEXT)
@example("```\nnever closed")
@example("<!-- never closed")
@example("\\<img src=https://example.com/b.png>\\\\<img src=https://example.com/b.png>")
@example("![b](https://example.com/b.png) ![b][c]\n\n[c]: https://example.com/b.png")
@example("\\![b](https://example.com/b.png)")
def test_a_quote_loads_nothing_and_ends_what_it_holds(text: str) -> None:
    shown = markdown.quote(text)
    found = parsed(f"{shown}\n\n{AFTER}\n")

    assert not controls(shown)
    assert not {token.type for token in tokens(found)} & {"image", "html_block", "html_inline"}
    assert [(one.type, one.level) for one in found[-3:]] == [
        ("paragraph_open", 0),
        ("inline", 1),
        ("paragraph_close", 0),
    ]
    assert found[-2].content == AFTER


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**Digits**, see https://example.com", "> **Digits**, see https://example.com"),
        ("one\n\n- two\n", "> one\n>\n> - two"),
        ("![b](https://example.com)", "> !\\[b](https://example.com)"),
        ("a <b>", "> a \\<b>"),
    ],
)
def test_other_markdown_stays(text: str, shown: str) -> None:
    assert markdown.quote(text) == shown
