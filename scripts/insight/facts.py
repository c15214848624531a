"""What insight finds out about a change: each fact when it is first needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from scripts.dataset.dataset import Dataset
from scripts.dataset.near import NearPairs
from scripts.git.git import Git
from scripts.insight import copied, probe, suspects
from scripts.insight.copied import CopiedImages
from scripts.insight.probe import Change, Probe
from scripts.insight.suspects import Suspects
from scripts.releases import diff, resolve
from scripts.releases.diff import Diff
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.releases import Release

# Compared pairs of images in the search for suspects: two or three seconds on two cores.
SUSPECT_PAIRS = 150_000_000
# Suspects of each split that are named.
MOST_SUSPECTS = 20


@dataclass(frozen=True)
class Facts:
    """Facts about the change from `before` (None if it is the first) to `dataset`.

    `read_old` returns the index of `before`, and `new` is that of `dataset`; one that is not
    available is None. `comparable` are the releases that are comparable. `near_duplicates` returns
    those that the change from an index brings. Unless it `is_made`, the dataset is too large to
    read its images.
    """

    git: Git
    history: History
    dataset: Dataset
    before: Release | None
    read_old: Callable[[], Index | None]
    new: Index | None
    comparable: Sequence[str]
    near_duplicates: Callable[[Index | None], NearPairs | None]
    is_made: bool = True

    @cached_property
    def old(self) -> Index | None:
        """The index of the version before, empty for the first; None if it is not available."""
        return self.read_old()

    @cached_property
    def near(self) -> NearPairs:
        """The near-duplicates that the change brings."""
        return self.near_duplicates(self.old) or NearPairs(searched=False)

    @cached_property
    def copies(self) -> CopiedImages:
        """The changed copies that the change brings."""
        if not self.is_made:
            return CopiedImages(searched=False)
        return copied.find(
            self.git,
            self.history,
            self.dataset,
            self.old,
            self.comparable,
            has_near=self.near.searched,
        )

    @cached_property
    def change(self) -> Change | None:
        """The change as the probe sees it; None for the first version, and if one is unknown."""
        if self.before is None or self.old is None or self.new is None:
            return None
        return change_of(self.git, self.before, self.old, self.new, self.dataset)

    @cached_property
    def probe(self) -> Probe | None:
        """What the probe says; None for the first version."""
        if self.before is None:
            return None
        return probe.find(self.change) if self.change else Probe(0, silence="unread")

    @cached_property
    def added(self) -> list[int] | None:
        """The rows of the images that the version before does not have; None if it is unknown."""
        old, images = self.old, self.dataset.images
        if old is None:
            return None
        rows = sorted(self.dataset.selection.places())
        return [row for row in rows if old.place(images.keys[row], images.digests[row]) is None]

    @cached_property
    def suspects(self) -> Suspects | None:
        """The suspects among the added images; None if these are unknown."""
        if self.added is None:
            return None
        return suspects.find(self.dataset, self.added, SUSPECT_PAIRS, MOST_SUSPECTS)


def of_diff(git: Git, dataset: Dataset, difference: Diff) -> Facts:
    """Return the facts about `difference`, the change of `dataset`."""
    return Facts(
        git,
        History(git),
        dataset,
        difference.before,
        lambda: difference.old,
        difference.new,
        difference.comparison.comparable,
        lambda _: difference.near,
        difference.is_made,
    )


def of_dataset(
    git: Git, history: History, dataset: Dataset, made: Index, comparable: Sequence[str]
) -> Facts:
    """Return the facts about the change from the newest release of `history` to `dataset`.

    `made` is the index of `dataset`.
    """
    return Facts(
        git,
        history,
        dataset,
        history.latest,
        lambda: diff.available_index(history, history.latest, dataset.source),
        made,
        comparable,
        partial(diff.near_duplicates, dataset),
    )


def change_of(git: Git, before: Release, old: Index, new: Index, dataset: Dataset) -> Change:
    """Return the change of `before` to `dataset`; `old` and `new` are the indexes of both."""
    return Change(
        old,
        new,
        dataset,
        lambda: resolve.of_release(git, before),
        before.lock.meta.config.get("label_by"),
    )
