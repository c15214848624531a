from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from scripts.dataset.dataset import Dataset
from scripts.dataset.near import NearPairs
from scripts.git.git import Git
from scripts.inputs import config_file
from scripts.inputs.policy import Policy
from scripts.inputs.reader import Inputs
from scripts.insight import facts, policy_check
from scripts.insight.accuracy import Accuracy
from scripts.insight.copied import CopiedImages
from scripts.insight.facts import Facts
from scripts.insight.policy_check import PolicyResult
from scripts.insight.probe import Probe
from scripts.insight.suspects import Suspects
from scripts.releases import index
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.releases import Release
from scripts.sources import registry
from scripts.sources.source import SourceRequest
from tests.repository import config_text

# 40 images of class 3 and 90 of the others; 12 and 20 of them for test.
CONFIG = config_text(samples={"3": 40, "no3": 90}, test_size={"3": 12, "no3": 20}, license="MIT")
NOTHING = Index({})


def dataset(require: str = "", config: str = CONFIG) -> Dataset:
    text = config + (f"require: {{{require}}}\n" if require else "")
    return Dataset(Inputs(config_file.parse(text.encode())), registry.load(SourceRequest("digits")))


def facts_of(require: str, *, old: Index | None = NOTHING, **known: object) -> Facts:
    """Return facts about a first version; `known` are facts that are not computed."""
    made = dataset(require)
    git = Git(Path())
    found = Facts(
        git, History(git, []), made, None, lambda: old, index.of_dataset(made), (), lambda _: None
    )
    vars(found).update(known)
    return found


def probe(before: int, after: int, samples: int = 200) -> Probe:
    return Probe(samples, Accuracy(samples, before, after, 0, 0, ()))


def check(require: str, **known: object) -> PolicyResult:
    return policy_check.check(facts_of(require, **known))  # type: ignore[arg-type]


def test_without_rules_nothing_is_checked() -> None:
    assert check("") == PolicyResult()
    assert policy_check.refuse(facts_of("")) == PolicyResult()


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        ("min_per_class: 40", {}),
        ("min_test_per_class: 12", {}),
        ("max_imbalance: 2.25", {}),
        ("licenses: [CC0-1.0, MIT]", {}),
        ("removed_test_images: none", {}),
        ("near_duplicates: none", {"near": NearPairs()}),
        ("near_duplicates: 2", {"near": NearPairs(count=2)}),
        ("changed_copies: 1", {"copies": CopiedImages(count=1)}),
        ("suspects: none", {"suspects": Suspects(judged=20)}),
        ("suspects: 3", {"suspects": Suspects(count=3, judged=20)}),
        ("probe_drop: 1.0", {"probe": probe(180, 178)}),
        ("probe_drop: 0", {"probe": probe(180, 190)}),
        ("probe_drop: 0", {"probe": Probe(200, silence="same")}),
    ],
)
def test_a_rule_is_met(rule: str, known: dict[str, object]) -> None:
    assert check(rule, **known) == PolicyResult(met=[rule.partition(":")[0]])


@pytest.mark.parametrize(
    ("rule", "known", "message"),
    [
        ("min_per_class: 41", {}, "each class needs 41 images, and 3 has 40"),
        ("min_per_class: 91", {}, "each class needs 91 images, and 3 has 40, no3 has 90"),
        ("min_test_per_class: 13", {}, "each class needs 13 test images, and 3 has 12"),
        (
            "max_imbalance: 2.2",
            {},
            "no3 has 90 images and 3 has 40; at most 2.2 times as many are allowed",
        ),
        ("licenses: [CC0-1.0]", {}, "license is MIT; expected CC0-1.0"),
        (
            "near_duplicates: none",
            {"near": NearPairs(count=1, searched=False)},
            "the change brings 1 pair on both sides of the split, and none is allowed",
        ),
        (
            "changed_copies: none",
            {"copies": CopiedImages(count=2)},
            "the change brings 2 changed copies in train and another split, and none is allowed",
        ),
        (
            "suspects: 2",
            {"suspects": Suspects(count=3, judged=20)},
            "the most similar images contradict the labels of 3 new images, and at most 2 are"
            " allowed",
        ),
        (
            "probe_drop: 1.0",
            {"probe": probe(180, 177)},
            "the accuracy of the probe falls by 1.5 points on 200 test images, and at most 1 are"
            " allowed",
        ),
    ],
)
def test_a_rule_is_broken(rule: str, known: dict[str, object], message: str) -> None:
    assert check(rule, **known) == PolicyResult(broken={rule.partition(":")[0]: message})


@pytest.mark.parametrize(
    ("rule", "known", "reason"),
    [
        ("probe_drop: 1.0", {}, "there is no version before"),
        ("probe_drop: 1.0", {"probe": Probe(4, silence="few")}, "the probe says nothing"),
        ("near_duplicates: 1", {"near": NearPairs(count=1, searched=False)}, "too many images"),
        ("changed_copies: 1", {"copies": CopiedImages(searched=False)}, "too many images"),
        (
            "suspects: 1",
            {"suspects": Suspects(count=1, judged=20, is_complete=False)},
            "only 20 of the new images were judged",
        ),
        (
            "suspects: none",
            {"suspects": Suspects(count=9, judged=20, contradicted=0.5)},
            "say little about the labels",
        ),
        ("suspects: none", {"old": None}, "cannot be read here"),
        ("removed_test_images: none", {"old": None}, "cannot be read here"),
    ],
)
def test_a_rule_about_which_nothing_is_known(
    rule: str, known: dict[str, object], reason: str
) -> None:
    checked = check(rule, **known)

    assert (checked.met, checked.broken) == ([], {})
    assert reason in checked.unchecked[rule.partition(":")[0]]


def test_removed_test_images_are_counted() -> None:
    old = index.of_dataset(dataset())
    smaller = dataset("removed_test_images: 7", config_text(samples=40, test_size=12))
    found = replace(facts_of("", old=old), dataset=smaller, new=index.of_dataset(smaller))

    assert policy_check.check(found).broken == {
        "removed_test_images": "8 test images are removed, and at most 7 are allowed"
    }


def test_what_no_rule_asks_for_is_not_computed() -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    found = replace(facts_of("min_per_class: 1"), near_duplicates=fail)
    with patch.multiple(facts, suspects=None, probe=None):
        assert policy_check.check(found).met == ["min_per_class"]


def test_each_rule_of_the_config_is_checked() -> None:
    assert policy_check.RULES.keys() == Policy.model_fields.keys()


def test_a_wrong_label_is_found_among_the_added_images() -> None:
    """Only images that the version before does not have are judged."""
    made = dataset("suspects: none")
    known = index.of_dataset(dataset("", config_text(samples=30, test_size=12)))
    found = replace(facts_of("", old=known), dataset=made)
    added = found.added or []

    assert len(added) == 130 - 60
    assert found.suspects is not None
    assert found.suspects.judged == len(added)
    assert {one.row for one in found.suspects.ranked} <= {*added}


def test_the_release_before_counts(tmp_path: Path) -> None:
    """Without it, as for a release that cannot be read, there is no change to probe."""
    release = Release("v0", "0" * 40, None)  # type: ignore[arg-type]
    found = replace(facts_of("", old=None), before=release)

    assert found.change is None
    assert found.probe == Probe(0, silence="unread")
    assert found.added is None
    assert found.suspects is None
