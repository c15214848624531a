import json
from pathlib import PurePath
from typing import Any

import pytest

from scripts.dataset import png
from scripts.releases import lock
from scripts.releases.lock import Lock
from scripts.storage import manifest
from tests.repository import REMOTE_URL, Repository, Run, config_text, contents


def planned(repository: Repository, run: Run, text: str, *options: str) -> dict[str, Any]:
    repository.configure(text)
    result = run("plan", "--format", "json", *options)
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def built(repository: Repository, run: Run, text: str) -> dict[int, tuple[str, str]]:
    """Build a config; return the split and folder of each row."""
    repository.configure(text)
    assert run("build").code == 0
    names = [PurePath(name) for name in contents(repository.root / "dataset")]
    return {int(name.stem): (name.parts[0], name.parts[1]) for name in names}


def recorded(repository: Repository, tag: str) -> Lock:
    return lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())


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
def test_samples_are_counted_as_their_files_are(
    repository: Repository, run: Run, old: str, new: str
) -> None:
    before, after = built(repository, run, old), built(repository, run, new)
    repository.merge(old)
    run("release")

    change = planned(repository, run, new)

    kept = before.keys() & after.keys()
    assert change["samples"] == {
        "before": len(before),
        "test_removed": sum(before[row][0] == "test" for row in before.keys() - after.keys()),
        "added": len(after.keys() - before.keys()),
        "removed": len(before.keys() - after.keys()),
        "relabeled": sum(
            before[row][0] == after[row][0] and before[row][1] != after[row][1] for row in kept
        ),
        "to_train": sum((before[row][0], after[row][0]) == ("test", "train") for row in kept),
        "to_test": sum((before[row][0], after[row][0]) == ("train", "test") for row in kept),
    }


def test_the_examples_have_some_of_each_kind(repository: Repository, run: Run) -> None:
    kinds: set[str] = set()
    for old, new in CHANGES.values():
        before, after = built(repository, run, old), built(repository, run, new)
        if after.keys() - before.keys():
            kinds.add("added")
        if before.keys() - after.keys():
            kinds.add("removed")
        for row in before.keys() & after.keys():
            if before[row][0] != after[row][0]:
                kinds.add(f"to_{after[row][0]}")
            elif before[row] != after[row]:
                kinds.add("relabeled")
    assert kinds == {"added", "removed", "relabeled", "to_train", "to_test"}


def test_bytes_are_those_of_the_releases(released: Repository, run: Run) -> None:
    change = planned(released, run, config_text(samples=9))
    released.merge(config_text(samples=9))

    run("release")

    assert change["md5"] == recorded(released, "v1").md5
    assert change["bytes"]["after"] == recorded(released, "v1").size
    assert change["bytes"]["before"] == recorded(released, "v0").size


def test_an_unchanged_dataset_stores_no_bytes(released: Repository, run: Run) -> None:
    change = planned(released, run, f"# the reason\n{config_text()}")

    assert change["changed"] is False
    assert change["bytes"]["new"] == 0
    samples = change["samples"]
    assert samples.pop("before") == 10
    assert set(samples.values()) == {0}


def test_all_bytes_count_as_new_if_other_code_encoded_the_release(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = png.encode
    monkeypatch.setattr(png, "encode", lambda pixels: encode(pixels) + b"\0")

    change = planned(released, run, config_text())

    assert change["samples"]["added"] == 0
    assert run("build").code == 0
    made = json.loads(released.cached_file(change["md5"]).read_bytes())
    names = {entry["md5"] for entry in made}
    sizes = [released.cached_file(md5).stat().st_size for md5 in names]
    content = released.cached_file(change["md5"]).read_bytes()
    assert manifest.matches(change["md5"], content)
    assert change["bytes"]["new"] == sum(sizes) + len(content)


def test_a_return_to_an_earlier_release_stores_nothing(released: Repository, run: Run) -> None:
    before = planned(released, run, config_text())
    released.merge(config_text(samples=8))
    assert run("release").code == 0

    change = planned(released, run, config_text())

    assert (change["md5"], change["version"], change["against"]) == (before["md5"], "v2", "v1")
    assert change["bytes"]["new"] == 0


def test_the_first_version_is_all_new(repository: Repository, run: Run) -> None:
    change = planned(repository, run, config_text())

    assert (change["version"], change["against"]) == ("v0", None)
    assert (change["samples"]["added"], change["samples"]["removed"]) == (10, 0)


def test_a_plan_can_be_made_against_any_revision(released: Repository, run: Run) -> None:
    released.merge(config_text(samples=8))
    run("release")

    against = planned(released, run, config_text(samples=9), "--against", "v0")

    assert (against["against"], against["version"]) == ("v0", "v2")
    assert against["samples"]["added"] == 8
    assert planned(released, run, config_text(samples=9))["samples"]["added"] == 2


@pytest.mark.parametrize(
    ("rev", "message"),
    [
        ("v7", "error: unknown git revision 'refs/tags/v7'.\n"),
        ("--upload-pack=x", "error: unknown git revision '--upload-pack=x'.\n"),
        ("main", "error: main has no dataset.dvc, so it is not a version of the dataset.\n"),
    ],
)
def test_a_revision_without_a_dataset_is_a_clear_error(
    repository: Repository, run: Run, rev: str, message: str
) -> None:
    assert run("plan", f"--against={rev}") == (1, "", message)


def test_a_plan_writes_nothing_and_needs_no_remote(released: Repository, run: Run) -> None:
    released.git("fetch", "--quiet", "origin")
    config = released.root / ".dvc" / "config"
    config.write_text(config.read_text().replace(REMOTE_URL, "/nowhere/at/all"))
    released.configure(config_text(samples=9))
    before = contents(released.place)

    assert run("plan").code == 0

    assert contents(released.place) == before
