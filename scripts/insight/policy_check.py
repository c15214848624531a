"""Checks a change against the policy of its config."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scripts.inputs.config import TEST
from scripts.inputs.problems import InputError
from scripts.insight.facts import Facts
from scripts.releases import diff

REQUIRE = "require"
# A message names so many classes.
MAX_NAMED = 3


class _UnknownError(Exception):
    """A rule cannot be checked, for the reason in the message."""


@dataclass(frozen=True)
class PolicyResult:
    """The rules of the policy that are `met`, and the messages for the others, by rule.

    `unchecked` are rules that nothing can be said about, with the reason.
    """

    met: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)


def check(facts: Facts) -> PolicyResult:
    """Check the change that `facts` are about; what no rule asks for is not computed."""
    checked, policy = PolicyResult(), facts.dataset.config.require
    for rule, limit in policy.model_dump(exclude_none=True).items() if policy else ():
        try:
            message = RULES[rule](facts, limit)
        except _UnknownError as error:
            checked.unchecked[rule] = str(error)
            continue
        if message:
            checked.broken[rule] = message
        else:
            checked.met.append(rule)
    return checked


def refuse(facts: Facts) -> PolicyResult:
    """Raise `InputError` with the broken rules, each on its line; return what was checked."""
    checked = check(facts)
    if checked.broken:
        config = facts.dataset.config
        raise InputError(
            config.problem((REQUIRE, rule), f"{REQUIRE}.{rule}: {message}")
            for rule, message in checked.broken.items()
        )
    return checked


def _min_per_class(facts: Facts, least: int) -> str:
    return _too_small(facts, least, "", _sizes(facts))


def _min_test_per_class(facts: Facts, least: int) -> str:
    return _too_small(facts, least, "test ", _sizes(facts, TEST))


def _too_small(facts: Facts, least: int, of: str, sizes: Counter[str]) -> str:
    small = [folder for folder in _sizes(facts) if sizes[folder] < least]
    if not small:
        return ""
    named = ", ".join(f"{folder} has {sizes[folder]:,}" for folder in small[:MAX_NAMED])
    more = f" and {len(small) - MAX_NAMED:,} more have too few" if len(small) > MAX_NAMED else ""
    return f"each class needs {least:,} {of}images, and {named}{more}"


def _max_imbalance(facts: Facts, most: float) -> str:
    sizes = _sizes(facts)
    (large, of_large), (small, of_small) = sizes.most_common(1)[0], sizes.most_common()[-1]
    if of_large <= most * of_small:
        return ""
    return (
        f"{large} has {of_large:,} images and {small} has {of_small:,}; at most {most:g} times as"
        " many are allowed"
    )


def _removed_test_images(facts: Facts, most: int) -> str:
    if facts.old is None or facts.new is None:
        raise _UnknownError("the images of the version before cannot be read here")
    removed = diff.between(facts.old, facts.new).test_removed
    if removed <= most:
        return ""
    verb = "is" if removed == 1 else "are"
    return f"{_counted(removed, 'test image')} {verb} removed{_limit(most)}"


def _near_duplicates(facts: Facts, most: int) -> str:
    near = facts.near
    if near.count > most:
        pairs = _counted(near.count, "pair")
        return f"the change brings {pairs} on both sides of the split{_limit(most)}"
    if not near.searched:
        raise _UnknownError("there are too many images to compare all")
    return ""


def _changed_copies(facts: Facts, most: int) -> str:
    copies = facts.copies
    if copies.count > most:
        return (
            f"the change brings {_counted(copies.count, 'changed copy', 'changed copies')} in train"
            f" and another split{_limit(most)}"
        )
    if not copies.searched:
        raise _UnknownError("there are too many images to compare all")
    return ""


def _suspects(facts: Facts, most: int) -> str:
    found = facts.suspects
    if found is None:
        raise _UnknownError("the images of the version before cannot be read here")
    if not found.is_telling:
        raise _UnknownError("similar images say little about the labels of this source")
    if found.count > most:
        return (
            f"the most similar images contradict the labels of"
            f" {_counted(found.count, 'new image')}{_limit(most)}"
        )
    if not found.is_complete:
        raise _UnknownError(f"only {found.judged:,} of the new images were judged")
    return ""


def _probe_drop(facts: Facts, most: float) -> str:
    found = facts.probe
    if found is None:
        raise _UnknownError("there is no version before")
    if found.silence == "same":
        return ""
    if found.accuracy is None:
        raise _UnknownError("the probe says nothing about this change")
    accuracy = found.accuracy
    drop = 100 * (accuracy.before - accuracy.after) / accuracy.samples
    if drop <= most:
        return ""
    return (
        f"the accuracy of the probe falls by {drop:.1f} points on {accuracy.samples:,} test"
        f" images, and at most {most:g} are allowed"
    )


def _licenses(facts: Facts, accepted: list[str]) -> str:
    found = facts.dataset.config.license
    if found in accepted:
        return ""
    named = f"license is {found}" if found else "there is no license"
    return f"{named}; expected {' or '.join(accepted)}"


def _counted(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def _limit(most: int) -> str:
    return f", and at most {most:,} are allowed" if most else ", and none is allowed"


def _sizes(facts: Facts, *splits: str) -> Counter[str]:
    """Return the number of images of each class, in `splits` or in all."""
    counts = facts.dataset.selection.counts()
    folders = dict.fromkeys(folder for of in counts.values() for folder in of)
    return Counter(
        {one: sum(counts[split].get(one, 0) for split in splits or counts) for one in folders}
    )


RULES: dict[str, Callable[[Facts, Any], str]] = {
    "min_per_class": _min_per_class,
    "min_test_per_class": _min_test_per_class,
    "max_imbalance": _max_imbalance,
    "removed_test_images": _removed_test_images,
    "near_duplicates": _near_duplicates,
    "changed_copies": _changed_copies,
    "suspects": _suspects,
    "probe_drop": _probe_drop,
    "licenses": _licenses,
}
