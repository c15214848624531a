"""Release: publish every unreleased change on main, in order, then update main's lock."""

from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import islice

from scripts import cluster, output
from scripts.dataset.dataset import Dataset
from scripts.dataset.distributed import Cluster, Distributed
from scripts.dataset.targets import Local, Target
from scripts.errors import UserError
from scripts.git import commits
from scripts.git.git import MAIN, TRACKED_MAIN, Git, GitTree
from scripts.inputs import reader
from scripts.inputs.config import PARQUET
from scripts.inputs.paths import (
    CHECKED_PATHS,
    CONFIG_FILE,
    CURATION_FILE,
    INPUT_PATHS,
    RELEASES_FILE,
)
from scripts.inputs.problems import InputError
from scripts.publish import origin
from scripts.releases import comparison, continuity, index, lock, releases, resolve
from scripts.releases.comparison import Comparison
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.lock import LOCK_FILE
from scripts.releases.releases import Release
from scripts.sources import copies
from scripts.sources.pointer import path_of
from scripts.sources.table import Table
from scripts.storage import settings, transfer
from scripts.storage.cache import Cache
from scripts.storage.consumer import UnreadableError, check_readable
from scripts.storage.faults import FaultsError
from scripts.storage.records import Records
from scripts.storage.remote import Remote, open_remote
from scripts.storage.settings import CONFIG_PATH, is_template

# Without a change of these, the dataset and how consumers read it stay as they are.
RELEVANT_PATHS = (*INPUT_PATHS, *sorted({*CHECKED_PATHS} - {LOCK_FILE, RELEASES_FILE}))
FOLDER_ON_RUNNER = (
    "the remote is {url}, a folder on this runner's disk, which is deleted after the run. Set a"
    " bucket as the remote and commit it: python -m scripts remote gs://BUCKET/PATH"
)


class UnknownLeaksError(UserError):
    """Leaks cannot be ruled out, because an older release cannot be read."""


class MissingShardsError(FaultsError):
    """The remote does not have the source of a version, so it could not be built again."""


# A commit that fails with one of these is skipped once a later commit can be released.
SKIPPED = (InputError, UnreadableError, UnknownLeaksError, MissingShardsError)


@dataclass
class PublishOutcome:
    """What a run did.

    `published` are its releases. `skipped` are commits that cannot be released but that a later
    commit fixed; if the newest one still cannot there is a `failure`. `main_refused` is git's
    output when main could not be updated. `not_rebuilt` is a release that main does not follow,
    because its commit gives other files than its lock records. `rejected` are tags that are not
    releases, with the reason. `no_bucket` says that nothing was released because the repository
    still has the template's folder as its remote.
    """

    published: list[Release] = field(default_factory=list)
    skipped: dict[str, UserError] = field(default_factory=dict)
    failure: UserError | None = None
    main_refused: str | None = None
    not_rebuilt: str | None = None
    rejected: dict[str, str] = field(default_factory=dict)
    no_bucket: bool = False


def release(git: Git, *, on_runner: bool = False) -> PublishOutcome:
    """Publish every change of the dataset on origin's main that has no release yet, in order.

    Can be run again after a crash at any point, and at the same time as another run. `on_runner`
    refuses a folder as the remote, because a runner's disk is deleted. Raises `UserError` when
    origin or the remote refuses.
    """
    outcome = PublishOutcome()

    def attempt() -> None:
        origin.fetch(git)
        history = _publish_all(git, outcome, on_runner=on_runner)
        _update_main(git, outcome, history)

    origin.try_again(attempt)
    return outcome


def lacks_bucket(git: Git, committed: bytes | None) -> bool:
    """Return whether nothing is released and `committed` names the template's folder as remote."""
    return is_template(git.root, committed) and not releases.scan(git).accepted


def _publish_all(git: Git, outcome: PublishOutcome, *, on_runner: bool) -> History:
    found = releases.scan(git)
    history = History(git, found.accepted)
    outcome.skipped, outcome.failure, outcome.rejected = {}, None, found.rejected
    commits = _unreleased(git, found.latest)
    if not commits:
        return history
    # The remote that main names now, whatever each commit names: consumers of its release will
    # use it, because it is copied into the commit of the release.
    committed = git.file(git.commit(TRACKED_MAIN), CONFIG_PATH) or b""
    remote = open_remote(git.root, committed, f"{CONFIG_PATH} on {MAIN}")
    if on_runner and remote.is_folder:
        outcome.no_bucket = lacks_bucket(git, committed)
        if outcome.no_bucket:
            return history
        raise UserError(FOLDER_ON_RUNNER.format(url=remote.url))
    with cluster.connected() as executor:
        used = _cluster(git, executor, committed) if executor else None
        publisher = _Publisher(git, remote, committed, history, outcome, used)
        for commit in commits:
            try:
                publisher.publish(commit)
            except SKIPPED as error:
                outcome.skipped[commit] = outcome.failure = error
                continue
            outcome.failure = None
    return history


def _cluster(git: Git, executor: Executor, committed: bytes) -> Cluster:
    """Return the cluster behind `executor`, whose workers have an identity of their own."""
    section = settings.remote_section(git.root, committed)
    return Cluster(executor, settings.without_credentials(section), cluster.code()[0])


def _unreleased(git: Git, before: Release | None) -> list[str]:
    """Return the commits on main since `before` that can change the dataset, oldest first.

    Before the first release it is the newest one alone.
    """
    since = [f"^{before.commit}"] if before else []
    line = git("rev-list", "--first-parent", *since, TRACKED_MAIN).split()
    # Not left to rev-list: its own filter by path skips a merge right behind the excluded commit.
    changing = (commit for commit in line if _is_relevant(git, commit))
    return list(changing)[::-1] if before else list(islice(changing, 1))


def _is_relevant(git: Git, commit: str) -> bool:
    parents = git("rev-list", "--parents", "--max-count=1", commit).split()[1:]
    return not parents or bool(
        git("diff-tree", "-r", "--name-only", parents[0], commit, "--", *RELEVANT_PATHS)
    )


@dataclass(frozen=True)
class _Publisher:
    """Publishes commits to `remote`; `committed` is the `.dvc/config` that names it.

    With `cluster` files are made there.
    """

    git: Git
    remote: Remote
    committed: bytes
    history: History
    outcome: PublishOutcome
    cluster: Cluster | None

    def publish(self, commit: str) -> None:
        """Release the dataset of one commit, if it differs from the latest release."""
        before, tree = self.history.latest, GitTree(self.git, commit)
        if before and _is_same(self.git, tree, before):
            return
        continuity.refuse_lost_batches(self.git, tree, before)
        self._check_shards(tree)
        recorded = before.lock if before else resolve.template_lock(tree)
        dataset, cache = resolve.of_tree(self.git, tree, recorded), Cache(self.git.root)
        made = dataset.store(self._target(cache))
        if before and made.md5 == before.lock.md5:
            return
        tag = releases.scan(self.git).next_tag
        made_index = index.of_dataset(dataset)
        compared = self._compared(dataset, made_index, tag)
        output.log(f"{tag}: pushing {len(made.files):,} files to {self.remote.url}")
        verified = self.history.verified(self.committed)
        transfer.push(cache, self.remote, made.md5, verified)
        records = Records(cache.records, lambda: self.remote)
        if dataset.config.format == PARQUET:
            records.store(dataset.selection.listing)
        record = lock.new_lock(
            dataset,
            made,
            comparable=compared.comparable,
            splits=records.store(made_index.content),
            copy=self._copy(dataset, records),
        )
        files = {LOCK_FILE: lock.render(record).encode(), CONFIG_PATH: self.committed}
        message = f"Record version {releases.number(tag)}"
        commit = commits.commit(self.git, files, message, commit)
        with self.git.checkout(commit) as folder:
            check_readable(folder, cache, made)
        origin.publish_tag(self.git, tag, commit)
        published = Release(tag, commit, record)
        self.history.releases.append(published)
        self.outcome.published.append(published)

    def _target(self, cache: Cache) -> Target:
        """Return where files are made: on the cluster if there is one, else on this machine."""
        if self.cluster is None:
            return Local(cache)
        return Distributed(self.cluster, self.remote, cache)

    def _check_shards(self, tree: GitTree) -> None:
        """Raise `MissingShardsError` unless the remote has the source of `tree`, intact.

        What the newest release has of it was verified then.
        """
        before = self.history.latest
        try:
            inputs = reader.read(tree, before.lock.meta.config if before else None)
            name = inputs.config.source
        except InputError:
            return  # what is wrong with it is found with everything else
        pointer = continuity.pointer_of(self.git, tree.rev, name)
        if pointer is None:
            return
        released = before and continuity.pointer_of(self.git, before.commit, name)
        verified = self.remote.manifest(released.md5).values() if released else ()
        if problems := transfer.check(self.remote, pointer.md5, verified):
            wrong = "; ".join(one.text for one in problems)
            raise MissingShardsError(
                f"{path_of(name)}: {wrong}. Nothing can be released from it until they are"
                f" restored. Run it again then, or ingest {name} again.",
                (line for one in problems for line in one.whole),
            )

    def _compared(self, dataset: Dataset, made: Index, tag: str) -> Comparison:
        """Return how `dataset` compares with the releases; raises `UserError` where it must not."""
        compared = comparison.compare(dataset, self.history, made)
        compared.refuse_leaks(dataset, tag)
        if compared.unknown_demanded:
            names = comparison.tags_in_words(compared.unknown_demanded)
            raise UnknownLeaksError(
                f"leaks cannot be ruled out: {names} cannot be read"
                f" ({compared.reason}). Run it again; if they are gone for good, set"
                f" comparable_since in {CONFIG_FILE} to a later release."
            )
        return compared

    def _copy(self, dataset: Dataset, records: Records) -> str | None:
        """Store a copy of the source, so that later builds do not depend on its origin."""
        source, before = dataset.source, self.history.latest
        if not isinstance(source, Table):
            return None
        known = before.lock.meta.source if before else None
        if known and known.sha256 == source.sha256 and known.copy_:
            content = records.cached(known.copy_)
            if content is not None:
                return records.store(content)
        return records.store(copies.render(source))


def _is_same(git: Git, tree: GitTree, before: Release) -> bool:
    """Return whether only the wording of config and curation differs from the release `before`."""
    changed = git("diff", "--name-only", before.commit, tree.rev, "--", *INPUT_PATHS).split()
    meta = before.lock.meta
    inputs = reader.read(tree, meta.config)
    return (
        set(changed) <= {CONFIG_FILE, CURATION_FILE}
        and inputs.config.record() == meta.config
        and inputs.curation.sha256 == meta.curation
    )


def _update_main(git: Git, outcome: PublishOutcome, history: History) -> None:
    """Make main at origin contain the newest release and its lock.

    A fast-forward where main has not moved on, otherwise a merge of the release into main. Only a
    release that this run has built, or can build again, is followed: a lock that somebody wrote is
    not. `outcome` says so, and when a rule of origin's forbids the push.
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
    """Return whether the commit of `release` gives the files that its lock records."""
    try:
        dataset = resolve.of_tree(git, GitTree(git, release.commit), release.lock)
    except InputError:
        return False
    return dataset.manifest.md5 == release.lock.md5
