import json
from pathlib import PurePath
from typing import Any

import pytest

from scripts import lock
from scripts.lock import Lock
from tests.repository import Repository, Run, config_text, contents


def planned(repository: Repository, run: Run, text: str, *options: str) -> dict[str, Any]:
    repository.configure(text)
    result = run("plan", "--format", "json", *options)
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def placed(repository: Repository, run: Run, text: str) -> dict[int, tuple[str, str]]:
    """Build a config; return the split and folder of each row."""
    repository.configure(text)
    assert run("build").code == 0
    names = [PurePath(name) for name in contents(repository.root / "dataset")]
    repository.lock.unlink()
    return {int(name.stem): (name.parts[0], name.parts[1]) for name in names}


CHANGES = {
    "more samples": (config_text(), config_text(samples=9)),
    "fewer samples": (config_text(samples=9), config_text(samples=4)),
    "more for test": (config_text(samples=9), config_text(samples=9, test_size=4)),
    "other classes": (
        config_text(samples=60, test_size=20),
        config_text(class_="all", samples=60, test_size=20),
    ),
    "another seed": (
        config_text(class_=[3, 5], samples=150, test_size=60),
        config_text(class_=[3, 5], samples=160, test_size=60, seed=1),
    ),
}


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES)
def test_samples_are_counted_as_their_files_say(
    repository: Repository, run: Run, old: str, new: str
) -> None:
    before, after = placed(repository, run, old), placed(repository, run, new)
    repository.merge(old)
    run("release")

    change = planned(repository, run, new)

    kept = before.keys() & after.keys()
    assert change["samples"] == {
        "added": len(after.keys() - before.keys()),
        "removed": len(before.keys() - after.keys()),
        "refiled": sum(
            before[row][0] == after[row][0] and before[row][1] != after[row][1] for row in kept
        ),
        "to_train": sum((before[row][0], after[row][0]) == ("test", "train") for row in kept),
        "to_test": sum((before[row][0], after[row][0]) == ("train", "test") for row in kept),
    }


def test_the_examples_have_some_of_each_kind(repository: Repository, run: Run) -> None:
    seen: set[str] = set()
    for old, new in CHANGES.values():
        before, after = placed(repository, run, old), placed(repository, run, new)
        if after.keys() - before.keys():
            seen.add("added")
        if before.keys() - after.keys():
            seen.add("removed")
        for row in before.keys() & after.keys():
            if before[row][0] != after[row][0]:
                seen.add(f"to_{after[row][0]}")
            elif before[row] != after[row]:
                seen.add("refiled")
    assert seen == {"added", "removed", "refiled", "to_train", "to_test"}


def test_bytes_to_store_are_the_objects_that_the_remote_gains(
    repository: Repository, run: Run
) -> None:
    run("release")
    before = sum(len(data) for data in contents(repository.bucket).values())
    change = planned(repository, run, config_text(samples=9))
    repository.merge(config_text(samples=9))

    run("release")

    after = sum(len(data) for data in contents(repository.bucket).values())
    assert change["bytes"]["new"] == after - before
    assert change["md5"] == recorded(repository, "v1").md5
    assert change["bytes"]["after"] == recorded(repository, "v1").size
    assert change["bytes"]["before"] == recorded(repository, "v0").size


def recorded(repository: Repository, tag: str) -> Lock:
    return lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())


def test_the_first_version_is_all_new(repository: Repository, run: Run) -> None:
    change = planned(repository, run, config_text())

    assert (change["version"], change["against"]) == ("v0", None)
    assert (change["samples"]["added"], change["samples"]["removed"]) == (10, 0)


def test_a_plan_can_be_made_against_any_revision(repository: Repository, run: Run) -> None:
    run("release")
    repository.merge(config_text(samples=8))
    run("release")

    against = planned(repository, run, config_text(samples=9), "--against", "v0")

    assert (against["against"], against["version"]) == ("v0", "v2")
    assert against["samples"]["added"] == 8
    assert planned(repository, run, config_text(samples=9))["samples"]["added"] == 2


@pytest.mark.parametrize(
    ("rev", "says"),
    [
        ("v7", "git knows no revision"),
        ("--upload-pack=x", "git knows no revision"),
        ("main", "main holds no dataset.dvc: it is no version of the dataset."),
    ],
)
def test_a_revision_without_a_dataset_is_a_clear_error(
    repository: Repository, run: Run, rev: str, says: str
) -> None:
    result = run("plan", f"--against={rev}")
    assert result.code == 1
    assert says in result.err


def test_a_plan_writes_nothing_and_needs_no_remote(repository: Repository, run: Run) -> None:
    run("release")
    repository.git("fetch", "--quiet", "origin")
    config = repository.root / ".dvc" / "config"
    config.write_text(config.read_text().replace(str(repository.bucket), "/nowhere/at/all"))
    repository.configure(config_text(samples=9))
    before = contents(repository.place)

    assert run("plan").code == 0

    assert contents(repository.place) == before
