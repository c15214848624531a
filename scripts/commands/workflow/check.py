"""Check a pull request: validate, build, push, and write the report.

One process for all four, which would otherwise read the same source and releases. Each has its own
output. The report is written also if one fails, and the exit code is that of the first that does.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from scripts import outcome, output
from scripts.commands import build, push, validate
from scripts.commands.workflow import report
from scripts.git.git import Git
from scripts.review.report import Stored


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where the report is written")
    parser.add_argument(
        "--store",
        choices=("true", "false"),
        required=True,
        help="whether this run may store the files in the remote",
    )


def run(options: argparse.Namespace, git: Git) -> int:
    """Run the verb."""
    done = _Steps()
    stored: Stored = "no"
    try:
        done.step("validate", lambda: validate.run(options, git))
        is_built = done.step("build", lambda: build.build(git))
        if is_built and options.store == "true":
            stored = "failed"
            is_stored = done.step("push", lambda: push.push(git))
            if not done.code:
                stored = "yes" if is_stored else "no"
    finally:
        # Also after an error of the disk, or a bug: reviewers must see something.
        code = outcome.of("report", lambda: report.write(git, options.folder, stored))
    return done.code or code


class _Steps:
    """Runs steps until one fails; `code` is its exit code."""

    code = 0

    def step(self, verb: str, work: Callable[[], bool | None]) -> bool:
        """Run `work`, the verb called `verb`, unless one before it failed; return its result."""
        if self.code:
            return False
        output.log(f"{verb}:")
        result = None

        def run_it() -> None:
            nonlocal result
            result = work()

        self.code = outcome.of(verb, run_it)
        return bool(result)
