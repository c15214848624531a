"""Plans for tests of what is shown of them."""

from typing import Any

from scripts.review.report import ClassCount, Curated, Leaks, Plan, SampleChange
from scripts.review.report_copies import ChangedCopies
from scripts.review.report_samples import NearDuplicates, ReportedSample

MD5 = "74a8c15646983a3149d7e618f5f1637f.dir"


def plan(**changes: Any) -> Plan:
    """Return a plan that adds samples and has no warnings, with `changes`."""
    values: dict[str, Any] = {
        "version": "v2",
        "against": "v1",
        "changed": True,
        "counts": [
            {"split": split, "class": folder, "before": 100, "after": 100 + more}
            for split, more in (("train", 10), ("test", 0))
            for folder in ("3", "no3")
        ],
        "samples": samples(added=20),
        "bytes": {"before": 1, "after": 2, "new": 1},
        "md5": MD5,
        "source_changed": False,
    }
    return Plan.model_validate({**values, **changes})


def samples(**changes: int) -> SampleChange:
    """Return how samples change: not at all, but for `changes`."""
    values = {"added": 0, "removed": 0, "relabeled": 0, "to_train": 0, "to_test": 0}
    return SampleChange(**{"before": 400, **values, **changes})


def leak(*tags: str, from_test: int = 0, from_train: int = 0) -> Leaks:
    """Return a leak with releases."""
    return Leaks(tags=list(tags), from_test=from_test, from_train=from_train)


def counts(split: str = "train", /, **images: int | tuple[int, int]) -> list[ClassCount]:
    """Return rows of a split: the images after, or before and after, by class."""
    return [
        ClassCount.model_validate(
            {"split": split, "class": folder, "before": before, "after": after}
        )
        for folder, (before, after) in (
            (folder, pair if isinstance(pair, tuple) else (1, pair))
            for folder, pair in images.items()
        )
    ]


def place(text: str | None) -> object:
    """Return a place as data: `test/3`, `unknown`, or None."""
    if text in {None, "unknown"}:
        return text
    split, folder = str(text).split("/")
    return {"split": split, "class": folder}


def change(sample: str = "00058", action: str = "test", **values: Any) -> dict[str, Any]:
    """Return a new decision, but for `values`."""
    places = {key: place(values.pop(key, None)) for key in ("before", "after")}
    return {
        **{"sample": sample, "action": action, "change": "new", "label": "3", "new_label": ""},
        **{"reason": "", **places, **values},
    }


def curated(*changes: dict[str, Any], **values: Any) -> Curated:
    """Return what changes in the curation."""
    return Curated.model_validate({"samples": len(changes), "changes": [*changes], **values})


def sample(name: str, where: str, label: str | None = None) -> ReportedSample:
    """Return a sample at a place such as `test/no3`."""
    split, folder = where.split("/")
    label = folder if label is None else label
    return ReportedSample.model_validate(
        {"sample": name, "split": split, "class": folder, "label": label}
    )


def copies(
    count: int, *pairs: tuple[ReportedSample, ReportedSample], release: str | None = None
) -> ChangedCopies:
    """Return changed copies that are mirrored; those of train are of `release`."""
    data = [
        {
            "train": {**one.model_dump(by_alias=True), "release": release},
            "other": other.model_dump(by_alias=True),
            "mirrored": True,
        }
        for one, other in pairs
    ]
    return ChangedCopies.model_validate({"count": count, "pairs": data})


def near(count: int, *pairs: tuple[ReportedSample, ReportedSample]) -> NearDuplicates:
    """Return near-duplicates."""
    data = [{"train": one, "other": other, "distance": 1.5} for one, other in pairs]
    return NearDuplicates.model_validate({"count": count, "pairs": data})
