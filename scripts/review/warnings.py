"""What a reviewer should look at twice."""

from collections.abc import Callable, Sequence

from scripts.review.report import ClassCount, Plan
from scripts.versions.guards import images

# Most training recipes need to know when a class is twice as large as another.
IMBALANCE = 2
MAX_WARNINGS = 10


def warnings(plan: Plan, name: Callable[[str], str] = str) -> list[str]:
    """Return the warnings about `plan`, one sentence each; `name` formats classes and revisions."""
    found = [*_imbalance(plan.counts, name), *_samples(plan, name), *_leaks(plan)]
    more = f"{len(found) - MAX_WARNINGS:,} more warnings are not shown."
    return found if len(found) <= MAX_WARNINGS else [*found[:MAX_WARNINGS], more]


def _imbalance(counts: Sequence[ClassCount], name: Callable[[str], str]) -> list[str]:
    sizes: dict[str, int] = {}
    for count in counts:
        sizes[count.folder] = sizes.get(count.folder, 0) + count.after
    sizes = {folder: size for folder, size in sizes.items() if size}
    if not sizes or max(sizes.values()) < IMBALANCE * min(sizes.values()):
        return []
    small, large = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    return [
        f"The classes are imbalanced: {name(large)} has {sizes[large]:,} images,"
        f" {sizes[large] / sizes[small]:.1f} times the {sizes[small]:,} of {name(small)}."
    ]


def _samples(plan: Plan, name: Callable[[str], str]) -> list[str]:
    against, samples = name(plan.against or "before"), plan.samples
    if plan.source_changed:
        return [f"The source differs from that of {against}: every sample is replaced."]
    if samples is None:
        return [
            f"{against} was made by another selection rule, so samples that were added, removed or"
            " moved between train and test cannot be counted."
        ]
    if samples.to_train or samples.to_test:
        return [
            f"{images(samples.to_train)} of {against} would move from test to train, and"
            f" {images(samples.to_test)} from train to test."
        ]
    return []


def _leaks(plan: Plan) -> list[str]:
    return [
        f"Leak: {images(count)} of the test set of {tag} would be in the train set, so results on"
        f" {tag} cannot be compared with results on this version."
        for tag, count in plan.leaks.items()
    ]
