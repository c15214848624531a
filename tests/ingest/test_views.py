"""Columns of metadata in a config: another label, some of the samples, groups."""

import csv
import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import Mock

import pytest

from scripts.git.git import Git
from scripts.releases.history import History
from tests.ingest.pictures import picture, write
from tests.repository import Repository, Run, contents

BREEDS = ("siamese", "poodle", "tabby")


def photos(folder: Path, start: int, stop: int) -> Path:
    """Write photos of different sizes with a table of their metadata."""
    files, text = {}, io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("file_name", "label", "breed", "patient", "age", "view"))
    for number in range(start, stop):
        name = f"photo {number}.png"
        files[name] = picture(number, size=(8 + number % 3, 9), mode="RGB")
        breed = "" if number % 10 == 9 else BREEDS[number % 3]
        label, view = "cat" if number % 2 else "dog", "PA" if number % 4 < 3 else "side"
        rows.writerow((name, label, breed, f"P{number // 4}", number, view))
    return write(folder, {**files, "metadata.csv": text.getvalue().encode()})


def config(**changes: object) -> str:
    values = {"source": "pets", "class": "all", "samples": "all", "test_size": 0.2}
    values |= {"encoding": "original", **changes}
    return "".join(f"{key}: {value}\n" for key, value in values.items())


@pytest.fixture
def pets(repository: Repository, run: Run, tmp_path: Path) -> Repository:
    result = run("ingest", "pets", str(photos(tmp_path / "first", 0, 60)))
    assert result.code == 0, result.err
    repository.git("add", "sources")
    return repository


def groups(repository: Repository) -> Mapping[str, set[str]]:
    """Return the patients of each split of the built dataset, by the names of the photos."""
    table: dict[bytes, str] = {}
    for folder in repository.root.parent.glob("first"):
        table |= {
            (folder / row["file_name"]).read_bytes(): row["patient"]
            for row in csv.DictReader((folder / "metadata.csv").open())
        }
    found: dict[str, set[str]] = {}
    for name, content in contents(repository.root / "dataset").items():
        found.setdefault(name.split("/")[0], set()).add(table[content])
    return found


def release(repository: Repository, run: Run, text: str) -> str:
    repository.merge(text)
    result = run("release")
    assert result.code == 0, result.err
    return result.out


def test_another_column_is_the_label(pets: Repository, run: Run) -> None:
    pets.configure(config(label_by="breed"))
    result = run("plan")
    assert result.code == 0, result.err
    assert "left out    6 samples without a value in breed\n" in result.out
    assert run("build").code == 0
    assert {path.name for path in (pets.root / "dataset" / "train").iterdir()} == {*BREEDS}
    assert len(contents(pets.root / "dataset")) == 54


def test_only_samples_with_a_value_are_selected(pets: Repository, run: Run) -> None:
    pets.configure(config(where="{view: PA, age: [0, 1, 2, 4, 5, 6, 8, 9, 10, 3]}"))
    assert run("build").code == 0
    assert len(contents(pets.root / "dataset")) == 9


@pytest.mark.parametrize(
    ("changes", "place", "says"),
    [
        ({"label_by": "race"}, "6:11", "label_by: pets has no column 'race'; it has age, breed,"),
        ({"group_by": "person"}, "6:11", "group_by: pets has no column 'person'; it has age,"),
        ({"where": "{sight: PA}"}, "6:9", "where: pets has no column 'sight'; it has age, breed"),
    ],
)
def test_an_unknown_column_is_named_with_those_there_are(
    pets: Repository, run: Run, changes: dict[str, object], place: str, says: str
) -> None:
    pets.configure(config(**changes))
    result = run("validate")
    assert result.code == 1
    assert f"dataset_config.yaml:{place}: {says}" in result.err


def test_a_source_without_metadata_has_no_columns(repository: Repository, run: Run) -> None:
    repository.configure("source: digits\nclass: 3\nsamples: 9\ntest_size: 2\nlabel_by: breed\n")
    result = run("validate")
    assert result.code == 1
    assert "label_by: digits has no column 'breed'; it has no metadata" in result.err


def test_all_photos_of_a_patient_are_in_one_split_whatever_comes(
    pets: Repository, run: Run, tmp_path: Path
) -> None:
    pets.configure(config(group_by="patient"))
    planned = run("plan").out
    assert "groups      train 12 groups, test 3 groups\n" in planned
    release(pets, run, config(group_by="patient"))
    assert run("build").code == 0
    before = groups(pets)
    assert not before["train"] & before["test"]
    history = History(Git(pets.root))
    old = history.index(history.releases[0])

    result = run("ingest", "pets", str(photos(tmp_path / "second", 58, 120)))
    assert result.code == 0, result.err
    pets.git("add", "sources")
    pets.configure(config(group_by="patient"))
    # A source that grows is no other source.
    assert run("plan").out.startswith("dataset v1: +60 samples, 2 classes\n")
    out = release(pets, run, config(group_by="patient"))
    assert "The source differs" not in out

    history = History(Git(pets.root))
    new = history.index(history.releases[1])
    assert old.places.items() <= new.places.items()
    assert not new.groups_of(new.split("train")) & new.groups_of(new.split("test"))
    # Another question about the same photos leaves each patient where it is.
    pets.configure(config(group_by="patient", label_by="breed"))
    assert "comparable  with v0 and v1\n" in run("plan").out


def test_a_release_that_has_a_patient_on_the_other_side_is_not_comparable(
    pets: Repository, run: Run
) -> None:
    release(pets, run, config(group_by="patient"))
    pets.configure(config(group_by="patient", seed=5))
    result = run("validate")
    assert result.code == 1
    assert "leak: " in result.err
    pets.configure(config(group_by="patient", seed=5, comparable_since="v1"))
    assert run("validate").code == 0, run("validate").err


def test_counts_are_exact_or_the_message_says_what_the_groups_have(
    pets: Repository, run: Run
) -> None:
    pets.configure(config(group_by="patient", samples=10))
    assert run("build").code == 0
    assert len(contents(pets.root / "dataset")) == 20
    assert "; unused images: " in run("plan").out

    pets.configure(config(group_by="patient", samples=30, test_size=0.3))
    result = run("validate")
    assert result.code == 1
    assert "needs 21 images for train, but the groups for train have" in result.err


def test_a_pin_against_the_group_is_refused_on_its_row(pets: Repository, run: Run) -> None:
    pets.configure(config(group_by="patient"))
    assert run("build").code == 0
    name = next(iter((pets.root / "dataset" / "train" / "cat").iterdir())).stem
    rows = f"sample,action,label,new_label,reason\n{name},test,,,\n"
    (pets.root / "curation.csv").write_text(rows)
    result = run("validate")
    assert result.code == 1
    assert f"curation.csv:2:19: action: the group of {name} (P" in result.err


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"group_by": "patient", "test_size": 5}, "with group_by, expected one fraction"),
        ({"group_by": "patient", "split_by": "source"}, "the groups decide the splits"),
        ({"image_size": 8}, "original files are not resized"),
    ],
)
def test_what_does_not_go_together_is_refused(
    pets: Repository, run: Run, changes: dict[str, object], says: str
) -> None:
    pets.configure(config(**changes))
    result = run("validate")
    assert result.code == 1
    assert says in result.err


def test_the_validation_set_of_a_source_is_kept(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    numbers = {"train": range(20), "val": range(20, 28), "test": range(28, 34)}
    files = {
        f"{split}/{'cat' if number % 2 else 'dog'}/{number}.png": picture(number)
        for split, of_split in numbers.items()
        for number in of_split
    }
    assert run("ingest", "pets", str(write(tmp_path / "sets", files))).code == 0
    own = {"split_by": "source", "test_size": None}
    text = config(**own, validation_size="all").replace("test_size: None\n", "")
    repository.configure(text)

    result = run("build")

    assert result.code == 0, result.err
    built = contents(repository.root / "dataset")
    known = {content: name for name, content in files.items()}
    for name, content in built.items():
        split = name.split("/")[0]
        assert known[content].split("/")[0] == {"validation": "val"}.get(split, split)
    assert len(built) == 34

    # Without the key, its images are in no other split.
    repository.configure(text.replace("validation_size: all\n", ""))
    assert run("build").code == 0
    assert len(contents(repository.root / "dataset")) == 26
    counts = text.replace("all\n", "3\n").replace("class: 3", "class: all")
    repository.configure(counts.replace("samples: 3", "samples: 9") + "test_size: 2\n")
    assert run("build").code == 0, run("build").err
    assert len(contents(repository.root / "dataset")) == 18


def add(repository: Repository, rows: Mapping[str, str], columns: str = "patient,age") -> None:
    """Write additions, and a table with the values of each."""
    files = {path: picture(1000 + at, size=(8, 9), mode="RGB") for at, path in enumerate(rows)}
    lines = [f"file_name,{columns}", *(f"{path},{values}" for path, values in rows.items())]
    table = "".join(f"{line}\n" for line in lines).encode()
    write(repository.root / "additions", {**files, "metadata.csv": table})


def patients(repository: Repository, run: Run) -> Mapping[str, str]:
    """Return the split of each patient."""
    repository.configure(config(group_by="patient"))
    assert run("build").code == 0
    return {patient: split for split, found in groups(repository).items() for patient in found}


def test_an_addition_is_in_the_split_of_its_group(pets: Repository, run: Run) -> None:
    splits = patients(pets, run)
    patient, split = next(iter(splits.items()))
    other = "test" if split == "train" else "train"

    add(
        pets,
        {f"{split}/cat/a.png": f"{patient},5", f"{other}/cat/b.png": ",", "test/dog/c.png": "new,"},
    )
    assert run("validate").code == 0

    shutil.rmtree(pets.root / "additions")
    add(pets, {f"{other}/cat/b.png": f"{patient},5"})
    result = run("validate")
    assert result.code == 1
    assert result.err.startswith(
        f"additions/{other}/cat/b.png:1:1: its group is {patient}, and all samples of a group must"
        f" be in one split, but the source has it for {split}; move it to {split}, or remove it"
    )


def test_a_group_that_only_additions_have_is_in_one_split(pets: Repository, run: Run) -> None:
    pets.configure(config(group_by="patient"))
    add(pets, {"train/cat/a.png": "new,", "test/cat/b.png": "new,", "test/cat/c.png": "newer,"})

    result = run("validate")

    assert result.err == (
        "additions/train/cat/a.png:1:1: its group is new, and all samples of a group must be in one"
        " split, but additions/test/cat/b.png of it is in test; move it to test, or remove it\n"
    )


def test_numbers_are_the_same_groups_whatever_their_type(pets: Repository, run: Run) -> None:
    pets.configure(config(group_by="age"))
    # With a number that is not whole, all of them are not.
    add(pets, {"train/cat/a.png": "x,5", "test/cat/b.png": "x,5.0"})

    assert "its group is 5, and" in run("validate").err


def test_a_column_that_the_source_does_not_have_is_refused(pets: Repository, run: Run) -> None:
    add(pets, {"train/cat/a.png": "a,b"}, columns="pateint,age")
    pets.configure(config(group_by="patient"))

    assert run("validate").err == (
        "additions/metadata.csv:1:11: pets has no column 'pateint'; it has age, breed, patient,"
        " view\n"
    )


def test_metadata_of_additions_is_in_the_files_of_a_release(
    pets: Repository, run: Run, tmp_path: Path
) -> None:
    splits = patients(pets, run)
    patient, split = next(iter(splits.items()))
    add(pets, {f"{split}/cat/a.png": f"{patient},77"})
    pets.git("add", "additions")
    release(pets, run, config(group_by="patient"))
    assert run("package", "v0", "--out", str(tmp_path / "out")).code == 0

    with zipfile.ZipFile(tmp_path / "out" / "dataset-v0.zip") as opened:
        text = opened.read("metadata.csv").decode()
    (row,) = [row for row in csv.DictReader(io.StringIO(text)) if row["age"] == "77"]
    assert (row["patient"], row["breed"]) == (patient, "")
    assert row["original_name"] == f"{split}/cat/a.png"


def test_a_change_of_the_table_alone_makes_no_version(pets: Repository, run: Run) -> None:
    add(pets, {"train/cat/a.png": "new,1"})
    pets.git("add", "additions")
    release(pets, run, config(group_by="patient"))
    add(pets, {"train/cat/a.png": "newer,2"})
    pets.git("pull", "--quiet", "--ff-only", "origin", "main")
    pets.git("commit", "--quiet", "--all", "--message", "Change the table")
    pets.git("push", "--quiet", "origin", "HEAD:main")

    assert "nothing to release" in run("release").out
    plan = run("plan")
    assert plan.code == 0
    assert "no change" in plan.out.lower()


def test_a_file_that_is_known_is_not_decoded_again(
    pets: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "scripts.ingest.decoding.images.read", Mock(side_effect=AssertionError("decoded"))
    )

    result = run("ingest", "pets", str(tmp_path / "first"))

    assert result.code == 0, result.err
    assert "skipped 60 images that the source has already\n" in result.out
    assert "nothing to ingest: pets has all of these images" in result.out
