"""The output of a run: log, annotations, and the summary of the job.

Output can quote untrusted text: a config, a file name in an archive, a server. It must not control
a terminal, or GitHub's runner, which runs commands in log lines that begin with `::` or contain
`##[`.
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
    """Return `text` without control characters and workflow commands."""
    text = printable(text)
    for command, escaped in COMMANDS.items():
        text = command.sub(escaped, text)
    return text


def say(text: str) -> None:
    """Print lines to stdout: the result of a verb."""
    _print(shown(text), sys.stdout)


def log(text: str) -> None:
    """Print lines to stderr: errors, warnings, progress."""
    _print(shown(text), sys.stderr)


def annotate(kind: str, message: str, **properties: object) -> None:
    """Annotate a line of a file, or the page of the run, on GitHub.

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
    """Pass the output of Python and libraries through `shown`."""
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
    # An unterminated line would be joined with the next one.
    print(text.removesuffix("\n"), file=stream, flush=True)


def _escaped(text: str) -> str:
    return one_line(text).replace("##[", r"#\u0023[").replace("%", "%25")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
