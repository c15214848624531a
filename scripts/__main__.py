"""The command line: `python -m scripts VERB`."""

import argparse
import gc
import importlib
import locale
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from scripts import output
from scripts.errors import UserError
from scripts.git import git
from scripts.github import whole_list
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.problems import InputError
from scripts.storage.faults import FaultsError

DESCRIPTION = f"""\
A dataset that people change by pull request.

Edit {CONFIG_FILE}, see what it would change, build it, and open a pull request; the
workflows run these same verbs. Nobody types a dvc command.
"""
EXAMPLES = f"""\
a change, from the edit to the release:
  $EDITOR {CONFIG_FILE}           say what the dataset should be
  python -m scripts validate            is the config valid?
  python -m scripts plan                what would it change?
  python -m scripts build               build dataset/ to inspect the images
  git commit {CONFIG_FILE}        open a pull request; its merge publishes the release

`python -m scripts VERB --help` tells more about each verb.
"""
INTERRUPTED = 130
# Objects that are made until the collector looks for cycles; Python's own is 700.
GC_THRESHOLD = 200_000
MAX_NEIGHBORS = 100

# Adds a verb, given its name, a summary and details.
Verb = Callable[[str, str, str], argparse.ArgumentParser]


class _Parser(argparse.ArgumentParser):
    """A parser whose messages quote its arguments as all output does."""

    def _print_message(self, message: str, file: Any = None) -> None:
        (output.log if file is sys.stderr else output.say)(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit code: 0, 1 for errors that the user can fix, 2 for usage."""
    options = _parser().parse_args(arguments)
    command = importlib.import_module(f"scripts.commands.{options.verb.replace('-', '_')}")
    try:
        _check_home()
        return int(command.run(options, git.find(Path.cwd())) or 0)
    except InputError as error:
        whole_list.print_problems(error, git.find(Path.cwd()).root, options.verb)
        return 1
    except UserError as error:
        output.log(f"error: {error}")
        if isinstance(error, FaultsError):
            whole_list.show(git.find(Path.cwd()).root, options.verb, error.whole, output.log)
        return 1
    except KeyboardInterrupt:
        output.log("interrupted; run it again to continue")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output, such as `head`, has closed it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk or a folder without write permission is not a bug of the program.
        where = f"{error.filename}: " if error.filename else ""
        output.log(f"error: {where}{error.strerror or error}")
        return 1


def _check_home() -> None:
    """Raise `UserError` where libraries would find no home, as for a user without a name."""
    try:
        Path.home()
    except RuntimeError:
        raise UserError(
            "this user has no home folder: the system does not know the user, and HOME is not set."
            " Set HOME to a folder of the user."
        ) from None


@cache
def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
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

    _add_verbs_for_data(verb)
    _add_verbs_for_curation(verb)
    _add_verbs_for_releases(verb)
    _add_verbs_for_workflows(verb)
    _add_verbs_for_maintainers(verb)
    return parser


def _add_verbs_for_data(verb: Verb) -> None:
    verb(
        "validate",
        "check the config, by itself and against its source",
        "Prints every problem with its file, line and column; exit code 1. Loads the source to"
        " know its classes and how many images each has. Checks releases.yaml too.",
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
    compare = verb(
        "diff",
        "show what differs between two releases",
        "Counts by class, images added, removed or moved. Reads the images' digests from the"
        " remote where they are not known here.",
    )
    compare.add_argument("before", metavar="BEFORE", help="a release, such as v0")
    compare.add_argument("after", metavar="AFTER", help="a later one, such as v1")
    compare.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="default: text"
    )
    verb(
        "build",
        "build dataset/ from the config",
        "The same config gives the same files on every machine. Changes no file that git tracks.",
    )

    ingest = verb(
        "ingest",
        "append images to a source of your own",
        "Reads images in folders (LABEL/FILE, or train/LABEL/FILE and test/LABEL/FILE), or Parquet"
        " files with the columns image and label, from a folder, an archive (zip, tar) or a bucket."
        " Stores them in the remote, then writes sources/NAME.dvc. Images that are there already"
        " are skipped.",
    )
    ingest.add_argument("name", metavar="NAME", help="of the source, as in 'source: NAME'")
    ingest.add_argument(
        "location", metavar="LOCATION", help="a path or an address such as gs://bucket/folder"
    )
    ingest.add_argument(
        "--branch",
        action="store_true",
        help="for workflows: push the result as the branch ingest/NAME",
    )


def _add_verbs_for_curation(verb: Verb) -> None:
    curate = verb(
        "curate",
        "put what a model gets wrong into curation.csv",
        "Adds a test row for each sample that no comparable release trains on, and says why it does"
        " not add the others. Existing rows stay as they are. A row of FAILURES.csv that cannot be"
        " read is listed, and the others are used.",
    )
    curate.add_argument(
        "failures",
        metavar="FAILURES.csv",
        type=Path,
        help="what an evaluation writes: a column file or sample, optionally label, predicted and"
        " score",
    )
    curate.add_argument(
        "--similar",
        metavar="N",
        type=_number_of_neighbors,
        default=0,
        help="for each sample, add the N nearest ones that the dataset does not have and no"
        " comparable release tests on, as train rows",
    )
    similar = verb(
        "similar",
        "show the samples that are most like others",
        "They are those that `curate --similar` would add to the train set. Changes nothing.",
    )
    similar.add_argument(
        "samples", metavar="SAMPLE", nargs="+", help="an identifier or a file name, such as 00058"
    )
    for parser in (curate, similar):
        parser.add_argument(
            "--sheet", metavar="FILE", type=Path, help="draw each sample beside the nearest ones"
        )


def _number_of_neighbors(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= MAX_NEIGHBORS):
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {MAX_NEIGHBORS}")
    return int(text)


def _add_verbs_for_releases(verb: Verb) -> None:
    verb(
        "push",
        "copy what was built to the remote",
        "Copies the objects of the newest build that the remote lacks, then verifies that every"
        " object is there, and that those that no release verified are intact. Refuses when the"
        " config has changed since the build.",
    )
    verb(
        "release",
        "publish every change on main that has no release",
        "For each change of the dataset on origin's main since the newest tag: builds it, pushes"
        " it, commits its lock, tags it v0, v1, … and pushes the tag; then updates main. Can be run"
        " again at any time; it succeeds when there is nothing to do.",
    )
    verb(
        "promote",
        "make the branch stable hold the release that releases.yaml names",
        "The branch holds config, curation, lock and .dvc/ of that release on main, for"
        " `dvc get --rev stable`. Can be run again at any time.",
    )
    verify = verb(
        "verify",
        "check that releases are complete and intact",
        "Reads every object of the releases from the remote that each of them names, and compares"
        " its checksum with its name.",
    )
    verify.add_argument(
        "tags", metavar="TAG", nargs="*", help="or stable; default: all releases, and stable"
    )
    verify.add_argument(
        "--quick", action="store_true", help="only look for the objects, do not read them"
    )
    repair = verb(
        "repair",
        "build a damaged release again and upload what is missing",
        "Builds it from the inputs of its own tag, and uploads the objects and records that its"
        " remote lacks. Damaged ones are listed with the command that removes them; they are"
        " uploaded once they are gone.",
    )
    repair.add_argument("tag", metavar="TAG", help="a release, such as v1")
    package = verb(
        "package",
        "write the files of a release",
        "Parquet files for each split, a zip file of the images, a description in Croissant, the"
        " dataset card and checksums. The same release gives the same files.",
    )
    package.add_argument("tag", metavar="TAG", help="a release, such as v1")
    package.add_argument("--out", metavar="DIR", type=Path, required=True)
    site = verb(
        "site",
        "write the catalogue: a static site of all releases",
        "Counts over time, and for each release its images, what it changes, near-duplicates,"
        " config and card; a comparison of any two. It opens from the disk and needs no server. The"
        " pictures of a release are made once and kept in the remote.",
    )
    site.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="a new folder, or an older catalogue"
    )
    collect = verb(
        "gc",
        "list the objects in the remote that nothing needs",
        "Nothing needs what no branch, tag or open pull request names, in any of its commits."
        " What is younger than 14 days is kept. With --yes it is deleted; as no release may run at"
        " the same time, start the workflow Garbage collection instead.",
    )
    collect.add_argument("--yes", action="store_true", help="delete them")
    remote = verb(
        "remote",
        "set the remote in .dvc/config",
        "Any address that DVC knows and whose client is installed, such as Google Cloud Storage.",
    )
    remote.add_argument("url", metavar="URL", help="gs://bucket/path, or a folder")


def _add_verbs_for_workflows(verb: Verb) -> None:
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
        "curate-issue",
        "propose what an issue reports about samples",
        "For workflows. Pushes a branch that edits curation.csv, and answers in the issue with the"
        " link that opens the pull request. The text of the issue is not trusted.",
    )
    verb(
        "report-health",
        "verify all releases and keep one issue about what is damaged",
        "For workflows. The issue says what is damaged and how to repair it; it is updated by every"
        " run, and closed when all releases are complete and intact.",
    )
    verb(
        "publish-notes",
        "publish a GitHub release, with its files, for every tag that has none",
        "For workflows. The notes show the counts compared with the release before. The files are"
        " those of `package`; they go to a draft, which is published once it has all of them.",
    )
    verb(
        "publish-candidate",
        "publish what a pull request would release as the branch candidate/NUMBER",
        "For workflows that follow another one, after the files were stored. The comment shows how"
        " to get it. Candidates of closed pull requests are removed.",
    )
    verb(
        "publish-preview",
        "show the contact sheet of a pull request in its comment",
        "For workflows that follow another one. Main's code draws it. It is a file of the branch"
        " previews, from which the sheets of closed pull requests are removed.",
    )
    verb(
        "update-comments",
        "update the comments on open pull requests",
        "For workflows. After a release, other pull requests would publish another version than"
        " their comments say. Candidates of closed pull requests are removed.",
    )


def _add_verbs_for_maintainers(verb: Verb) -> None:
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


def _in_utf8() -> None:
    """Start again in UTF-8 mode where the locale has another encoding.

    DVC and git read and write paths and files in the encoding of the locale; in plain ASCII a path
    such as `Größe/` would be an error. See https://docs.python.org/3/library/os.html#utf8-mode.
    """
    if locale.getpreferredencoding(do_setlocale=False).lower().replace("-", "") == "utf8":
        return
    command = [sys.executable, "-X", "utf8", "-m", "scripts", *sys.argv[1:]]
    if os.name == "nt":
        # There, exec would return to the shell before the verb has ended.
        sys.exit(subprocess.call(command))
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    _in_utf8()
    output.take_over()
    # With a tuple for each image, Python's collector looks at all of them again and again, for
    # cycles that there are not: a fifth of the time of a plan.
    gc.set_threshold(GC_THRESHOLD)
    sys.exit(main())
