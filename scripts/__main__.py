"""The command line: `python -m scripts VERB`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts import actions, lock, proposal, releases, store, verification
from scripts import git as git_
from scripts import report as report_
from scripts.config import CONFIG_FILE, ConfigError
from scripts.errors import UserError
from scripts.git import Git
from scripts.lock import LOCK_FILE
from scripts.release import release as publish
from scripts.report import Change, in_words
from scripts.store import Store

DESCRIPTION = f"""\
A dataset that people change by pull request.

Edit {CONFIG_FILE}, look at what it would change, make it, and open a pull request;
the workflows run these same verbs. Nobody types a dvc command.
"""
EXAMPLES = f"""\
a change, from the first look to the release:
  $EDITOR {CONFIG_FILE}           say what the dataset should be
  python -m scripts validate            is the config right?
  python -m scripts plan                what would it change?
  python -m scripts build               make dataset/ to look at it
  git commit {CONFIG_FILE}        open a pull request; its merge publishes the release

python -m scripts VERB --help tells more about each.
"""
FORMATS: dict[str, Callable[[Change], str]] = {
    "text": report_.text,
    "markdown": report_.markdown,
    "json": report_.as_json,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit code: 0, 1 for what the user can put right, 2 for usage."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options, git_.find(Path.cwd())) or 0)
    except ConfigError as error:
        print(error, file=sys.stderr)
        if actions.running():
            print(actions.annotations(error))
        return 1
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk, a folder that may not be written: the machine's, not the program's fault.
        print(f"error: {error.filename or 'this machine'}: {error.strerror}", file=sys.stderr)
        return 1


def validate(_: argparse.Namespace, git: Git) -> None:
    """Check the config, in its own terms and against its source."""
    wanted = proposal.read(git)
    print(f"{CONFIG_FILE} is valid: {in_words(wanted.selection.counts())}")


def plan(options: argparse.Namespace, git: Git) -> None:
    """Show what the config would change."""
    wanted = proposal.read(git)
    before = releases.latest(git) if options.against is None else releases.get(git, options.against)
    print(FORMATS[options.format](proposal.change(git, wanted, before)), end="")


def build(_: argparse.Namespace, git: Git) -> None:
    """Make dataset/ and the lock."""
    wanted = proposal.read(git)
    place = Store(git.root)
    listing = wanted.cache(place)
    place.checkout(listing)
    made = wanted.lock(listing)
    store.write_text(git.root / LOCK_FILE, lock.render(made))
    print(f"dataset/ holds {in_words(made.meta.counts)} ({report_.size(made.size)}, {made.md5})")


def push(_: argparse.Namespace, git: Git) -> None:
    """Copy the lock's objects to the remote."""
    recorded = proposal.recorded(git.root)
    if recorded is None:
        raise UserError(f"there is no {LOCK_FILE} yet. Make it first: python -m scripts build")
    place = Store(git.root)
    copied = place.push(recorded.md5)
    print(f"{place.url} holds all {recorded.nfiles:,} files of {recorded.md5} ({copied:,} copied)")


def release(_: argparse.Namespace, git: Git) -> None:
    """Publish every change on main that has no release."""
    outcome = publish(git)
    for made in outcome.published:
        print(f"{made.tag} is published: {in_words(made.lock.meta.counts)} ({made.commit[:10]})")
    if not outcome.published and not outcome.failure:
        print("nothing to release: the dataset on main is released already")
    for commit, error in outcome.passed_over.items():
        if error is not outcome.failure:
            print(f"passed over {commit[:10]}, whose config was invalid: {error}", file=sys.stderr)
    if outcome.main_refused:
        print(
            f"main does not follow: origin refused it ({outcome.main_refused}).\n"
            f"The releases are complete all the same; only {LOCK_FILE} on main is behind. To let"
            " main follow, give the release workflow a deploy key that the branch rules let pass.",
            file=sys.stderr,
        )
    if outcome.failure:
        raise outcome.failure


def verify(options: argparse.Namespace, git: Git) -> int:
    """Check that releases are whole and true."""
    tags = options.tags or releases.tags(git)
    broken = 0
    for finding in verification.verify(git, tags, quick=options.quick):
        if finding.problems:
            broken += 1
            print(f"{finding.tag}  broken")
            print("\n".join(f"    {problem}" for problem in finding.problems))
        else:
            print(f"{finding.tag}  whole: {finding.files:,} files")
    if not tags:
        print("there is no release yet")
    return 1 if broken else 0


def remote(options: argparse.Namespace, git: Git) -> None:
    """Point .dvc/config at a bucket or folder."""
    Store(git.root).set_remote(options.url)
    place = Store(git.root)
    print(f"the remote is {place.url} now; commit .dvc/config to let everyone use it")


def report(options: argparse.Namespace, git: Git) -> None:
    """Write what a pull request shows its reviewers."""
    from scripts import messages

    found = messages.write_report(git, options.folder, options.stored)
    actions.summarize(report_.comment(found))
    print(report_.title(found))


def comment(options: argparse.Namespace, _: Git) -> None:
    """Post a report on the pull request that started the workflow."""
    from scripts import messages

    print(messages.comment(options.folder, options.sheet))


def relay(_: argparse.Namespace, __: Git) -> None:
    """Post the report of a fork's workflow run on its pull request."""
    from scripts import messages

    print(messages.relay())


def announce(_: argparse.Namespace, git: Git) -> None:
    """Publish a GitHub release for every tag that has none."""
    from scripts import messages

    for address in messages.announce(git):
        print(address)


def refresh(_: argparse.Namespace, git: Git) -> None:
    """Bring the comments on open pull requests up to date."""
    from scripts import messages

    for address in messages.refresh(git):
        print(address)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def verb(run: Callable[..., int | None], name: str, teaches: str) -> argparse.ArgumentParser:
        summary = (run.__doc__ or "").rstrip(".")
        added = verbs.add_parser(name, help=summary, description=f"{summary}. {teaches}")
        added.set_defaults(run=run)
        return added

    verb(
        validate,
        "validate",
        "Prints every error at once, each with file, line and column; exit code 1. Loads the"
        " source, to know its classes and how many images each has.",
    )
    planning = verb(
        plan,
        "plan",
        "Counts by split and class before and after, samples added and removed, bytes, warnings."
        " Writes nothing and needs no access to the remote.",
    )
    planning.add_argument(
        "--against", metavar="REV", help="compare with this git revision, not the latest release"
    )
    planning.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    verb(
        build,
        "build",
        f"The same config gives the same files on every machine. {LOCK_FILE} records them.",
    )
    verb(
        push,
        "push",
        f"Copies what {LOCK_FILE} names and the remote lacks, then asks the remote for every"
        " single object as a proof.",
    )
    verb(
        release,
        "release",
        "For each change of the dataset on origin's main since the newest tag: makes it, pushes"
        " it, commits its lock, tags it v0, v1, … and pushes the tag; then lets main follow. Can"
        " be run again at any time; nothing to do is a success.",
    )
    verifying = verb(
        verify,
        "verify",
        "Reads every object of the releases from the remote that each of them names, and compares"
        " its bytes with its name.",
    )
    verifying.add_argument("tags", metavar="TAG", nargs="*", help="default: all releases")
    verifying.add_argument(
        "--quick", action="store_true", help="only ask whether objects are there"
    )
    remoting = verb(
        remote,
        "remote",
        "Any address that DVC knows and whose client is installed; Google Cloud Storage is.",
    )
    remoting.add_argument("url", metavar="URL", help="gs://bucket/path, or a folder")
    reporting = verb(
        report,
        "report",
        "Writes report.json and a contact sheet to a folder, and the report to the summary of the"
        " job. Says what is wrong as well as what would change, so it succeeds either way.",
    )
    reporting.add_argument("folder", metavar="FOLDER", type=Path)
    reporting.add_argument(
        "--stored", choices=("yes", "no", "failed"), help="whether the remote holds the files"
    )
    commenting = verb(comment, "comment", "For workflows. One comment, kept up to date.")
    commenting.add_argument("folder", metavar="FOLDER", type=Path, help="where the report is")
    commenting.add_argument("--sheet", metavar="URL", help="where the contact sheet is")
    verb(
        relay,
        "relay",
        "For workflows that follow another one. The report is taken as untrusted: bounded, and"
        " drawn anew from its numbers.",
    )
    verb(announce, "announce", "For workflows. Its notes hold the counts against the one before.")
    verb(
        refresh,
        "refresh",
        "For workflows. After a release, others would become another version than they say.",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
