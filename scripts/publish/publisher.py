"""Publishes one commit: its files, its lock, its tag."""

from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass

from scripts import output
from scripts.dataset.dataset import Dataset
from scripts.dataset.distributed import Cluster, Distributed
from scripts.dataset.targets import Local, Target
from scripts.errors import UserError
from scripts.git import commits
from scripts.git.git import Git, GitTree
from scripts.inputs.config import PARQUET
from scripts.inputs.paths import (
    CONFIG_FILE,
    CURATION_FILE,
    INPUT_PATHS,
)
from scripts.inputs.reader import Inputs
from scripts.insight import facts, policy_check
from scripts.publish import origin
from scripts.releases import (
    comparison,
    continuity,
    index,
    lock,
    released_files,
    releases,
    resolve,
)
from scripts.releases.comparison import Comparison
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.lock import LOCK_FILE, Lock
from scripts.releases.new_lock import new_lock
from scripts.releases.releases import Release
from scripts.releases.tag_ranges import tags_in_words
from scripts.sources import copies
from scripts.sources.pointer import path_of
from scripts.sources.table import Table
from scripts.storage import transfer
from scripts.storage.cache import Cache
from scripts.storage.consumer import check_readable
from scripts.storage.faults import FaultsError
from scripts.storage.manifest import Manifest
from scripts.storage.records import Records
from scripts.storage.remote import Remote
from scripts.storage.settings import CONFIG_PATH


class UnknownLeaksError(UserError):
    """Leaks cannot be ruled out, because an older release cannot be read."""


class MissingShardsError(FaultsError):
    """The remote does not have the source of a version, so it could not be built again."""


@dataclass(frozen=True)
class Publisher:
    """Publishes commits to `remote`; `committed` is the `.dvc/config` that names it.

    With `cluster` files are made there. `history` has the releases of earlier commits.
    """

    git: Git
    remote: Remote
    committed: bytes
    history: History
    cluster: Cluster | None

    def publish(self, commit: str) -> Release | None:
        """Release the dataset of one commit; None if it does not differ from the latest release.

        Raises `InputError` or another `UserError` when it cannot be released.
        """
        before, tree = self.history.latest, GitTree(self.git, commit)
        recorded = before.lock if before else resolve.template_lock(tree)
        inputs = resolve.inputs_of(self.git, tree, recorded)
        if before and _is_same(self.git, tree, inputs, before):
            return None
        continuity.refuse_lost_batches(self.git, tree, before)
        self._check_shards(tree, inputs)
        dataset, cache = resolve.resolve(self.git, inputs, recorded), Cache(self.git.root)
        verified = released_files.verified(self.git, before, self.committed)
        made = dataset.store(self._target(cache, verified))
        if before and made.md5 == before.lock.md5:
            return None
        tag = releases.scan(self.git).next_tag
        made_index = index.of_dataset(dataset)
        compared = self._compared(dataset, made_index, tag)
        output.log(f"{tag}: pushing {len(made.files):,} files to {self.remote.url}")
        transfer.push(cache, self.remote, made.md5, verified)
        records = Records(cache.records, lambda: self.remote)
        if dataset.config.format == PARQUET:
            records.store(dataset.selection.listing)
        record = self._record(dataset, made, made_index, compared.comparable, records)
        files = {LOCK_FILE: lock.render(record).encode(), CONFIG_PATH: self.committed}
        message = f"Record version {releases.number(tag)}"
        with_lock = commits.commit(self.git, files, message, commit)
        with self.git.checkout(with_lock) as folder:
            check_readable(folder, cache, made)
        origin.publish_tag(self.git, tag, with_lock)
        return Release(tag, with_lock, record)

    def _record(
        self,
        dataset: Dataset,
        made: Manifest,
        made_index: Index,
        comparable: Sequence[str],
        records: Records,
    ) -> Lock:
        """Return the lock of the version, and store the records that it names."""
        splits = records.store(made_index.content)
        together, _ = self.history.cumulative(dataset.source)
        cumulative = None
        # It only saves time: one that is damaged there, and cannot be replaced, stops no release.
        with suppress(UserError):
            cumulative = records.store(together.with_index(splits, made_index).content)
        return new_lock(
            dataset,
            made,
            comparable=comparable,
            splits=splits,
            cumulative=cumulative,
            copy=self._copy(dataset, records),
        )

    def _target(self, cache: Cache, verified: Set[str]) -> Target:
        """Return where files are made: on the cluster if there is one, else on this machine."""
        if self.cluster is None:
            return Local(cache)
        return Distributed(self.cluster, self.remote, cache, verified)

    def _check_shards(self, tree: GitTree, inputs: Inputs) -> None:
        """Raise `MissingShardsError` unless the remote has the source of `tree`, intact.

        What the newest release has of it was verified then.
        """
        before, name = self.history.latest, inputs.config.source
        pointer = continuity.pointer_of(self.git, tree.rev, name)
        if pointer is None:
            return
        released = before and continuity.pointer_of(self.git, before.commit, name)
        verified = self.remote.manifest(released.md5).values() if released else ()
        if problems := transfer.check(self.remote, pointer.md5, verified):
            wrong = "; ".join(one.text for one in problems)
            raise MissingShardsError(
                f"{path_of(name)}: {wrong}. Restore them and run it again, or ingest {name} again.",
                (line for one in problems for line in one.whole),
            )

    def _compared(self, dataset: Dataset, made: Index, tag: str) -> Comparison:
        """Return how `dataset` compares with the releases; raises `UserError` where it must not."""
        compared = comparison.compare(dataset, self.history, made)
        compared.refuse_leaks(dataset, tag)
        found = facts.of_dataset(self.git, self.history, dataset, made, compared.comparable)
        policy_check.refuse(found)
        if compared.unknown_demanded:
            names = tags_in_words(compared.unknown_demanded)
            raise UnknownLeaksError(
                f"leaks cannot be ruled out: {names} cannot be read"
                f" ({compared.reason}). Run it again; if they are lost, set comparable_since"
                f" in {CONFIG_FILE} to a later release."
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


def _is_same(git: Git, tree: GitTree, inputs: Inputs, before: Release) -> bool:
    """Return whether only the wording of config and curation differs from the release `before`."""
    changed = git("diff", "--name-only", before.commit, tree.rev, "--", *INPUT_PATHS).split()
    meta = before.lock.meta
    return (
        set(changed) <= {CONFIG_FILE, CURATION_FILE}
        and inputs.config.record() == meta.config
        and inputs.curation.sha256 == meta.curation
    )
