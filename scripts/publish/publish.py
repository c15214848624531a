"""Release: publish every unreleased change on main, in order, then update main's lock."""

from dataclasses import dataclass, field
from itertools import islice

from scripts import cluster
from scripts.cluster import Connection
from scripts.dataset.distributed import Cluster
from scripts.errors import UserError
from scripts.git import commits
from scripts.git.git import MAIN, TRACKED_MAIN, Git
from scripts.inputs.paths import (
    CHECKED_PATHS,
    INPUT_PATHS,
    PREDICTIONS_FILE,
    RELEASES_FILE,
)
from scripts.inputs.problems import InputError
from scripts.publish import bucket, origin
from scripts.publish.publisher import MissingShardsError, Publisher, UnknownLeaksError
from scripts.releases import releases, resolve
from scripts.releases.history import History
from scripts.releases.lock import LOCK_FILE
from scripts.releases.releases import Release
from scripts.runner import LOCAL, Runner
from scripts.storage import settings
from scripts.storage.consumer import UnreadableError
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH

# Without a change of these, the dataset and how consumers read it do not change.
RELEVANT_PATHS = (
    *INPUT_PATHS,
    *sorted({*CHECKED_PATHS} - {LOCK_FILE, RELEASES_FILE, PREDICTIONS_FILE}),
)


# A commit that fails with one of these is skipped once a later commit can be released.
SKIPPED = (InputError, UnreadableError, UnknownLeaksError, MissingShardsError)


@dataclass
class PublishOutcome:
    """The result of a run.

    `published` are the new releases. `skipped` are commits that cannot be released and were fixed
    by a later commit; `failure` is the error of the newest one. `main_refused` is the output of git
    if main could not be updated. `not_rebuilt` is a release to which main was not updated, because
    its commit gives different files than its lock. `rejected` are tags that are not releases, with
    the reason. `no_bucket` means that nothing was released because the remote is still the folder
    of the template.
    """

    published: list[Release] = field(default_factory=list)
    skipped: dict[str, UserError] = field(default_factory=dict)
    failure: UserError | None = None
    main_refused: str | None = None
    not_rebuilt: str | None = None
    rejected: dict[str, str] = field(default_factory=dict)
    no_bucket: bool = False


def release(git: Git, runner: Runner = LOCAL) -> PublishOutcome:
    """Publish every change of the dataset on origin's main that has no release yet, in order.

    Can be run again after a crash at any point, and at the same time as another run. A runner of
    GitHub's refuses a folder as the remote. Raises `UserError` when origin or the remote refuses.
    """
    outcome = PublishOutcome()

    def attempt() -> None:
        origin.fetch(git)
        history = _publish_all(git, outcome, runner)
        _update_main(git, outcome, history)

    origin.try_again(attempt)
    return outcome


def _publish_all(git: Git, outcome: PublishOutcome, runner: Runner) -> History:
    found = releases.scan(git)
    history = History(git, found.accepted)
    outcome.skipped, outcome.failure, outcome.rejected = {}, None, found.rejected
    unreleased = _unreleased(git, found.latest)
    if not unreleased:
        return history
    # The remote of main now, not that of each commit: consumers of the release will use it, because
    # it is copied into the commit of the release.
    committed = git.file(git.commit(TRACKED_MAIN), CONFIG_PATH) or b""
    remote = open_remote(git.root, committed, f"{CONFIG_PATH} on {MAIN}")
    outcome.no_bucket = not bucket.is_ready(git, remote, committed, runner)
    if outcome.no_bucket:
        return history
    with cluster.connected(runner) as connection:
        used = _cluster(git, connection, committed) if connection else None
        publisher = Publisher(git, remote, committed, history, used)
        for commit in unreleased:
            try:
                made = publisher.publish(commit)
            except SKIPPED as error:
                outcome.skipped[commit] = outcome.failure = error
                continue
            outcome.failure = None
            if made:
                history.add(made)
                outcome.published.append(made)
    return history


def _cluster(git: Git, connection: Connection, committed: bytes) -> Cluster:
    """Return the cluster of `connection`, whose workers have their own identity."""
    section = settings.remote_section(git.root, committed)
    return Cluster(connection, settings.without_credentials(section), cluster.code()[0])


def _unreleased(git: Git, before: Release | None) -> list[str]:
    """Return the commits on main since `before` that can change the dataset, oldest first.

    Before the first release, return only the newest one.
    """
    since = [f"^{before.commit}"] if before else []
    line = git("rev-list", "--first-parent", *since, TRACKED_MAIN).split()
    # Not filtered by rev-list, which skips a merge right after the excluded commit.
    changing = (commit for commit in line if _is_relevant(git, commit))
    return list(changing)[::-1] if before else list(islice(changing, 1))


def _is_relevant(git: Git, commit: str) -> bool:
    parents = git("rev-list", "--parents", "--max-count=1", commit).split()[1:]
    return not parents or bool(
        git("diff-tree", "-r", "--name-only", parents[0], commit, "--", *RELEVANT_PATHS)
    )


def _update_main(git: Git, outcome: PublishOutcome, history: History) -> None:
    """Make main at origin contain the newest release and its lock.

    This is a fast-forward, or a merge of the release if main has new commits. Main is only updated
    to a release that this run has built, or can build again, so not to an edited lock. `outcome`
    records this, and a push that a rule forbids.
    """
    newest = history.latest
    if newest is None:
        return
    tip = git.commit(TRACKED_MAIN)
    content = git.file(newest.commit, LOCK_FILE) or b""
    contained = git.is_ancestor(newest.commit, tip)
    if contained and git.file(tip, LOCK_FILE) == content:
        return
    if newest not in outcome.published and not _can_be_rebuilt(git, newest):
        outcome.not_rebuilt = newest.tag
        return
    if git.is_ancestor(tip, newest.commit):
        target = newest.commit
    else:
        merged = [] if contained else [newest.commit]
        message = f"Update the lock to {newest.tag}"
        target = commits.commit(git, {LOCK_FILE: content}, message, tip, *merged)
    outcome.main_refused = origin.push_main(git, target)


def _can_be_rebuilt(git: Git, release: Release) -> bool:
    """Return whether the commit of `release` gives the files in its lock."""
    try:
        dataset = resolve.of_release(git, release)
    except InputError:
        return False
    return dataset.manifest.md5 == release.lock.md5
