"""The card as HTML."""

from markdown_it import MarkdownIt
from markupsafe import Markup

# The card stands below a heading of the page.
BELOW = 2
DEEPEST = 6
# Ends the header that Hugging Face reads.
HEADER_END = "\n---\n"
# How the parser aligns a column of numbers.
TO_THE_RIGHT = "text-align:right"
# A wide table scrolls by itself.
SCROLLING = {
    "<table>": '<div class="scroll" tabindex="0"><table>',
    "</table>": "</table></div>",
}


def of_card(card: str) -> Markup:
    """Return a card as HTML, without its header; HTML in it is escaped, images become links."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = parser.parse(card.partition(HEADER_END)[2])
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(DEEPEST, int(token.tag[1:]) + BELOW)}"
        if token.type in {"fence", "code_block"}:
            # Scrollable parts can be reached with the keyboard.
            token.attrSet("tabindex", "0")
        if token.attrs.pop("style", None) == TO_THE_RIGHT:
            # Pages have no inline styles.
            token.attrSet("class", "number")
    rendered = parser.renderer.render(tokens, parser.options, {})
    for tag, replacement in SCROLLING.items():
        rendered = rendered.replace(tag, replacement)
    # The parser escapes all text, and leaves out addresses such as javascript:.
    return Markup(rendered)  # noqa: S704
