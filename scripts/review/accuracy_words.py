"""Formats in words what the probe and a team's own model say."""

from scripts.insight import accuracy
from scripts.insight.neighbors_vote import NEIGHBORS
from scripts.insight.probe import FEWEST
from scripts.review.report_accuracy import ReportedAccuracy, ReportedClass, ReportedProbe
from scripts.review.words import counted

PROBE = f"{NEIGHBORS} nearest neighbors"
CLASS_COLUMNS = ("class", "test images", "before", "after", "points")
NOTE = (
    "A probe, not a benchmark: it compares small gray thumbnails, so your model is better than it,"
    " and can gain more or less from the change."
)


def in_words(found: ReportedProbe, against: str | None) -> str:
    """Return what was found in one line; `against` is the older version."""
    if found.accuracy is None:
        return f"says nothing, because {_reason(found, against or 'the version before')}"
    return _measured(found.accuracy, found.shared)


def class_row(one: ReportedClass, *, is_compared: bool = True) -> list[str]:
    """Return the cells of a class, without its name."""
    difference = f"{_points(one.after - one.before, one.samples):+.1f}"
    return [
        f"{one.samples:,}",
        percent(one.before, one.samples) if is_compared else "",
        percent(one.after, one.samples),
        difference if is_compared else "",
    ]


def percent(part: int, whole: int) -> str:
    """Return a share, such as 88.9 %."""
    return f"{_points(part, whole):.1f} %"


def _measured(found: ReportedAccuracy, shared: int) -> str:
    after = percent(found.after, found.samples)
    some = "" if found.samples == shared else f"{found.samples:,} of "
    if not found.is_compared:
        return f"{after} of {some}{counted(shared, 'test image')}"
    low, high = accuracy.interval(found.samples, found.gained, found.lost)
    difference = _points(found.after - found.before, found.samples)
    return (
        f"{percent(found.before, found.samples)} -> {after} of {some}"
        f"{counted(shared, 'shared test image')}, {difference:+.1f} points"
        f" (95 % interval {100 * low:+.1f} to {100 * high:+.1f})"
    )


def _reason(found: ReportedProbe, against: str) -> str:
    return {
        "question": f"{against} has other classes, which is another question",
        "none": "there are no shared test images",
        "few": f"it needs {FEWEST} shared test images, and there {_are(found.shared)}",
        "same": "the train set does not change",
        "many": "there are too many train images",
        "unread": f"the images of {against} cannot be read here",
        None: "nothing is known",
    }[found.silence]


def _are(count: int) -> str:
    return f"{'is' if count == 1 else 'are'} {count:,}"


def _points(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
