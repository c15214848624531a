"""What changes in the curation, as the plan and the diff of two releases show it."""

import io
import json
import shutil
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_digits

from scripts.__main__ import main
from scripts.dataset import near
from scripts.errors import UserError
from scripts.releases import lock, releases
from scripts.storage import manifest
from scripts.storage.remote import Remote
from tests.repository import Repository, Run, config_text, create, git

HEADER = "sample,action,label,new_label,reason"
LABELS = [str(label) for label in load_digits().target]
# One class less than the digits have: a relabel to 9 or a pin of a 9 has no place.
CONFIG = config_text(class_=[*range(9)], samples=10, test_size=3, validation_size=2)


def curation(*rows: str) -> str:
    return "".join(f"{row}\n" for row in (HEADER, *rows))


def places(repository: Repository, tag: str = "v0") -> dict[str, tuple[str, str]]:
    """Return the split and folder of each sample of a release."""
    made = lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())
    names = manifest.entries(repository.object_file(made.md5).read_bytes())
    parts = [name.removesuffix(".png").split("/") for name in names]
    return {name: (split, folder) for split, folder, name in parts}


@pytest.fixture(scope="module")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    made = create(tmp_path_factory.mktemp("curated"), CONFIG)
    with chdir(made.root), redirect_stdout(io.StringIO()):
        assert main(["release"]) == 0
    return made


@pytest.fixture
def released(released_once: Repository, tmp_path: Path) -> Repository:
    """A repository with v0, which has no curation."""
    for folder in (released_once.root, released_once.origin, released_once.bucket):
        shutil.copytree(folder, tmp_path / folder.name, symlinks=True)
    made = Repository(tmp_path)
    made.git("remote", "set-url", "origin", str(made.origin))
    made.git("pull", "--quiet", "--ff-only", "origin", "main")
    return made


def planned(repository: Repository, run: Run, *rows: str, against: str = "") -> dict[str, Any]:
    """Return the plan of a curation."""
    (repository.root / "curation.csv").write_text(curation(*rows))
    result = run("plan", "--format", "json", *([f"--against={against}"] if against else []))
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def place(where: tuple[str, str] | None) -> dict[str, str] | None:
    return where and {"split": where[0], "class": where[1]}


def change(sample: str, action: str, **values: object) -> dict[str, object]:
    values = {"change": "new", "new_label": "", "reason": "", **values}
    before, after = values.pop("before", None), values.pop("after", None)
    return {
        **{"sample": sample, "action": action, "label": LABELS[int(sample)], **values},
        **{"before": place(before), "after": place(after)},  # type: ignore[arg-type]
    }


def one(repository: Repository, split: str, folder: str) -> str:
    """Return a sample of v0."""
    return next(name for name, at in places(repository).items() if at == (split, folder))


def free(repository: Repository, label: str, number: int = 0) -> str:
    """Return a sample that v0 does not have."""
    known = places(repository)
    return [
        f"{row:05}" for row, one in enumerate(LABELS) if one == label and f"{row:05}" not in known
    ][number]


def test_each_new_decision_is_listed_with_where_its_sample_was_and_is(
    released: Repository, run: Run
) -> None:
    relabeled, gone, pinned = (
        one(released, "test", "3"),
        one(released, "train", "4"),
        free(released, "5"),
    )
    waits, nowhere = free(released, "6"), free(released, "9")

    change_ = planned(
        released,
        run,
        f"{int(relabeled)},relabel,3,5,reads as a 5",
        f"{gone},exclude,4,,",
        f"{int(pinned)},validation,,,hard",
        f"{waits},relabel,6,8,",
        f"{nowhere},test,,,",
    )

    assert change_["curated"] == {
        "samples": 5,
        "relabeled": {"test": 1},
        "more": 0,
        "changes": [
            change(
                relabeled,
                "relabel",
                new_label="5",
                reason="reads as a 5",
                before=("test", "3"),
                after=("test", "5"),
            ),
            change(gone, "exclude", before=("train", "4")),
            change(pinned, "validation", reason="hard", after=("validation", "5")),
            change(waits, "relabel", new_label="8"),
            change(nowhere, "test"),
        ],
    }
    assert change_["selected"] == {
        **{"relabeled_counts": 2, "pins": 1, "additions": 0},
        "left_out": [{"sample": nowhere, "label": "9", "why": "test"}],
        **{"more_left_out": 0, "ambiguous": 0, "copies": 0},
        **{"groups": {}, "waiting": {}, "without_value": {}, "small": []},
        "likely_groups": None,
    }
    text = run("plan").out
    assert text.startswith("dataset v1: 5 samples curated, 1 of 90 samples replaced, +1 samples, ")
    assert "warning     Relabeled: 1 of the 27 test images of v0. Scores on v0 are only" in text
    counts = {(c["split"], c["class"]): c["after"] for c in change_["counts"]}
    assert (counts["test", "3"], counts["test", "5"], counts["validation", "5"]) == (2, 4, 3)


def test_a_relabel_to_a_class_that_is_not_there_is_left_out_and_named(
    released: Repository, run: Run
) -> None:
    sample = one(released, "test", "3")

    found = planned(released, run, f"{sample},test,,,", f"{sample},relabel,3,9,")

    assert found["selected"]["left_out"] == [{"sample": sample, "label": "9", "why": "relabel"}]
    assert found["selected"]["relabeled_counts"] == 1
    _, listed = found["curated"]["changes"]
    assert found["curated"]["samples"] == 1
    assert listed == change(sample, "relabel", new_label="9", before=("test", "3"))
    # It is removed, and not relabeled.
    assert found["curated"]["relabeled"] == {}
    assert "Removed: 1 of the 27 test images of v0." in run("plan").out


def merge(repository: Repository, run: Run, *rows: str) -> None:
    repository.merge_file("curation.csv", curation(*rows))
    result = run("release")
    assert result.code == 0, result.err
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")


@pytest.fixture
def curated(released: Repository, run: Run) -> Repository:
    """A repository whose v1 has a relabel of a test sample, a pin, and an exclusion."""
    merge(
        released,
        run,
        f"{one(released, 'test', '3')},relabel,3,5,reads as a 5",
        f"{free(released, '5')},test,,,hard",
        f"{one(released, 'train', '4')},exclude,,,",
    )
    return released


def test_only_what_a_decision_means_is_a_change(curated: Repository, run: Run) -> None:
    relabeled, pinned, gone = (
        one(curated, "test", "3"),
        free(curated, "5"),
        one(curated, "train", "4"),
    )

    # Another order, another reason, another way to write a row number, the label in addition.
    same = planned(
        curated,
        run,
        f"{int(gone)},exclude,4,,nobody can tell",
        f"{int(pinned)},test,5,,",
        f"{relabeled},relabel,3,5,sure",
    )

    assert same["curated"] == {"samples": 0, "relabeled": {}, "changes": [], "more": 0}
    assert same["changed"] is False
    assert "curated" not in run("plan").out


def test_decisions_that_change_or_are_removed_are_listed(curated: Repository, run: Run) -> None:
    relabeled, pinned, gone = (
        one(curated, "test", "3"),
        free(curated, "5"),
        one(curated, "train", "4"),
    )

    found = planned(curated, run, f"{relabeled},relabel,3,8,", f"{pinned},exclude,,,")

    assert found["curated"]["changes"] == [
        change(
            relabeled,
            "relabel",
            change="changed",
            new_label="8",
            before=("test", "5"),
            after=("test", "8"),
        ),
        change(pinned, "exclude", change="changed", before=("test", "5")),
        change(gone, "exclude", change="removed", after=("train", "4")),
    ]
    assert found["curated"]["relabeled"] == {"test": 1}
    assert found["curated"]["samples"] == 3


def unreachable(*_: object) -> Remote:
    raise UserError("the remote is unreachable")


def test_two_releases_are_compared_without_a_source(
    curated: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    relabeled, pinned, gone = (
        one(curated, "test", "3"),
        free(curated, "5"),
        one(curated, "train", "4"),
    )
    expected = [
        change(
            relabeled,
            "relabel",
            new_label="5",
            reason="reads as a 5",
            before=("test", "3"),
            after=("test", "5"),
        ),
        # The label is known only where the row gives it.
        {**change(pinned, "test", reason="hard", after=("test", "5")), "label": ""},
        {**change(gone, "exclude", before=("train", "4")), "label": ""},
    ]

    def compared(*tags: str, where: Path | None = None) -> Any:
        return json.loads(run("diff", *tags, "--format", "json", where=where).out)["curated"]

    found = compared("v0", "v1")
    assert found["changes"] == expected
    assert found["relabeled"] == {"test": 1}
    back = compared("v1", "v0")["changes"]
    assert [one["change"] for one in back] == ["removed"] * 3
    assert [(one["before"], one["after"]) for one in back] == [
        (one["after"], one["before"]) for one in expected
    ]
    assert "3 samples curated" in run("diff", "v0", "v1").out
    # In another clone the names of the files come from the remote.
    git(curated.place, "clone", "--quiet", "origin.git", "other")
    assert compared("v0", "v1", where=curated.place / "other")["changes"] == expected
    monkeypatch.setattr(releases, "remote_of", unreachable)
    shutil.rmtree(curated.place / "other" / ".dvc" / "cache")
    unknown = compared("v0", "v1", where=curated.place / "other")["changes"]
    assert [(one["before"], one["after"]) for one in unknown] == [("unknown", "unknown")] * 3


def test_a_plan_against_any_revision_lists_what_changes_since(
    curated: Repository, run: Run
) -> None:
    relabeled = one(curated, "test", "3")

    found = planned(curated, run, f"{relabeled},relabel,3,5,", against="v0")

    assert [one["change"] for one in found["curated"]["changes"]] == ["new"]
    # A curation with which the lock was not made says nothing about its dataset.
    curated.merge_file("curation.csv", curation(f"{relabeled},relabel,3,5,"))
    assert planned(curated, run, f"{relabeled},relabel,3,5,", against="main")["curated"] is None
    assert "curation    changes unknown\n" in run("plan", "--against=main").out


def test_a_row_number_of_another_source_is_another_image(
    curated: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = curated.lock.read_text()
    assert "name: digits" in text
    # As if v1 had been made from a source of another name.
    curated.merge_file("dataset.dvc", text.replace("name: digits", "name: others"))
    pinned = free(curated, "5")

    found = planned(curated, run, f"{pinned},test,,,hard", against="main")["curated"]

    assert [(one["sample"], one["change"]) for one in found["changes"]] == [
        (pinned, "new"),
        *((one, "removed") for one in (one_of(curated), pinned, one(curated, "train", "4"))),
    ]
    gone = found["changes"][1:]
    assert [(one["before"], one["after"]) for one in gone] == [("unknown", "unknown")] * 3


def one_of(repository: Repository) -> str:
    return one(repository, "test", "3")


def test_near_duplicates_that_a_change_brings_are_named(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The digits differ more than the limit; above it, many are near.
    monkeypatch.setattr(near, "LIMIT", 30.0)
    merged = planned(released, run)["near_duplicates"]
    assert merged == {"searched": True, "count": 0, "pairs": []}

    pinned = [free(released, "0", number) for number in range(20)]
    found = planned(released, run, *(f"{name},test,,," for name in pinned))["near_duplicates"]

    assert found["count"] > 0
    for pair in found["pairs"]:
        assert pair["other"]["sample"] in pinned
        assert (pair["train"]["split"], pair["other"]["split"]) == ("train", "test")
        assert places(released)[pair["train"]["sample"]][0] == "train"
        assert pair["distance"] < 30
    assert "warning     Near-duplicates: " in run("plan").out
    assert run("validate").code == 0
