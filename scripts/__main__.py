"""The command line: `python -m scripts VERB`."""

import argparse
import ast
import gc
import importlib
import locale
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from scripts import __version__, outcome, output, unexpected
from scripts.errors import UserError
from scripts.git import git
from scripts.github import actions
from scripts.inputs.paths import CONFIG_FILE

DESCRIPTION = f"""\
A dataset that people change by pull request.

Edit {CONFIG_FILE}, see what it would change, build it, and open a pull request; the
workflows run these same verbs. Nobody types a dvc command.
"""
EXAMPLES = f"""\
a change, from the edit to the release:
  $EDITOR {CONFIG_FILE}           describe the dataset
  python -m scripts validate            check the config
  python -m scripts plan                show the changes
  python -m scripts build               build dataset/ to inspect the images
  git commit {CONFIG_FILE}        open a pull request; its merge publishes the release

`python -m scripts VERB --help` shows the options of each verb.
"""
INTERRUPTED = 130
UNEXPECTED = 3
# New objects before Python's garbage collector runs; Python's default is 700.
GC_THRESHOLD = 200_000
COMMANDS = Path(__file__).parent / "commands"
INIT = "__init__.py"
PROGRAM = "python -m scripts"


class _Parser(argparse.ArgumentParser):
    """A parser whose messages quote its arguments as all output does."""

    def _print_message(self, message: str, file: Any = None) -> None:
        (output.log if file is sys.stderr else output.say)(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit code: 0, 1 for errors that the user can fix, 2 for usage.

    Any other error is raised: it is a bug in the machinery.
    """
    given = sys.argv[1:] if arguments is None else arguments
    options = parser_of(given).parse_args(given)
    command = importlib.import_module(options.module)
    try:
        return outcome.of(options.verb, lambda: _work(command, options))
    except KeyboardInterrupt:
        output.log("interrupted; run it again to continue")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output, such as `head`, has closed it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk or missing write permission is not a bug.
        where = f"{error.filename}: " if error.filename else ""
        output.log(f"error: {where}{error.strerror or error}")
        return 1


def _work(command: ModuleType, options: argparse.Namespace) -> int | None:
    _check_home()
    code: int | None = command.run(options, git.find(Path.cwd()))
    return code


def _run() -> int:
    """Run one verb as a process; an unexpected error is one message, and exit code 3."""
    try:
        return main()
    except Exception as error:  # noqa: BLE001 - the details of any are kept
        # The disk of a workflow run is deleted; only its log is kept.
        folder = None if actions.running() else _root()
        output.log(unexpected.message(error, folder))
        return UNEXPECTED


def _root() -> Path | None:
    """Return the folder of the repository, None outside of one."""
    try:
        return git.find(Path.cwd()).root
    except (UserError, OSError):
        return None


def _check_home() -> None:
    """Raise `UserError` if libraries would not find a home folder, such as for an unknown user."""
    try:
        Path.home()
    except RuntimeError:
        raise UserError(
            "the user has no home folder: HOME is not set, and the system does not know the user. "
            "Set HOME to a folder of the user."
        ) from None


def parser_of(given: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the verb at the start of `given`, otherwise of all verbs."""
    parser = _Parser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_verbs(parser, given, COMMANDS)
    return parser


def _add_verbs(parser: argparse.ArgumentParser, given: Sequence[str], folder: Path) -> None:
    """Add the verbs whose modules are in `folder`: the first of `given`, otherwise all.

    Only the given verb is loaded, because a verb can need large libraries.
    """
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    found = {_name(path): path for path in sorted(folder.iterdir()) if _is_verb(path)}
    chosen = next(iter(given), "")
    if chosen in found:
        found = {chosen: found[chosen]}
    for name, path in found.items():
        summary, _, details = _docstring(path).partition("\n")
        described = f"{summary} {' '.join(details.split())}"
        shown = summary[:1].lower() + summary[1:].rstrip(".")
        added = verbs.add_parser(name, help=shown, description=described)
        if path.is_dir():
            _add_verbs(added, given[1:], path)
            continue
        parts = path.relative_to(COMMANDS.parent).with_suffix("").parts
        added.set_defaults(verb=name, module=".".join(["scripts", *parts]))
        if name == chosen:
            command = importlib.import_module(added.get_default("module"))
            if hasattr(command, "add_arguments"):
                command.add_arguments(added)


def _is_verb(path: Path) -> bool:
    if path.is_dir():
        return (path / INIT).exists()
    return path.suffix == ".py" and path.name != INIT


def _name(path: Path) -> str:
    return path.stem.replace("_", "-")


def _docstring(path: Path) -> str:
    """Return the docstring of a module or a package."""
    file = path / INIT if path.is_dir() else path
    return ast.get_docstring(ast.parse(file.read_bytes())) or ""


def _in_utf8() -> None:
    """Restart in UTF-8 mode if the locale has another encoding.

    DVC and git read and write paths and files in the encoding of the locale; in plain ASCII a path
    such as `Größe/` would be an error. See https://docs.python.org/3/library/os.html#utf8-mode.
    """
    if locale.getpreferredencoding(do_setlocale=False).lower().replace("-", "") == "utf8":
        return
    command = [sys.executable, "-X", "utf8", "-m", "scripts", *sys.argv[1:]]
    if os.name == "nt":
        # On Windows, exec would return to the shell before the verb has ended.
        sys.exit(subprocess.call(command))
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    _in_utf8()
    output.take_over()
    # With a tuple for each image, the garbage collector would take a fifth of the time of a plan.
    gc.set_threshold(GC_THRESHOLD)
    sys.exit(_run())
