import csv
import io
import shutil
from collections.abc import Iterable
from contextlib import chdir, redirect_stdout
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from scripts.__main__ import main
from scripts.curation import similar
from scripts.curation.samples import Samples
from scripts.git.git import Git
from scripts.releases import resolve
from scripts.releases.history import History
from tests.repository import Repository, Run, config_text, contents, create, snapshot

HEADER = "sample,action,label,new_label,reason\n"
NEXT = "Next: review the new rows (git diff curation.csv)"
SMALLER = config_text(samples=4, test_size=2)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with v0, of 5 images in each class, and v1, which has one of them less."""
    made = create(tmp_path_factory.mktemp("prepared"))
    with chdir(made.root), redirect_stdout(io.StringIO()):
        assert main(["release"]) == 0
        made.merge(SMALLER)
        assert main(["release"]) == 0
    made.git("pull", "--quiet", "--ff-only", "origin", "main")
    return made


@pytest.fixture
def released(prepared: Repository, tmp_path: Path) -> Repository:
    for folder in (prepared.root, prepared.origin, prepared.bucket):
        shutil.copytree(folder, tmp_path / folder.name, symlinks=True)
    made = Repository(tmp_path)
    made.git("remote", "set-url", "origin", str(made.origin))
    (made.root / "curation.csv").write_text(HEADER)
    return made


def samples(repository: Repository) -> Samples:
    git = Git(repository.root)
    return Samples(resolve.work_tree(git), History(git))


def in_split(repository: Repository, split: str) -> list[str]:
    found = samples(repository)
    rows = found.images.first.values()
    return [found.identifier(row) for row in rows if found.split(row) == split]


def free(repository: Repository) -> list[str]:
    """Return samples that no release has."""
    found = samples(repository)
    past = found.past
    return [
        found.identifier(row)
        for digest, row in found.images.first.items()
        if found.split(row) is None and digest not in {*past.trained, *past.tested}
    ]


def failures(repository: Repository, rows: Iterable[str], header: str = "sample") -> Path:
    file = repository.place / "failures.csv"
    file.write_text("\n".join([header, *rows]))
    return file


def curated(repository: Repository) -> list[dict[str, str]]:
    text = (repository.root / "curation.csv").read_text()
    return list(csv.DictReader(io.StringIO(text)))


def test_failures_become_test_rows_for_a_pull_request(released: Repository, run: Run) -> None:
    first, second = free(released)[:2]
    found = samples(released)
    label = found.label(found.find(first))
    file = failures(
        released, [f"out/test/{first}.png,7,0.92", f"{second}.png,,"], "file,predicted,score"
    )

    result = run("curate", str(file))

    assert result.code == 0, result.err
    assert result.out.startswith("Added to curation.csv: 2 test, 0 train\nNext: ")
    assert NEXT in result.out
    text = (released.root / "curation.csv").read_text()
    other = found.label(found.find(second))
    assert text == (
        f'{HEADER}{first},test,{label},,"predicted 7, score 0.92"\n'
        f"{second},test,{other},,wrong prediction\n"
    )
    assert run("validate").code == 0
    assert {first, second} <= {*in_split(released, "test")}


def test_classes_given_as_their_numbers_in_a_parquet_file_are_understood(
    repository: Repository, run: Run
) -> None:
    repository.configure(config_text(class_=[8, 3]))
    (repository.root / "curation.csv").write_text(HEADER)
    found = samples(repository)
    ours = [one for one in free(repository) if found.label(found.find(one)) == "3"][:2]
    file = repository.place / "test.parquet"
    table = {"sample": ours, "label": [1, 1], "predicted": [0, 1]}
    parquet.write_table(pa.table(table), file)

    result = run("curate", str(file))

    assert result.code == 0, result.err
    assert f"line 2, {ours[1]}: the prediction 3 is correct" in result.out
    assert [(row["sample"], row["label"], row["reason"]) for row in curated(repository)] == [
        (ours[0], "3", "predicted 8 instead of 3")
    ]


def test_the_second_run_adds_nothing_and_says_so(released: Repository, run: Run) -> None:
    file = failures(released, free(released)[:3])
    assert run("curate", str(file), "--similar", "4").code == 0
    before = snapshot(released.root)

    result = run("curate", str(file), "--similar", "4")

    assert result.code == 0
    assert result.out.endswith("Nothing to add to curation.csv.\n")
    assert result.out.count("it is curated already: test on line") == 3
    assert NEXT not in result.out
    assert snapshot(released.root) == before


def test_rows_that_are_there_stay_byte_for_byte(released: Repository, run: Run) -> None:
    sample, other = free(released)[:2]
    before = f'{HEADER}{other.lstrip("0")},exclude,,,"odd, ""very"""\r\n\n'.encode()
    (released.root / "curation.csv").write_bytes(before)

    assert run("curate", str(failures(released, [sample]))).code == 0

    assert (released.root / "curation.csv").read_bytes().startswith(before)
    assert [row["sample"] for row in curated(released)] == [other.lstrip("0"), sample]


def test_what_a_comparable_release_trains_on_is_not_added(released: Repository, run: Run) -> None:
    sample = in_split(released, "train")[0]
    # v0 trains on it, v1 and the work tree do not have it.
    released.configure(config_text())
    left = {*in_split(released, "train")}
    released.configure(SMALLER)
    (gone, *_) = sorted(left - {*in_split(released, "train")})
    file = failures(released, [sample, gone])

    result = run("curate", str(file))

    assert result.code == 0
    assert result.out == (
        f"Not added to the test set, 2 of the samples in {file}:\n"
        f"  line 2, {sample}: it is in the train set of v0\n"
        f"  line 3, {gone}: it is in the train set of v0\n"
        "Nothing to add to curation.csv.\n"
    )
    assert (released.root / "curation.csv").read_text() == HEADER
    # Results are not compared with v0 any more.
    released.configure(f"{SMALLER}comparable_since: v1\n")
    assert f"line 2, {sample}: v0" not in run("curate", str(file)).out
    assert [row["sample"] for row in curated(released)] == [gone]


def test_the_nearest_samples_become_train_rows_without_a_leak(
    released: Repository, run: Run
) -> None:
    failed = free(released)[:3]
    tested = {*in_split(released, "test")}

    result = run("curate", str(failures(released, failed)), "--similar", "5")

    assert result.code == 0, result.err
    rows = curated(released)
    train = [row["sample"] for row in rows if row["action"] == "train"]
    assert 5 <= len(train) <= 15
    assert len({row["sample"] for row in rows}) == len(rows)
    assert not {*train} & {*failed, *tested}
    assert {row["reason"].split(" (")[0] for row in rows[3:]} <= {f"similar to {x}" for x in failed}
    assert run("validate").code == 0


def test_neighbors_of_a_failure_that_is_tested_already_are_added(
    released: Repository, run: Run
) -> None:
    sample = in_split(released, "test")[0]
    file = failures(released, [sample])

    assert run("curate", str(file)).out == (
        f"Already in the test set, 1 of the samples in {file}:\n"
        f"  line 2, {sample}: it is in the test set already\n"
        "Nothing to add to curation.csv.\n"
    )
    result = run("curate", str(file), "--similar", "2")
    assert result.out.startswith(
        "Already in the test set, so only similar images are added for them, 1 of the samples in"
        f" {file}:\n  line 2, {sample}: it is in the test set already\n"
        "Added to curation.csv: 0 test, 2 train\n"
    )
    assert "Not added" not in result.out
    assert [row["action"] for row in curated(released)] == ["train", "train"]
    assert run("curate", str(file), "--similar", "2").out.endswith(
        "Nothing to add to curation.csv.\n"
    )


def test_what_a_comparable_release_tests_on_is_no_neighbor(released: Repository) -> None:
    past = samples(released).past
    # The dataset has few of the images of the releases now.
    released.configure(config_text(class_="all", samples=4, test_size=2, seed=5))
    found = samples(released)
    gone = {digest: row for digest, row in found.images.first.items() if found.split(row) is None}
    query = found.find(free(released)[0])

    near = {one.row for one in similar.nearest(found, [query], 10_000)[query]}

    assert len(past.tested.keys() & gone.keys()) > 2
    assert len(past.trained.keys() & gone.keys()) > 2
    assert near == {row for digest, row in gone.items() if digest not in past.tested} - {query}


def test_where_a_release_cannot_be_read_nothing_is_written(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("release").code == 0
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    file = failures(repository, ["58"])
    shutil.rmtree(repository.bucket)
    shutil.rmtree(repository.cache)
    # By another rule the release cannot be selected again.
    monkeypatch.setattr("scripts.dataset.selection.RULE", 3)
    before = contents(repository.root)

    result = run("curate", str(file), "--similar", "3", "--sheet", "sheet.png")

    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: v0 cannot be read here (")
    assert result.err.endswith(
        "), so its train and test images are unknown. Nothing was changed.\n"
    )
    assert contents(repository.root) == before
    assert run("similar", "58").code == 1


@pytest.mark.parametrize(
    ("config", "curation", "expected"),
    [
        ("samples: -1\n", HEADER, "dataset_config.yaml:1:10: samples: must be at least 1"),
        (SMALLER, "sample\n", "curation.csv:1:1: the first line must be sample,action,label,"),
        (SMALLER, f"{HEADER}99999,test,,,\n", "curation.csv:2:1: sample: digits has no sample"),
    ],
)
def test_problems_in_the_inputs_are_reported_as_usual(
    released: Repository, run: Run, config: str, curation: str, expected: str
) -> None:
    released.configure(config)
    (released.root / "curation.csv").write_text(curation)

    result = run("curate", str(failures(released, ["58"])))

    assert result.code == 1
    assert expected in result.err
    assert (released.root / "curation.csv").read_text() == curation


def test_rows_that_cannot_be_read_are_listed_and_the_others_are_used(
    released: Repository, run: Run
) -> None:
    first, second = free(released)[:2]
    rows = [f"{first},,0.5", "cat,,high", f'{second},"3,1', "9,3", f"{second},,1"]
    file = failures(released, rows, "sample,label,score")

    result = run("curate", str(file))

    assert result.code == 0, result.err
    assert result.out.startswith(
        f"Skipped 3 invalid rows in {file}:\n"
        "  line 3, column 1: sample: expected a sample of the dataset, such as 00058, found 'cat'\n"
        "  line 3, column 6: score: expected a number, found 'high'\n"
        f"  line 4, column {len(second) + 2}: the quote that begins here is not closed; values"
        " cannot have line breaks\n"
        "  line 5, column 1: expected 3 values as in the first line, found 2\n"
        "Added to curation.csv: 2 test, 0 train\n"
    )
    assert [row["sample"] for row in curated(released)] == [first, second]


def test_a_file_without_a_row_that_can_be_read_is_refused(released: Repository, run: Run) -> None:
    file = failures(released, ["cat,3", "dog,3"], "sample,label")

    result = run("curate", str(file))

    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        f"{file}:{line}:1: sample: expected a sample of the dataset, such as 00058, found '{name}'"
        for line, name in ((2, "cat"), (3, "dog"))
    ]
    assert (released.root / "curation.csv").read_text() == HEADER


def test_a_file_that_is_not_there_or_too_large_is_not_read(
    untouched: Repository, run: Run, tmp_path: Path
) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(10**10)
    missing = tmp_path / "missing.csv"
    for name, expected in (
        (missing, f"error: {missing}: there is no such file\n"),
        (large, f"error: {large}: the file has 10,000,000,000 bytes; at most 33,554,432 are"),
        (tmp_path, "not a regular file; links, folders and devices are not read"),
        (Path("/dev/zero"), "not a regular file; links, folders and devices are not read"),
    ):
        result = run("curate", str(name), where=untouched.root)
        assert result.code == 1
        assert expected in result.err


@pytest.mark.parametrize("number", ["0", "-1", "101", "many"])
def test_the_number_of_neighbors_is_bounded(run: Run, repository: Repository, number: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run("curate", "failures.csv", "--similar", number)
    assert ended.value.code == 2


def test_the_sheet_shows_each_failure_beside_its_neighbors(
    released: Repository, run: Run, tmp_path: Path
) -> None:
    sheet = tmp_path / "new" / "sheet.png"
    file = failures(released, free(released)[:2])

    result = run("curate", str(file), "--similar", "3", "--sheet", str(sheet))

    assert f"Drew {sheet}\n" in result.out
    page = np.array(Image.open(sheet).convert("L"))
    # Two rows, each of a sample, a line, and three neighbors.
    assert (page < 255).any(axis=1).sum() > 2 * 56
    assert page.shape[0] < 3 * 120


def test_a_sheet_that_cannot_be_written_leaves_the_curation_alone(
    released: Repository, run: Run, tmp_path: Path
) -> None:
    file = failures(released, free(released)[:2])

    result = run("curate", str(file), "--sheet", str(tmp_path))

    assert result.code == 1
    assert "Traceback" not in result.err
    assert (released.root / "curation.csv").read_text() == HEADER


def test_similar_only_looks(released: Repository, run: Run, tmp_path: Path) -> None:
    sample = free(released)[0]
    tested = in_split(released, "test")[0]
    before = snapshot(released.root)
    sheet = tmp_path / "sheet.png"

    result = run("similar", sample, f"test/3/{tested}.png", sample, "--sheet", str(sheet))

    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert len(lines) == 2 * 11 + 1
    assert lines[0].startswith(f"{sample}, label ")
    assert lines[11].startswith(f"{tested}, label ")
    assert all(" distance " in line for line in lines if line.startswith("  "))
    assert Image.open(sheet).format == "PNG"
    assert snapshot(released.root) == before


def test_similar_shows_what_curate_would_add(released: Repository, run: Run) -> None:
    sample = free(released)[0]
    shown = run("similar", sample).out.splitlines()[1:]

    assert run("curate", str(failures(released, [sample])), "--similar", "10").code == 0

    train = [row["sample"] for row in curated(released) if row["action"] == "train"]
    assert train == [line.split(",")[0].strip() for line in shown]


def test_every_unknown_sample_is_named(untouched: Repository, run: Run) -> None:
    assert run("similar", "99999", "cat", "7", where=untouched.root) == (
        *(1, ""),
        "error: digits has no sample 99999\ndigits has no sample cat\n",
    )
