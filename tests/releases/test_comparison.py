import json
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scripts.dataset.dataset import Dataset
from scripts.git.git import Git
from scripts.inputs import reader
from scripts.inputs.problems import START, Problem
from scripts.inputs.tree import WorkTree
from scripts.releases import comparison, index, lock
from scripts.releases.cumulative import CumulativeIndex
from scripts.releases.history import History
from scripts.releases.tag_ranges import tags_in_words
from scripts.sources import registry
from scripts.sources.source import SourceRequest
from scripts.sources.table import Table
from scripts.storage import manifest
from scripts.storage.remote_folder import FolderRemote
from tests.inputs.pictures import encoded, gray
from tests.repository import Released, Repository, Run, config_text, git

# There are 183 threes: the 160 for train and, later, the 85 for test share 62.
LARGE = config_text(class_=[3], samples=170, test_size=10)
SMALL = config_text(class_=[3], samples=50, test_size=10)
HALF = config_text(class_=[3], samples=170, test_size=85)
ACCEPTED = f"{HALF}comparable_since: v2\n"


@pytest.fixture
def grown(released_as: Released) -> Repository:
    """v0 has 160 images for train; v1 has 40 of them."""
    return released_as(LARGE, SMALL)


def planned(repository: Repository, run: Run, text: str) -> dict[str, Any]:
    repository.configure(text)
    result = run("plan", "--format", "json")
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def refused(*tags: str, from_test: int = 0, from_train: int = 0) -> dict[str, Any]:
    """Return a leak that is refused, as a plan has it."""
    counts = {"from_test": from_test, "from_train": from_train}
    return {"tags": [*tags], **counts, "is_new": True, "refused": True}


def comparable(repository: Repository, tag: str) -> list[str] | None:
    """Return the releases that the lock of a release names as comparable."""
    content = repository.at_origin("show", f"{tag}:dataset.dvc").encode()
    return lock.parse(content).meta.comparable_with


LEAK = (
    "leak: 62 images of the train set of v0 would be in the test set. Results on these versions "
    "would not be comparable. Keep the seed, the classes and the test set as they were, or accept "
    "it"
    " with comparable_since: v2"
)


def test_a_leak_from_an_older_release_into_the_test_set_is_refused_on_its_line(
    grown: Repository, run: Run
) -> None:
    grown.configure(HALF)

    assert run("validate") == (1, "", f"dataset_config.yaml:3:10: {LEAK}\n")


def test_a_leak_is_planned_and_built_with_a_warning(grown: Repository, run: Run) -> None:
    change = planned(grown, run, HALF)

    assert change["leaks"] == [refused("v0", from_train=62)]
    assert (change["comparable"], change["incomparable"]) == (["v1"], ["v0"])
    text = run("plan").out
    assert "\ncomparable  with v1, not with v0\n" in text
    assert text.startswith("dataset v2: leak, +120 samples, 1 class\n")
    assert "warning     Leak: 62 images of the train set of v0 would be in the test set." in text
    built = run("build")
    assert built.code == 0
    assert "warning: Leak: 62 images of the train set of v0 would be in the test set" in built.err


def test_a_leak_is_never_released(grown: Repository, run: Run) -> None:
    grown.merge(HALF)

    result = run("release")

    assert (result.code, grown.tags()) == (1, ["v0", "v1"])
    assert f"dataset_config.yaml:3:10: {LEAK}" in result.err


def test_a_report_shows_the_change_and_its_leak(grown: Repository, run: Run) -> None:
    grown.configure(HALF)

    assert run("workflow", "report", str(grown.place / "report")).code == 0

    report = json.loads((grown.place / "report" / "report.json").read_bytes())
    assert report["plan"]["leaks"][0]["from_train"] == 62
    assert report["problems"] == []


def test_a_leak_is_accepted_by_a_later_comparable_since(grown: Repository, run: Run) -> None:
    grown.configure(ACCEPTED)
    assert run("validate").code == 0
    text = run("plan").out
    # v1 is comparable as well, although it need not be.
    assert "comparable  with v1, not with v0\n" in text
    assert (
        "warning     Results on these versions are not comparable: 62 images of the train set of v0"
        " would be in the test set.\n"
    ) in text

    grown.merge(ACCEPTED)
    result = run("release")

    assert result.code == 0, result.err
    assert comparable(grown, "v2") == ["v1"]
    # What the next version cannot be compared with was lost before.
    grown.configure(config_text(class_=[3], samples=171, test_size=85))
    assert run("validate").code == 0
    assert "comparable  with v1 and v2, not with v0\n" in run("plan").out
    assert "warning" not in run("plan").out


def test_comparable_since_may_not_be_later_than_the_version(grown: Repository, run: Run) -> None:
    grown.configure(f"{HALF}comparable_since: v3\n")

    assert run("validate") == (
        *(1, ""),
        "dataset_config.yaml:6:19: comparable_since: v3 is later than v2, which this version would"
        " be\n",
    )


def test_a_number_that_another_change_took_is_checked_too(grown: Repository, run: Run) -> None:
    # v2 is another split; the branch was made when it would have been v2 itself.
    other = config_text(class_=[3], samples=60, test_size=10, seed=1)
    grown.merge(f"{other}comparable_since: v2\n")
    assert run("release").code == 0
    grown.configure(ACCEPTED)

    result = run("validate")

    assert result.code == 1
    assert result.err.startswith("dataset_config.yaml:6:19: leak: ")
    assert "of v2 would be in the" in result.err
    assert result.err.endswith("accept it with comparable_since: v3\n")


def test_a_change_of_comparable_since_alone_makes_no_version(grown: Repository, run: Run) -> None:
    grown.merge(f"{SMALL}comparable_since: v1\n")

    assert run("release").out.startswith("nothing to release")


def test_another_seed_is_a_new_split_that_has_to_be_accepted(
    released_as: Released, run: Run
) -> None:
    repository = released_as(config_text(samples=60, test_size=20))
    seeded = config_text(samples=60, test_size=20, seed=1)
    change = planned(repository, run, seeded)
    assert change["seed_changed"] is True
    samples = change["samples"]
    title = run("plan").out.splitlines()[0]
    assert title.startswith("dataset v1: new split, leak, ")
    assert f"{samples['removed']} of 120 samples replaced" in title
    assert run("validate").code == 1

    repository.configure(f"{seeded}comparable_since: v1\n")

    assert run("validate").code == 0


def test_the_same_leak_with_several_releases_is_one_warning(
    released_as: Released, run: Run
) -> None:
    first = config_text(samples=60, test_size=20)
    repository = released_as(first, config_text(samples=61, test_size=20), first)

    change = planned(repository, run, config_text(samples=80, test_size=20, seed=1))

    # v2 is v0 again.
    assert [leak["tags"] for leak in change["leaks"]] == [["v0", "v1", "v2"]]


def test_what_a_return_to_a_released_version_is_comparable_with_is_computed(
    released_as: Released,
) -> None:
    # v0 leaks into v2, but v3 is v0, and v4 is v2.
    repository = released_as(*RETURNED, HALF)

    v0, v3 = (
        lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())
        for tag in ("v0", "v3")
    )
    assert v0.outs == v3.outs
    assert [comparable(repository, f"v{number}") for number in range(5)] == [
        *([], ["v0"], ["v1"], ["v0..v1"], ["v1..v2"]),
    ]


def test_after_a_return_across_a_new_split_growth_loses_nothing(
    released_as: Released, run: Run
) -> None:
    # v1 is another split, v2 is v0 again.
    first, other = (config_text(samples=60, test_size=20, seed=seed) for seed in (0, 1))
    repository = released_as(first, f"{other}comparable_since: v1\n", first)
    larger = config_text(samples=70, test_size=24)

    assert [comparable(repository, tag) for tag in ("v0", "v1", "v2")] == [[], [], ["v0"]]
    difference = run("diff", "v1", "v2").out
    assert "comparable  with v0, not with v1\n" in difference
    # Neither the plan nor the check of a pull request demands what v2 does not have.
    repository.configure(larger)
    assert run("validate").code == 0
    text = run("plan").out
    assert "comparable  with v0 and v2, not with v1\n" in text
    assert "warning" not in text
    repository.merge(larger)
    assert run("release").code == 0
    assert comparable(repository, "v3") == ["v0", "v2"]
    # What it does have must be kept.
    repository.configure(config_text(samples=60, test_size=20, seed=2))
    error = run("validate").err
    assert "of v0 and v2 would be in the" in error
    assert "of v1" not in error


def test_a_leak_with_a_withdrawn_release_is_a_note(grown: Repository, run: Run) -> None:
    # The pull request that withdraws a release can bring what that release forbade.
    (grown.root / "releases.yaml").write_text("withdrawn:\n  v0: wrong labels\n")
    grown.configure(HALF)

    assert run("validate").code == 0
    text = run("plan").out
    assert text.startswith("dataset v2: +120 samples, 1 class\n")
    assert "comparable  with v1, not with v0\n" in text
    assert "Results on these versions are not comparable: 62 images of the train set of v0" in text
    # The release goes by what main says.
    grown.merge(HALF)
    assert run("release").code == 1
    grown.merge_file("releases.yaml", "withdrawn:\n  v0: wrong labels\n")
    assert run("release").code == 0
    assert comparable(grown, "v2") == ["v1"]


def test_another_size_of_the_images_hides_no_leak(released_as: Released, run: Run) -> None:
    first = config_text(samples=60, test_size=20)
    repository = released_as(first)
    plain = planned(repository, run, config_text(samples=60, test_size=20, seed=1))
    small = config_text(samples=60, test_size=20, seed=1, image_size=6)

    change = planned(repository, run, small)

    assert change["leaks"] == plain["leaks"] != []
    assert change["samples"] == plain["samples"]
    assert run("validate").code == 1
    repository.merge(small)
    assert run("release").code == 1
    assert repository.tags() == ["v0"]


def test_images_of_another_size_are_the_same_samples(released_as: Released, run: Run) -> None:
    sizes = [{}, {"image_size": 6}, {"image_size": 5}]
    repository = released_as(*(config_text(samples=60, test_size=20, **size) for size in sizes))

    assert [comparable(repository, tag) for tag in ("v1", "v2")] == [["v0"], ["v0..v1"]]
    change = planned(repository, run, config_text(samples=62, test_size=20, image_size=4))
    assert (change["samples"]["added"], change["samples"]["removed"]) == (4, 0)
    assert (change["resized"], change["leaks"]) == (True, [])
    assert run("plan").out.startswith("dataset v3: images resized, +4 samples, 2 classes\n")


def test_pins_and_additions_of_another_size_are_compared(grown: Repository, run: Run) -> None:
    pinned = samples_of(grown, "v1", "train")[0]
    added = grown.root / "additions/train/3/a.png"
    added.parent.mkdir(parents=True)
    added.write_bytes(encoded(gray(8, 8)))
    grown.git("add", "--all")
    grown.merge(SMALL)
    assert run("release").code == 0
    moved = grown.root / "additions/test/3/a.png"
    moved.parent.mkdir(parents=True)
    added.rename(moved)
    curate(grown, f"{pinned},test,,,")
    grown.configure(f"{SMALL}image_size: 6\n")

    result = run("validate")

    assert result.code == 1
    places = [line.split(" leak")[0] for line in result.err.splitlines()]
    assert places == ["additions/test/3/a.png:1:1:", "curation.csv:2:7:"]


def test_curate_sees_what_releases_of_another_size_train_on(grown: Repository, run: Run) -> None:
    trained = samples_of(grown, "v1", "train")[0]
    # Another seed, so that hardly any of them is in the dataset: only the releases tell.
    grown.configure(config_text(class_=[3], samples=20, test_size=5, seed=3, image_size=6))
    failures = grown.place / "failures.csv"
    failures.write_text(f"sample\n{trained}\n")

    out = run("curate", str(failures)).out

    assert "it is in the train set of v0" in out


RETURNED = (LARGE, SMALL, ACCEPTED, LARGE)


@pytest.mark.parametrize("tag", ["v0", "v1", "v2", "v3"])
def test_every_released_commit_can_be_built_again(
    released_as: Released, run: Run, tag: str
) -> None:
    repository = released_as(*RETURNED)
    repository.git("switch", "--quiet", "--detach", tag)

    assert run("validate").code == 0
    assert run("build").code == 0

    made = lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())
    content = repository.cached_file(made.md5).read_bytes()
    assert len(list((repository.root / "dataset").rglob("*.png"))) == len(manifest.entries(content))


@pytest.fixture
def mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digits under another name and in another order."""
    load = registry.load

    def both(request: SourceRequest, *known: Any) -> Any:
        if request.name != "mirrored":
            return load(request, *known)
        digits = load(SourceRequest("digits"))
        assert isinstance(digits, Table)
        return Table(request.name, np.ascontiguousarray(digits.pixels[::-1]), digits.labels[::-1])

    monkeypatch.setattr(registry, "load", both)


@pytest.mark.usefixtures("mirrored")
def test_the_same_images_of_another_source_are_compared_by_content(
    released_as: Released, run: Run
) -> None:
    text = config_text(samples=40, test_size=10)
    repository = released_as(text)

    change = planned(repository, run, text.replace("digits", "mirrored"))

    # Rows have other numbers, so the files have other names; the images and splits are the same.
    assert (change["changed"], change["source_changed"]) == (True, True)
    assert (change["samples"]["added"], change["samples"]["removed"]) == (0, 0)
    assert change["leaks"] == []
    assert run("validate").code == 0
    leaking = planned(
        repository, run, config_text(source="mirrored", samples=60, test_size=30, seed=5)
    )
    assert leaking["leaks"]


def test_a_leak_over_three_versions_of_all_classes_is_counted_exactly(
    released_as: Released, run: Run
) -> None:
    sizes = [(170, 10), (50, 10), (170, 85)]
    texts = [config_text(class_="all", samples=s, test_size=t) for s, t in sizes]
    repository = released_as(*texts[:2])

    change = planned(repository, run, texts[2])

    assert change["leaks"] == [refused("v0", from_train=653)]


def remove_records(repository: Repository) -> None:
    for folder in (repository.bucket / "records", repository.cache / "records"):
        for file in folder.glob("*"):
            file.unlink()


def test_where_releases_cannot_be_read_the_plan_says_so_and_the_merge_decides(
    grown: Repository, run: Run
) -> None:
    # As for a fork: no access to the remote, and another source, which cannot be selected again.
    remove_records(grown)
    shutil.rmtree(grown.cache)
    grown.bucket.rename(grown.place / "hidden")
    released_by = HALF
    text = grown.lock.read_text()
    assert "splits: " in text
    grown.configure(released_by)
    # The digits are known, so their releases are selected again without the remote.
    assert run("validate").code == 1
    assert planned(grown, run, released_by)["unknown"] == []


@pytest.mark.usefixtures("mirrored")
def test_releases_of_another_source_are_unknown_without_the_remote(
    released_as: Released, run: Run
) -> None:
    repository = released_as(config_text(samples=40, test_size=10))
    other = config_text(source="mirrored", samples=60, test_size=30, seed=5)
    shutil.rmtree(repository.cache)
    repository.bucket.rename(repository.place / "hidden")

    change = planned(repository, run, other)

    assert (change["unknown"], change["leaks"], change["samples"]) == (["v0"], [], None)
    assert "comparable  with no release, not known for v0\n" in run("plan").out
    valid = run("validate")
    assert valid.code == 0
    assert valid.err.startswith("Leaks are unknown: v0 cannot be read here (")
    # The release checks what the pull request could not.
    (repository.place / "hidden").rename(repository.bucket)
    repository.merge(other)
    result = run("release")
    assert result.code == 1
    assert "dataset_config.yaml:3:10: leak: " in result.err
    assert repository.tags() == ["v0"]


@pytest.mark.usefixtures("mirrored")
def test_nothing_is_released_while_an_older_release_cannot_be_read(
    released_as: Released, run: Run
) -> None:
    repository = released_as(config_text(samples=40, test_size=10))
    remove_records(repository)
    repository.merge(config_text(source="mirrored", samples=41, test_size=10))

    result = run("release")

    assert (result.code, repository.tags()) == (1, ["v0"])
    assert "leaks cannot be ruled out: v0 cannot be read (the record " in result.err
    assert "set comparable_since in dataset_config.yaml to a later release" in result.err
    repository.merge(
        config_text(source="mirrored", samples=41, test_size=10, comparable_since="v1")
    )
    assert run("release").code == 0


def damaged(content: bytes) -> bytes:
    return content.replace(b"test/", b"train/", 1)


@pytest.mark.usefixtures("mirrored")
@pytest.mark.parametrize("change", [damaged, lambda _: b"", lambda _: b"x\n"])
def test_a_damaged_record_is_not_believed(
    released_as: Released, run: Run, change: Callable[[bytes], bytes]
) -> None:
    repository = released_as(config_text(samples=40, test_size=10))
    meta = lock.parse(repository.lock.read_bytes()).meta
    name = meta.splits
    assert name is not None
    assert meta.cumulative is not None
    for folder in (repository.bucket / "records", repository.cache / "records"):
        (folder / name).chmod(0o644)
        (folder / name).write_bytes(change((folder / name).read_bytes()))
        (folder / meta.cumulative).unlink()
    repository.configure(config_text(source="mirrored", samples=41, test_size=10))

    result = run("validate")

    assert f"checksum mismatch for the record {name}" in result.err
    checked = run("verify")
    assert checked.code == 1
    assert f"checksum mismatch for the record of its splits, {name}, in" in checked.out


def without_lines(content: bytes) -> bytes:
    """Return a cumulative index that hides all images: it is valid, but of other releases."""
    del content
    return CumulativeIndex().content


@pytest.mark.parametrize("where", ["cache", "bucket", "both"])
@pytest.mark.parametrize("change", [without_lines, lambda _: b"", lambda found: found[:-1], None])
def test_a_damaged_cumulative_index_hides_no_leak(
    grown: Repository, run: Run, where: str, change: Callable[[bytes], bytes] | None
) -> None:
    name = lock.parse(grown.lock.read_bytes()).meta.cumulative
    assert name is not None
    for folder in (grown.cache / "records", grown.bucket / "records"):
        if where in ("both", folder.parent.name.strip(".")):
            (folder / name).chmod(0o644)
            content = (folder / name).read_bytes()
            (folder / name).unlink()
            if change:
                (folder / name).write_bytes(change(content))

    assert planned(grown, run, HALF)["leaks"] == [refused("v0", from_train=62)]


def test_a_cumulative_index_that_was_made_here_is_checked(grown: Repository, run: Run) -> None:
    for folder in (grown.cache / "records", grown.bucket / "records"):
        (folder / str(lock.parse(grown.lock.read_bytes()).meta.cumulative)).unlink()
    leaks = planned(grown, run, HALF)["leaks"]
    [kept] = (grown.cache / "records").glob("*.cumulative")
    content = kept.read_bytes()

    for damaged_content in (b"", content[:-1], b"0" * 64 + content[64:], CumulativeIndex().content):
        kept.write_bytes(damaged_content)
        assert planned(grown, run, HALF)["leaks"] == leaks
        assert kept.read_bytes() == content


def test_the_indexes_of_older_releases_are_not_read(
    released_as: Released, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [config_text(samples=40 + number, test_size=10) for number in range(4)]
    repository = released_as(*sizes)
    shutil.rmtree(repository.cache)
    read, read_record = list[str](), FolderRemote.read_record

    def counted(self: FolderRemote, sha256: str) -> bytes | None:
        read.append(sha256)
        return read_record(self, sha256)

    monkeypatch.setattr(FolderRemote, "read_record", counted)
    repository.configure(config_text(samples=50, test_size=10))

    assert run("validate").code == 0
    newest = lock.parse(repository.lock.read_bytes()).meta
    assert read == [newest.cumulative]
    assert run("plan").code == 0
    assert read == [newest.cumulative]


def test_growth_needs_neither_the_remote_nor_the_network(released_as: Released, run: Run) -> None:
    repository = released_as(config_text(samples=40, test_size=10))
    shutil.rmtree(repository.cache)
    shutil.rmtree(repository.bucket)
    repository.configure(config_text(samples=60, test_size=20))

    assert run("validate").err == ""
    assert "samples     40 added, 0 removed\n" in run("plan").out


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (["v0"], "v0"),
        (["v0", "v1"], "v0 and v1"),
        (["v0", "v1", "v2"], "v0 to v2"),
        (["v0", "v2", "v3", "v4", "v9", "v10"], "v0, v2 to v4, v9 and v10"),
    ],
)
def test_tags_are_named_in_short(tags: list[str], words: str) -> None:
    assert tags_in_words(tags) == words


def test_two_releases_are_compared_by_diff(grown: Repository, run: Run) -> None:
    result = run("diff", "v0", "v1")

    assert result.code == 0, result.err
    assert result.out.startswith("dataset v1: 120 of 170 samples removed, -120 samples, 1")
    assert "samples     0 added, 120 removed\n" in result.out
    assert run("diff", "v1", "v0").out.startswith("dataset v0: +120 samples, 1 class\n")
    assert json.loads(run("diff", "v0", "v1", "--format", "json").out)["against"] == "v0"
    assert run("diff", "v0", "v7") == (
        *(1, ""),
        "error: v7 is not a release: there is no such tag. Fetch the tags: git fetch --tags\n",
    )


def test_a_diff_of_another_clone_reads_the_digests_from_the_remote(
    grown: Repository, run: Run
) -> None:
    git(grown.place, "clone", "--quiet", "origin.git", "other")

    result = run("diff", "v0", "v1", where=grown.place / "other")

    assert "samples     0 added, 120 removed\n" in result.out


# Leaks of single images that people put where they are.


def curate(repository: Repository, *rows: str) -> None:
    lines = ["sample,action,label,new_label,reason", *rows]
    (repository.root / "curation.csv").write_text("".join(f"{line}\n" for line in lines))


def samples_of(repository: Repository, tag: str, split: str) -> list[str]:
    """Return the samples of the class 3 that a release has in a split."""
    made = lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())
    content = repository.object_file(made.md5).read_bytes()
    places = [name.removesuffix(".png").split("/") for name in manifest.entries(content)]
    return [name for where, folder, name in places if (where, folder) == (split, "3")]


def placed(sample: str, where: str, what: str = "row", tag: str = "v2") -> str:
    return (
        f"leak: {sample} is in the {where}. Results on these versions would not be comparable. "
        f"Remove"
        f" this {what}, or accept it with comparable_since: {tag}"
    )


def test_a_pin_that_would_be_a_leak_is_refused_on_its_row(grown: Repository, run: Run) -> None:
    kept = samples_of(grown, "v1", "train")
    gone = next(name for name in samples_of(grown, "v0", "train") if name not in kept)
    test = samples_of(grown, "v0", "test")[0]
    curate(grown, f"{int(gone)},test,,,", f"{test},train,3,,", f'{kept[0]},"test",,,')

    result = run("validate")

    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        f"curation.csv:2:{len(str(int(gone))) + 2}: {placed(gone, 'train set of v0')}",
        f"curation.csv:3:7: {placed(test, 'test set of v0 and v1')}",
        f"curation.csv:4:7: {placed(kept[0], 'train set of v0 and v1')}",
    ]


def test_pins_that_leak_are_counted_in_the_plan_and_named(grown: Repository, run: Run) -> None:
    pinned = samples_of(grown, "v1", "train")[0]
    curate(grown, f"{pinned},test,,,")

    change = planned(grown, run, SMALL)

    assert change["leaks"] == [refused("v0", "v1", from_train=1)]
    assert change["placed_leaks"] == [
        {"sample": pinned, "split": "test", "class": "3", "label": "3"}
    ]
    named = f" would not be comparable. Pinned or added: {pinned} (test/3).\n"
    assert named in run("plan").out
    assert named in run("build").err
    assert run("workflow", "report", str(grown.place / "report")).code == 0


def test_a_pin_that_leaks_is_never_released(grown: Repository, run: Run) -> None:
    pinned = samples_of(grown, "v1", "train")[0]
    grown.merge_file("curation.csv", f"sample,action,label,new_label,reason\n{pinned},test,,,\n")

    result = run("release")

    assert (result.code, grown.tags()) == (1, ["v0", "v1"])
    assert f"curation.csv:2:7: {placed(pinned, 'train set of v0 and v1')}" in result.err


def test_a_pin_that_leaks_can_be_accepted_as_every_leak(grown: Repository, run: Run) -> None:
    curate(grown, f"{samples_of(grown, 'v1', 'train')[0]},test,,,")
    grown.configure(f"{SMALL}comparable_since: v2\n")

    assert run("validate").code == 0


def test_leaks_of_pins_and_of_the_config_are_told_apart(grown: Repository, run: Run) -> None:
    # Of the 62 images that the larger test set takes from the train set of v0, one is pinned.
    early, late = samples_of(grown, "v0", "train"), samples_of(grown, "v1", "train")
    grown.configure(HALF)
    assert run("build").code == 0
    drawn = {file.stem for file in (grown.root / "dataset" / "test" / "3").iterdir()}
    pinned = next(name for name in early if name in drawn and name not in late)
    curate(grown, f"{pinned},test,,,")

    result = run("validate")

    assert result.err.splitlines() == [
        f"curation.csv:2:7: {placed(pinned, 'train set of v0')}",
        f"dataset_config.yaml:3:10: {LEAK.replace('62 images', '61 images')}",
    ]
    assert planned(grown, run, HALF)["leaks"][0]["from_train"] == 62


def test_a_pin_that_agrees_with_every_release_is_no_leak(grown: Repository, run: Run) -> None:
    rows = [
        f"{samples_of(grown, tag, split)[0]},{split},,,"
        for tag, split in (("v0", "train"), ("v1", "train"), ("v0", "test"))
    ]
    curate(grown, *dict.fromkeys(rows))

    assert run("validate").code == 0


def test_an_addition_that_would_be_a_leak_is_refused_at_its_file(
    grown: Repository, run: Run
) -> None:
    train, test = (grown.root / f"additions/{split}/3/a.png" for split in ("train", "test"))
    train.parent.mkdir(parents=True)
    train.write_bytes(encoded(gray(8, 8)))
    grown.git("add", "--all")
    grown.merge(SMALL)
    assert run("release").code == 0
    test.parent.mkdir(parents=True)
    train.rename(test)

    inputs = reader.read(WorkTree(grown.root))
    dataset = Dataset(inputs, registry.load(SourceRequest("digits")))
    found = comparison.compare(dataset, History(Git(grown.root)), index.of_dataset(dataset))

    message = placed(inputs.additions[0].identifier, "train set of v2", "file", "v3")
    assert found.problems(dataset, "v3") == [Problem("additions/test/3/a.png", START, message)]
    assert [leak.tags for leak in found.leaks] == [("v2",)]
