"""Each message in docs/troubleshooting.md is one that the code can print."""

import ast
import re
from collections.abc import Iterator

from tests.repository import PROJECT

PAGE = PROJECT / "docs" / "troubleshooting.md"
# What a message has in place of a value.
VALUE = "…"


def texts() -> Iterator[str]:
    """Yield every text in the code, with `VALUE` for values."""
    for file in sorted((PROJECT / "scripts").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (
                    one.value if isinstance(one, ast.Constant) else VALUE for one in node.values
                )
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_each_message_is_in_the_code() -> None:
    messages = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    code = "\n".join(texts())

    assert len(messages) > 30
    assert [message for message in messages if message.rstrip(VALUE) not in code] == []
