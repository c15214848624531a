"""What older versions of the code left stays usable.

`data/releases-without-schema.bundle` has main and the tags v0, v1 and v2 of a repository whose
remote is the folder of the template; `data/releases-without-schema.tar.xz` has that folder.
"""

import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from scripts.releases import lock
from scripts.releases.lock import Lock
from scripts.review import render, report_json
from scripts.storage import manifest
from tests.repository import (
    PROJECT,
    Repository,
    Run,
    config_text,
    contents,
    dvc,
    git,
    mismatched,
    objects,
)

DATA = PROJECT / "tests" / "data"
COMPLETE = """\
v0  complete and intact: 10 files
v1  complete and intact: 16 files
v2  complete and intact: 18 files
"""
LARGER = config_text(samples=12, test_size=3)


@pytest.fixture
def old(tmp_path: Path) -> Repository:
    """A clone of the repository that the oldest code made, with its objects."""
    return cloned(tmp_path, "releases-without-schema")


def cloned(place: Path, name: str) -> Repository:
    """Return a clone of the repository in the bundle `name`, with its objects."""
    made = Repository(place)
    git(place, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(made.origin, "fetch", "--quiet", str(DATA / f"{name}.bundle"), "refs/*:refs/*")
    git(place, "clone", "--quiet", "origin.git", "work")
    with tarfile.open(DATA / f"{name}.tar.xz") as archive:
        archive.extractall(storage(made), filter="data")
    return made


def storage(repository: Repository) -> Path:
    return repository.root / ".dvc" / "storage"


def recorded(repository: Repository, rev: str) -> Lock:
    return lock.parse(repository.at_origin("show", f"{rev}:dataset.dvc").encode())


def expected_files(repository: Repository, tag: str) -> dict[str, bytes]:
    """Return the files of a release as its manifest in the remote lists them."""
    found = objects(storage(repository))
    listed = json.loads(found[recorded(repository, tag).md5])
    return {entry["relpath"]: found[entry["md5"]] for entry in listed}


def fetched(repository: Repository, address: Path, tag: str, *options: str) -> dict[str, bytes]:
    """Return the files of a release that plain DVC fetches outside of the repository."""
    folder = repository.place / "consumer" / tag
    folder.mkdir(parents=True)
    dvc(folder, "get", str(address), "dataset", "--rev", tag, *options)
    return contents(folder / "dataset")


def test_the_old_releases_have_no_schema(old: Repository) -> None:
    for number, files in enumerate((10, 16, 18)):
        assert "schema" not in old.at_origin("show", f"v{number}:dataset.dvc")
        made = recorded(old, f"v{number}")
        assert (made.meta.schema_, made.nfiles) == (0, files)


def test_old_releases_are_indexed_by_reading_their_files_once(old: Repository, run: Run) -> None:
    change = planned(old, run, LARGER)

    assert (change["version"], change["against"], change["rule_changed"]) == ("v3", "v2", True)
    # Images of the digits, told apart by their rows, as their files are named.
    before = splits(expected_files(old, "v2"))
    assert run("build").code == 0
    after = splits(contents(old.root / "dataset"))
    kept = before.keys() & after.keys()
    assert change["samples"] == {
        "before": len(before),
        "added": len(after.keys() - before.keys()),
        "removed": len(before.keys() - after.keys()),
        "test_removed": sum(before[row] == "test" for row in before.keys() - after.keys()),
        "relabeled": 0,
        "to_train": sum((before[row], after[row]) == ("test", "train") for row in kept),
        "to_test": sum((before[row], after[row]) == ("train", "test") for row in kept),
    }
    # Now they are known without the remote.
    storage(old).rename(old.place / "hidden")
    assert planned(old, run, LARGER)["samples"] == change["samples"]


def test_leaks_with_old_releases_are_found(old: Repository, run: Run) -> None:
    change = planned(old, run, config_text(class_=[3], samples=180, test_size=20))
    assert run("build").code == 0
    after = splits(contents(old.root / "dataset"))

    found = {
        tag: (leak["from_test"], leak["from_train"])
        for leak in change["leaks"]
        for tag in leak["tags"]
    }

    expected = {}
    for tag in ("v0", "v1", "v2"):
        before = splits(expected_files(old, tag)).items()
        expected[tag] = (
            sum((split, after.get(row)) == ("test", "train") for row, split in before),
            sum((split, after.get(row)) == ("train", "test") for row, split in before),
        )
    assert {tag: counts for tag, counts in expected.items() if any(counts)} == found
    assert found


def test_the_next_version_of_an_old_repository_is_a_new_split(old: Repository, run: Run) -> None:
    text = config_text(class_=[3], samples=180, test_size=20)
    old.configure(text)
    title = run("plan").out.splitlines()[0]
    assert title.startswith("dataset v3: new split, class no3 removed, leak, ")
    assert "made by another selection rule" in run("plan").out
    assert run("validate").code == 1

    old.configure(f"{text}comparable_since: v3\n")

    assert run("validate").code == 0


def planned(repository: Repository, run: Run, text: str) -> dict[str, Any]:
    repository.configure(text)
    result = run("plan", "--format", "json")
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def splits(names: Iterable[str]) -> dict[int, str]:
    """Return the split of each row, given the names of its files."""
    return {int(Path(name).stem): name.partition("/")[0] for name in names}


def test_old_releases_are_verified(old: Repository, run: Run) -> None:
    assert run("verify") == (0, COMPLETE, "")
    assert run("verify", "--quick") == (0, COMPLETE, "")

    # A manifest and an image, to be sure that both are read.
    md5 = recorded(old, "v0").md5
    file = storage(old) / "files" / "md5" / md5[:2] / md5[2:]
    file.chmod(0o644)
    file.write_bytes(b"[]")

    result = run("verify", "v0", "v2")

    assert result.code == 1
    assert result.out.startswith("v0  broken\n")
    assert result.out.endswith("v2  complete and intact: 18 files\n")


@pytest.mark.parametrize("tag", ["v0", "v2"])
def test_plain_dvc_fetches_an_old_release_from_origin(old: Repository, tag: str) -> None:
    # The remote's address is relative to a clone, so that a consumer of origin has to name it.
    options = ["--remote-config", f"url={storage(old)}"]

    assert fetched(old, old.origin, tag, *options) == expected_files(old, tag)


def test_plain_dvc_fetches_an_old_release_from_a_clone(old: Repository) -> None:
    assert fetched(old, old.root, "v0") == expected_files(old, "v0")


def test_a_release_continues_the_old_ones(old: Repository, run: Run) -> None:
    before = {tag: old.at_origin("rev-parse", tag) for tag in ("v0", "v1", "v2")}
    merged = old.merge(f"{LARGER}comparable_since: v3\n")

    result = run("release")

    assert result.code == 0, result.err
    assert result.out.startswith("v3 is published: train 3: 9, no3: 9; test 3: 3, no3: 3 (")
    assert {tag: old.at_origin("rev-parse", tag) for tag in before} == before
    assert old.tags() == ["v0", "v1", "v2", "v3"]
    assert old.at_origin("rev-parse", "v3^") == merged
    assert old.at_origin("rev-parse", "v3^{commit}") == old.tip()
    made = recorded(old, "v3")
    assert (made.meta.schema_, made.meta.selection, made.meta.comparable_with) == (5, 2, ["v0..v2"])
    source = made.meta.source
    assert source.model_copy(update={"copy_": None}) == recorded(old, "v2").meta.source
    found = objects(storage(old))
    assert not mismatched(found)
    assert set(manifest.entries(found[made.md5]).values()) <= found.keys()
    assert run("verify") == (0, f"{COMPLETE}v3  complete and intact: 24 files\n", "")
    assert fetched(old, old.root, "v3") == expected_files(old, "v3")
    assert run("release").out.startswith("nothing to release")


def test_an_old_main_has_nothing_to_release(old: Repository, run: Run) -> None:
    before = contents(old.origin)
    assert run("release") == (
        *(0, "nothing to release: the dataset on main is released already\n", ""),
    )
    assert contents(old.origin) == before

    # The config of v2 in other words is no change either.
    old.merge(f"# the reason\n{config_text(samples=9, test_size=3)}")
    assert run("release").out.startswith("nothing to release")
    assert old.tags() == ["v0", "v1", "v2"]
    assert recorded(old, "main").meta.schema_ == 0


def test_a_branch_may_not_give_an_old_lock_a_schema(old: Repository, run: Run) -> None:
    old.git("switch", "--quiet", "--create", "branch")
    old.lock.write_text(old.lock.read_text().replace("meta:\n", "meta:\n  schema: 1\n"))
    old.git("commit", "--quiet", "--all", "--message", "Edit the lock")

    result = run("validate")

    assert result.code == 1
    assert "dataset.dvc is written by the release only" in result.err


def test_a_report_of_machinery_1_0_0_is_read_and_rendered() -> None:
    found = report_json.load((DATA / "report-schema-1.json").read_bytes())

    assert found.schema_ == 1
    assert found.plan is not None
    assert (found.plan.version, found.plan.against, found.stored) == ("v3", "v2", "yes")
    assert found.plan.samples is not None
    assert (found.plan.samples.added, found.plan.samples.relabeled) == (6, 0)
    assert found.plan.leaks == []
    text = render.comment(found, "https://example.com/sheet")
    assert text.startswith("### dataset v3: +6 samples, 2 classes\n\n| class | train | test |")
    assert "| no3 | 9 (+3) | 3 | 12 (+3) |\n" in text
    assert "- **samples**: 6 added, 0 removed\n" in text
    assert text.endswith(
        "The files are in the remote. Merging publishes this as **v3**, or the next number if"
        " another pull request merges first.\n"
    )


# `data/releases-schema-3.bundle` has seven releases made by the code whose locks recorded a range
# of comparable releases, and whose indexes knew the pixels in the dataset only: v0 of the digits,
# v1 with image_size, v2 with another seed, v3 as v1; v4 of a source of its own with image_size, v5
# of its second batch and an addition in shards, v6 of the same as PNG files.
TAGS = [f"v{number}" for number in range(7)]
PETS = {"source": "pets", "class_": ["cat", "dog"], "samples": 16, "test_size": 4}
DIGITS = {"class_": [3], "samples": 30, "test_size": 10}


@pytest.fixture
def ranged(tmp_path: Path) -> Repository:
    """A clone of the repository whose locks record a range of comparable releases."""
    return cloned(tmp_path, "releases-schema-3")


def test_releases_with_a_range_are_verified(ranged: Repository, run: Run) -> None:
    result = run("verify")

    assert result.code == 0, result.out
    assert [line.split()[0] for line in result.out.splitlines()] == TAGS


def test_releases_with_a_range_are_built_again(ranged: Repository, run: Run) -> None:
    for tag in TAGS:
        ranged.git("switch", "--quiet", "--detach", tag)

        result = run("build")

        assert result.code == 0, result.err
        assert recorded(ranged, tag).md5 in result.out


def test_what_releases_with_a_range_are_comparable_with_is_computed(
    ranged: Repository, run: Run
) -> None:
    # Their locks say: since v0 for v3, which has the images of v1.
    said = {
        tag: next(
            line.removeprefix("comparable").strip()
            for line in run("diff", "v0", tag).out.splitlines()
            if line.startswith("comparable")
        )
        for tag in TAGS
    }

    assert said == {
        "v0": "with no release: this is the first one",
        "v1": "with v0",
        "v2": "with no release, not with v0 and v1",
        "v3": "with v0 and v1, not with v2",
        **{tag: f"with v0 to v{number}" for tag, number in (("v4", 3), ("v5", 4), ("v6", 5))},
    }


def test_leaks_with_releases_of_another_size_are_found(ranged: Repository, run: Run) -> None:
    ranged.git("rm", "--quiet", "-r", "additions")
    change = planned(ranged, run, config_text(**{**DIGITS, "seed": 1}, image_size=7))

    leaks = {tag: leak for leak in change["leaks"] for tag in leak["tags"]}
    # v0 has the images before resizing; v1 and v3 have another size.
    assert leaks.keys() == {"v0", "v1", "v3"}
    assert leaks["v0"] == leaks["v1"] == leaks["v3"]
    assert change["comparable"] == ["v2", "v4", "v5", "v6"]
    # Found again from the local cache, without the source that they were made from.
    assert planned(ranged, run, config_text(**{**PETS, "image_size": 5}))["leaks"] == []


def test_a_release_continues_those_with_a_range(ranged: Repository, run: Run) -> None:
    ranged.merge(config_text(**PETS, image_size=5))

    result = run("release")

    assert result.code == 0, result.err
    made = recorded(ranged, "v7")
    assert (made.meta.schema_, made.meta.comparable_with) == (5, ["v0..v6"])
    assert run("verify", "v7").code == 0


def test_releases_with_a_range_are_repaired(ranged: Repository, run: Run) -> None:
    for tag in ("v1", "v4", "v5"):
        splits = recorded(ranged, tag).meta.splits
        assert splits is not None
        record = storage(ranged) / "records" / splits
        record.unlink()

        assert run("repair", tag).code == 0

        assert run("verify", tag).code == 0
        assert record.exists()
