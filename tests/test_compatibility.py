"""What older versions of the code left stays usable.

`data/releases-without-schema.bundle` has main and the tags v0, v1 and v2 of a repository whose
remote is the folder of the template; `data/releases-without-schema.tar.xz` has that folder.
"""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from scripts.github import marker
from scripts.review import render, report
from scripts.storage import manifest
from scripts.versions import lock
from scripts.versions.lock import Lock
from tests.repository import (
    PROJECT,
    Repository,
    Run,
    config_text,
    contents,
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
    """A clone of the repository that older code made, with its objects."""
    made = Repository(tmp_path)
    bundle = str(DATA / "releases-without-schema.bundle")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(made.origin, "fetch", "--quiet", bundle, "refs/*:refs/*")
    git(tmp_path, "clone", "--quiet", "origin.git", "work")
    with tarfile.open(DATA / "releases-without-schema.tar.xz") as archive:
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
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "get", str(address), "dataset", "--rev", tag, *options],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return contents(folder / "dataset")


def test_the_old_releases_have_no_schema(old: Repository) -> None:
    for number, files in enumerate((10, 16, 18)):
        assert "schema" not in old.at_origin("show", f"v{number}:dataset.dvc")
        made = recorded(old, f"v{number}")
        assert (made.meta.schema_, made.nfiles) == (0, files)


def test_an_old_repository_is_valid_and_its_config_gives_the_same_bytes(
    old: Repository, run: Run
) -> None:
    assert run("validate").code == 0
    assert run("plan").out.startswith("dataset: no change compared with v2\n")
    assert run("build").code == 0

    assert recorded(old, "v2").md5 in objects(old.cache)
    assert contents(old.root / "dataset") == expected_files(old, "v2")
    assert old.git("status", "--porcelain") == ""


@pytest.mark.parametrize("tag", ["v0", "v1", "v2"])
def test_the_config_of_each_old_release_gives_its_bytes_again(
    old: Repository, run: Run, tag: str
) -> None:
    old.git("switch", "--quiet", "--detach", tag)

    assert run("validate").code == 0
    assert run("build").code == 0

    assert contents(old.root / "dataset") == expected_files(old, tag)


def test_a_plan_compares_samples_and_bytes_with_an_old_release(old: Repository, run: Run) -> None:
    old.configure(LARGER)

    found = json.loads(run("plan", "--format", "json").out)

    assert (found["version"], found["against"], found["changed"]) == ("v3", "v2", True)
    assert found["samples"] == {
        **{"added": 6, "removed": 0, "relabeled": 0, "to_train": 0, "to_test": 0},
    }
    assert found["counts"] == [
        {"split": split, "class": folder, "before": before, "after": after}
        for split, before, after in [("train", 6, 9), ("test", 3, 3)]
        for folder in ("3", "no3")
    ]
    assert (found["source_changed"], found["leaks"]) == (False, {})
    # The old objects are known, so only those of the new images and the manifest are to store.
    assert run("build").code == 0
    made = objects(old.cache)
    new = made.keys() - objects(storage(old)).keys()
    assert found["bytes"] == {
        "before": recorded(old, "v2").size,
        "after": sum(len(data) for data in contents(old.root / "dataset").values()),
        "new": sum(len(made[name]) for name in new),
    }
    text = run("plan").out
    assert "samples  6 added, 0 removed\n" in text
    assert "warning" not in text


def test_a_plan_counts_moves_and_leaks_of_the_old_releases(old: Repository, run: Run) -> None:
    old.configure(config_text(class_=[3], samples=180, test_size=20, seed=1))
    assert run("build").code == 0
    after = splits(contents(old.root / "dataset"))
    leaks = {}
    for tag in ("v0", "v1", "v2"):
        before = splits(expected_files(old, tag))
        kept = before.keys() & after.keys()
        to_train = sum((before[row], after[row]) == ("test", "train") for row in kept)
        leaks[tag] = to_train

        found = json.loads(run("plan", "--against", tag, "--format", "json").out)

        assert found["samples"] == {
            "added": len(after.keys() - before.keys()),
            "removed": len(before.keys() - after.keys()),
            "relabeled": 0,
            "to_train": to_train,
            "to_test": sum((before[row], after[row]) == ("train", "test") for row in kept),
        }
    assert json.loads(run("plan", "--format", "json").out)["leaks"] == leaks
    assert min(leaks.values()) > 0


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
    merged = old.merge(LARGER)

    result = run("release")

    assert result.code == 0, result.err
    assert result.out.startswith("v3 is published: train 3: 9, no3: 9; test 3: 3, no3: 3 (")
    assert {tag: old.at_origin("rev-parse", tag) for tag in before} == before
    assert old.tags() == ["v0", "v1", "v2", "v3"]
    assert old.at_origin("rev-parse", "v3^") == merged
    assert old.at_origin("rev-parse", "v3^{commit}") == old.tip()
    made = recorded(old, "v3")
    assert made.meta.schema_ == 1
    assert made.meta.config == {
        **{"source": "digits", "class": "3", "samples": 12, "test_size": 3, "seed": 0},
    }
    assert made.meta.source == recorded(old, "v2").meta.source
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


def test_a_return_to_an_old_release_gives_its_bytes_under_a_new_lock(
    old: Repository, run: Run
) -> None:
    old.merge(config_text())

    assert run("release").code == 0

    first, last = recorded(old, "v0"), recorded(old, "v3")
    assert first.outs == last.outs
    assert (first.meta.schema_, last.meta.schema_) == (0, 1)
    assert first.meta == last.meta.model_copy(update={"schema_": 0})


def test_a_branch_may_not_give_an_old_lock_a_schema(old: Repository, run: Run) -> None:
    old.git("switch", "--quiet", "--create", "branch")
    old.lock.write_text(old.lock.read_text().replace("meta:\n", "meta:\n  schema: 1\n"))
    old.git("commit", "--quiet", "--all", "--message", "Edit the lock")

    result = run("validate")

    assert result.code == 1
    assert "dataset.dvc is written by the release only" in result.err


def old_report() -> report.Report:
    return report.load((DATA / "report-without-schema.json").read_bytes())


def test_an_old_report_is_read_and_rendered() -> None:
    found = old_report()

    assert found.schema_ == 0
    assert found.plan is not None
    assert (found.plan.version, found.plan.against, found.stored) == ("v3", "v2", "yes")
    assert found.plan.samples is not None
    assert (found.plan.samples.added, found.plan.samples.relabeled) == (6, 0)
    assert found.plan.leaks == {}
    assert len(found.plan.previews) == 4
    text = render.comment(found, "https://example.com/sheet")
    assert text.startswith("### dataset v3: +6 samples, 2 classes\n\n| split | class | v2 |")
    assert "| train | no3 | 6 | 9 | +3 |\n" in text
    assert "- **samples**: 6 added, 0 removed\n" in text
    assert " ▄██▄       ████     ▄████\n" in text
    assert text.endswith(
        "The files are in the remote. Merging publishes this as **v3**, or the next number if"
        " another pull request merges first.\n"
    )


def test_an_old_report_is_that_of_todays_plan(old: Repository, run: Run) -> None:
    old.configure(LARGER)
    folder = old.place / "report"
    assert run("report", str(folder), "--stored", "yes").code == 0

    today = report.load((folder / "report.json").read_bytes())

    assert today.schema_ == 1
    assert today.model_copy(update={"schema_": 0}) == old_report()


def test_an_old_comment_is_recognized_and_its_text_is_kept() -> None:
    text = (DATA / "comment-without-schema.md").read_text()

    assert marker.is_report(text)
    known, body = marker.parse(text)

    # It holds no data, so neither its version nor anything else is known.
    assert known is None
    assert body == text.partition("\n")[2]
    assert body.startswith("### dataset v3: +6 samples, 2 classes\n")


def test_an_old_comment_can_be_marked_as_out_of_date_and_then_read() -> None:
    _, body = marker.parse((DATA / "comment-without-schema.md").read_text())

    text = marker.compose(marker.Marker(), body, f"{render.outdated('v3')}\n")

    assert marker.is_report(text)
    known, again = marker.parse(text)
    assert known is not None
    assert (known.version, again) == (None, body)
    assert text.count("Out of date: v3 was published") == 1
