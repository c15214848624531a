"""All that a run shows: its log, its annotations, and the summary of its job.

What is shown can quote a stranger: a config, the name of a file in an archive, a server. None of it
controls a terminal, or GitHub's runner, which takes a line of the log that begins with `::`, and
`##[` anywhere in a line, for a command to itself.
"""

import logging
import os
import re
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

from scripts.errors import one_line, printable

# https://docs.github.com/actions/reference/workflow-commands-for-github-actions
# The escapes are those of JSON, so that a plan in JSON stays one.
COMMANDS = {
    re.compile("^( *):(?=:)", re.MULTILINE): r"\1\\u003a",
    re.compile(r"##(?=\[)"): r"#\\u0023",
}


def shown(text: str) -> str:
    """Return `text` without control characters, and without a command to GitHub's runner."""
    text = printable(text)
    for command, escaped in COMMANDS.items():
        text = command.sub(escaped, text)
    return text


def say(text: str) -> None:
    """Print lines to stdout: what a verb was asked for."""
    _print(shown(text), sys.stdout)


def log(text: str) -> None:
    """Print lines to stderr: errors, warnings, progress."""
    _print(shown(text), sys.stderr)


def annotate(kind: str, message: str, **properties: object) -> None:
    """Let GitHub show a message beside a line of a file, or on the page of the run.

    Outside of a workflow run it does nothing.
    """
    if os.environ.get("GITHUB_ACTIONS") == "true":
        _print(_annotation(kind, message, **properties), sys.stdout)


def summarize(markdown: str) -> None:
    """Add `markdown` to the summary of the job; outside of a workflow run it does nothing."""
    if file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.write(shown(markdown))


def take_over() -> None:
    """Let what Python and libraries print by themselves pass through `shown`."""
    sys.excepthook = lambda *error: log("".join(traceback.format_exception(*error)))
    warnings.showwarning = lambda *warning: log(warnings.formatwarning(*warning[:4]))
    logging.setLogRecordFactory(_record)


def _annotation(kind: str, message: str, **properties: object) -> str:
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{kind} {given}::{_escaped(message)}"


def _record(*values: Any, **named: Any) -> logging.LogRecord:
    record = logging.LogRecord(*values, **named)
    record.msg, record.args = shown(record.getMessage()), ()
    if record.exc_info and record.exc_info[0]:
        record.exc_text = shown("".join(traceback.format_exception(*record.exc_info)))
    return record


def _print(text: str, stream: Any) -> None:
    # A line that is not ended would begin the next one.
    print(text.removesuffix("\n"), file=stream, flush=True)


def _escaped(text: str) -> str:
    return one_line(text).replace("##[", r"#\u0023[").replace("%", "%25")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
