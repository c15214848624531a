"""Warnings for reviewers."""

from collections.abc import Callable, Iterator, Sequence

from scripts.dataset.near import LIMIT, MAX_FOUND
from scripts.inputs.config import TEST, TRAIN, VALIDATION, Split
from scripts.insight.copied import MAX_FOUND as MOST_COPIES
from scripts.releases.leaks import images
from scripts.review.report import ClassCount, Leaks, Plan, SampleChange
from scripts.review.report_copies import ReportedCopied
from scripts.review.report_samples import ReportedSample
from scripts.review.words import few, tags

# A class at least this many times as large as another is reported.
IMBALANCE = 2
# A report can hold thousands of classes; a comment cannot.
MAX_NAMED = 5
# Named pairs of changed copies; the names of classes and labels can be long.
MAX_COPIES = 3

Name = Callable[[str], str]


def warnings(plan: Plan, name: Name = str) -> list[str]:
    """Return the warnings about `plan`, one for each kind of problem.

    `name` formats classes and revisions.
    """
    return [
        *_leaks(plan, name),
        *_policy(plan, name),
        *_new_split(plan, name),
        *_samples(plan, name),
        *_relabeled(plan, name),
        *_near(plan, name),
        *_copies(plan, name),
        *_likely_groups(plan, name),
        *_imbalance(plan.counts, name),
    ]


def removed_classes(plan: Plan) -> list[str]:
    """Return the classes that `plan` removes."""
    before = {count.folder for count in plan.counts if count.before}
    after = {count.folder for count in plan.counts if count.after}
    return [folder for folder in _folders(plan.counts) if folder in before - after]


def named_classes(folders: Sequence[str], name: Name) -> str:
    """Return classes in words, such as `class 3` or `classes 3, 5`, at most a few."""
    noun = "class" if len(folders) == 1 else "classes"
    return f"{noun} {few(', '.join(map(name, folders[:MAX_NAMED])), len(folders) - MAX_NAMED)}"


def _leaks(plan: Plan, name: Name) -> Iterator[str]:
    """Yield a warning for all refused leaks, and one for the others."""
    if parts := _leaked_parts([leak for leak in plan.leaks if leak.refused]):
        placed = [_sample(one, name) for one in plan.placed_leaks[:MAX_NAMED]]
        others = " and others" if len(plan.placed_leaks) > MAX_NAMED else ""
        named = f" Pinned or added: {', '.join(placed)}{others}." if placed else ""
        yield (
            f"Leak: {', and '.join(parts)}. Results on these versions would not be "
            f"comparable.{named}"
        )
    if parts := _leaked_parts([one for one in plan.leaks if one.is_new and not one.refused]):
        yield f"Results on these versions are not comparable: {', and '.join(parts)}."
    if plan.unknown:
        yield (
            f"Leaks are unknown, because {tags(plan.unknown)} cannot be read here. The release "
            f"checks them."
        )


def _leaked_parts(leaks: Sequence[Leaks]) -> list[str]:
    from_test = {tag: leak.from_test for leak in leaks for tag in leak.tags}
    from_train = {tag: leak.from_train for leak in leaks for tag in leak.tags}
    return [*_leaked(from_test, TEST, TRAIN), *_leaked(from_train, TRAIN, TEST)]


def _leaked(counts: dict[str, int], theirs: Split, ours: Split) -> Iterator[str]:
    """Yield the leaks from a split of releases; `counts` has the images of each."""
    if leaked := [tag for tag, count in counts.items() if count]:
        sizes = {counts[tag] for tag in leaked}
        most = f"up to {images(max(sizes))}" if len(sizes) > 1 else images(max(sizes))
        yield f"{most} of the {theirs} set of {tags(leaked)} would be in the {ours} set"


def _policy(plan: Plan, name: Name) -> Iterator[str]:
    for rule, found in plan.policy.broken.items() if plan.policy else ():
        yield f"Policy: the rule {rule} is not met: {name(found)}."


def _new_split(plan: Plan, name: Name) -> Iterator[str]:
    against = name(plan.against or "before")
    if plan.rule_changed and plan.changed:
        yield f"{against} was made by another selection rule, so this is a new split."
    if plan.seed_changed and plan.changed:
        yield f"The seed differs from that of {against}, so this is a new split."
    if plan.source_changed:
        yield f"The source differs from that of {against}."
    if gone := removed_classes(plan):
        verb = "is" if len(gone) == 1 else "are"
        yield f"The {named_classes(gone, name)} of {against} {verb} removed."


def _samples(plan: Plan, name: Name) -> Iterator[str]:
    against, samples = name(plan.against or "before"), plan.samples
    if samples is None:
        yield (
            f"The images of {against} cannot be read here, so the added, removed and moved samples "
            f"are unknown."
        )
        return
    if samples.to_train or samples.to_test:
        yield (
            f"Moved between the splits: {images(samples.to_train)} of {against} from test to train,"
            f" {images(samples.to_test)} from train to test."
        )
    if samples.test_removed:
        yield (
            f"Removed: {samples.test_removed:,} of the {_before(plan, TEST):,} test images of"
            f" {against}. Results on the two test sets are not comparable image by image."
        )
    elif _is_replaced(samples):
        yield f"Removed: {samples.removed:,} of the {samples.before:,} samples of {against}."


def _is_replaced(samples: SampleChange) -> bool:
    return bool(samples.removed and samples.added)


def _likely_groups(plan: Plan, name: Name) -> Iterator[str]:
    """Yield a warning if a column looks like groups that are in train and in another split."""
    found = plan.selected and plan.selected.likely_groups
    if found:
        values = "value is" if found.on_both_sides == 1 else "values are"
        yield (
            f"The column {name(found.column)} looks like groups: {found.on_both_sides:,} of its"
            f" {values} in train and in another split. group_by in the config keeps each in one."
        )


def _relabeled(plan: Plan, name: Name) -> Iterator[str]:
    """Yield a warning if test or validation images get another class."""
    relabeled = plan.curated.relabeled if plan.curated else {}
    parts = [
        f"{count:,} of the {_before(plan, split):,} {split} images"
        for split in (TEST, VALIDATION)
        if (count := relabeled.get(split, 0))
    ]
    if parts:
        against = name(plan.against or "before")
        yield (
            f"Relabeled: {' and '.join(parts)} of {against}. Scores on {against} are only partly "
            f"comparable."
        )


def _near(plan: Plan, name: Name) -> Iterator[str]:
    near = plan.near_duplicates
    if near is None or not near.count:
        return
    pairs = [
        f"{_sample(pair.train, name)} and {_sample(pair.other, name)}"
        for pair in near.pairs[:MAX_NAMED]
    ]
    most = "" if near.searched and near.count < MAX_FOUND else "or more "
    noun = "pair" if near.count == 1 else "pairs"
    yield (
        f"Near-duplicates: {near.count:,} {most}{noun} of images on both sides of the split that"
        f" differ by less than {LIMIT:g} gray levels:"
        f" {few('; '.join(pairs), near.count - len(pairs))}."
    )


def _copies(plan: Plan, name: Name) -> Iterator[str]:
    """Yield a warning if an image looks like one on the other side of the split, changed."""
    copies = plan.changed_copies
    if copies is None or not copies.count:
        return
    pairs = [
        f"{_copied(pair.train, name)} and"
        f" {_copied(pair.other, name, *(['mirrored'] if pair.mirrored else []))}"
        for pair in copies.pairs[:MAX_COPIES]
    ]
    named = few("; ".join(pairs), copies.count - len(pairs)) if pairs else "not named here"
    most = "" if copies.searched and copies.count < MOST_COPIES else "or more "
    nouns = "image looks" if copies.count == 1 else "images look"
    yield (
        f"Changed copies: {copies.count:,} {most}test or validation {nouns} like a train image that"
        f" was changed, such as saved again, turned or mirrored: {named}."
    )


def _copied(sample: ReportedCopied, name: Name, *notes: str) -> str:
    return _sample(sample, name, *([f"of {sample.release}"] if sample.release else []), *notes)


def _sample(sample: ReportedSample, name: Name, *notes: str) -> str:
    """Return a sample in words: its place, its label if it differs from the class, and `notes`."""
    label = [] if sample.label == sample.folder else [f"label {name(sample.label)}"]
    said = ", ".join([name(f"{sample.split}/{sample.folder}"), *label, *notes])
    return f"{name(sample.sample)} ({said})"


def _before(plan: Plan, split: Split) -> int:
    return sum(count.before for count in plan.counts if count.split == split)


def _imbalance(counts: Sequence[ClassCount], name: Name) -> Iterator[str]:
    sizes = dict.fromkeys(_folders(counts), 0)
    for count in counts:
        sizes[count.folder] += count.after
    sizes = {folder: size for folder, size in sizes.items() if size}
    if not sizes or max(sizes.values()) < IMBALANCE * min(sizes.values()):
        return
    small, large = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    yield (
        f"The classes are imbalanced: {name(large)} has {sizes[large]:,} images,"
        f" {sizes[large] / sizes[small]:.1f} times the {sizes[small]:,} of {name(small)}."
    )


def _folders(counts: Sequence[ClassCount]) -> list[str]:
    return list(dict.fromkeys(count.folder for count in counts))
