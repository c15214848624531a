"""The command line: `python -m scripts VERB`."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.errors import UserError
from scripts.github import actions
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.problems import InputError
from scripts.versions import git

DESCRIPTION = f"""\
A dataset that people change by pull request.

Edit {CONFIG_FILE}, see what it would change, build it, and open a pull request; the
workflows run these same verbs. Nobody types a dvc command.
"""
EXAMPLES = f"""\
a change, from the first look to the release:
  $EDITOR {CONFIG_FILE}           say what the dataset should be
  python -m scripts validate            is the config valid?
  python -m scripts plan                what would it change?
  python -m scripts build               build dataset/ to look at it
  git commit {CONFIG_FILE}        open a pull request; its merge publishes the release

`python -m scripts VERB --help` tells more about each verb.
"""
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit code: 0, 1 for errors that the user can fix, 2 for usage."""
    options = _parser().parse_args(arguments)
    command = importlib.import_module(f"scripts.commands.{options.verb.replace('-', '_')}")
    try:
        return int(command.run(options, git.find(Path.cwd())) or 0)
    except InputError as error:
        print(error, file=sys.stderr)
        if actions.running():
            print(actions.annotations(error))
        return 1
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run it again to continue", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output, such as `head`, has closed it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk or a folder without write permission is not a bug of the program.
        print(f"error: {error.filename or 'this machine'}: {error.strerror}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", title="verbs", metavar="VERB", required=True)

    def verb(name: str, summary: str, details: str) -> argparse.ArgumentParser:
        return verbs.add_parser(
            name, help=summary, description=f"{summary[:1].upper()}{summary[1:]}. {details}"
        )

    verb(
        "validate",
        "check the config, by itself and against its source",
        "Prints every problem with its file, line and column; exit code 1. Loads the source to"
        " know its classes and how many images each has.",
    )
    plan = verb(
        "plan",
        "show what the config would change",
        "Counts by split and class before and after, samples added and removed, bytes, warnings."
        " Writes nothing and needs no access to the remote.",
    )
    plan.add_argument(
        "--against", metavar="REV", help="compare with this git revision, not the latest release"
    )
    plan.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="default: text"
    )
    verb(
        "build",
        "build dataset/ from the config",
        "The same config gives the same files on every machine. Changes no file that git tracks.",
    )
    verb(
        "push",
        "copy what was built to the remote",
        "Copies the objects of the newest build that the remote lacks, then verifies that every"
        " object is there and intact. Refuses when the config has changed since the build.",
    )
    verb(
        "release",
        "publish every change on main that has no release",
        "For each change of the dataset on origin's main since the newest tag: builds it, pushes"
        " it, commits its lock, tags it v0, v1, … and pushes the tag; then updates main. Can be run"
        " again at any time; it succeeds when there is nothing to do.",
    )
    verify = verb(
        "verify",
        "check that releases are complete and intact",
        "Reads every object of the releases from the remote that each of them names, and compares"
        " its checksum with its name.",
    )
    verify.add_argument("tags", metavar="TAG", nargs="*", help="default: all releases")
    verify.add_argument(
        "--quick", action="store_true", help="only look for the objects, do not read them"
    )
    remote = verb(
        "remote",
        "set the remote in .dvc/config",
        "Any address that DVC knows and whose client is installed, such as Google Cloud Storage.",
    )
    remote.add_argument("url", metavar="URL", help="gs://bucket/path, or a folder")
    report = verb(
        "report",
        "write what a pull request shows its reviewers",
        "Writes report.json and a contact sheet to a folder, and the report to the summary of the"
        " job. Succeeds for an invalid config too: the report then lists the problems.",
    )
    report.add_argument("folder", metavar="FOLDER", type=Path)
    report.add_argument(
        "--stored",
        choices=("yes", "no", "failed"),
        help="whether the remote holds the files",
    )
    comment = verb(
        "comment",
        "post a report on the pull request that started the workflow",
        "For workflows. There is one comment, updated by every run.",
    )
    comment.add_argument("folder", metavar="FOLDER", type=Path, help="where the report is")
    comment.add_argument("--sheet", metavar="URL", help="where the contact sheet is")
    verb(
        "comment-fork",
        "post the report of a fork's workflow run on its pull request",
        "For workflows that follow another one. The report is not trusted: it is bounded, and the"
        " comment is rendered from its numbers.",
    )
    verb(
        "publish-notes",
        "publish a GitHub release for every tag that has none",
        "For workflows. The notes show the counts compared with the release before.",
    )
    verb(
        "update-comments",
        "update the comments on open pull requests",
        "For workflows. After a release, other pull requests would publish another version than"
        " their comments say.",
    )
    upgrade = verb(
        "upgrade",
        "replace the machinery by another version of the template",
        "Replaces every file that is still as the template made it, for a pull request. What the"
        " team owns (config, lock, remote, CODEOWNERS, README) stays; machinery that was edited"
        " here is named and left alone.",
    )
    upgrade.add_argument("version", metavar="VERSION", help="such as 1.2.0; see CHANGELOG.md")
    verb(
        "template-lock",
        "write the lock that the template ships",
        "It records the dataset that the config gives. For maintainers of the template, before the"
        " first release.",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
