from pathlib import Path

import pytest

from scripts import lock
from scripts.errors import UserError
from scripts.lock import Lock
from tests.repository import PROJECT, Repository, Run

COMMITTED = (PROJECT / "dataset.dvc").read_text()


@pytest.fixture
def committed() -> Lock:
    return lock.parse(COMMITTED.encode())


def test_a_lock_reads_back_as_it_was_written(committed: Lock) -> None:
    assert lock.render(committed) == COMMITTED
    assert lock.parse(lock.render(committed).encode()) == committed


def test_a_lock_names_its_object_size_and_counts(committed: Lock) -> None:
    assert committed.md5.endswith(".dir")
    assert committed.nfiles == 200
    assert committed.meta.counts == {"train": {"3": 80, "no3": 80}, "test": {"3": 20, "no3": 20}}


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("md5: ba94", "md5: zz"),
        (".dir", ""),
        ("size: 55290", "size: -1"),
        ("nfiles: 200", "nfiles: many"),
        ("nfiles: 200", "nfiles: '200'"),
        ("path: dataset", "path: ../elsewhere"),
        ("hash: md5", "hash: sha1"),
        ("rows: 70000", ""),
        ("meta:", "meat:"),
        ("meta:", "colour: red\nmeta:"),
        ("outs:\n", "outs: []\nrest:\n"),
        ("samples: 77bd", "samples: x"),
        ("outs:", "<<<<<<< HEAD\nouts:"),
        ("outs:", "{"),
        ("outs:", "\0"),
        (COMMITTED, ""),
        (COMMITTED, "[]"),
    ],
)
def test_a_lock_edited_by_hand_says_how_to_restore_it(was: str, becomes: str) -> None:
    assert was in COMMITTED

    with pytest.raises(UserError, match=r"git checkout <tag> -- dataset\.dvc") as caught:
        lock.parse(COMMITTED.replace(was, becomes).encode(), "dataset.dvc at v7")

    assert str(caught.value).startswith("dataset.dvc at v7 is not as it was written by machine (")


@pytest.mark.parametrize("verb", ["validate", "plan", "build", "push"])
def test_a_damaged_lock_is_one_message_and_no_traceback(
    repository: Repository, run: Run, verb: str
) -> None:
    repository.lock.write_bytes(b"outs: \xff\xfe")

    result = run(verb)

    assert result.code == 1
    assert result.err.startswith("error: dataset.dvc is not as it was written by machine")
    assert len(result.err.splitlines()) == 1


def test_the_committed_lock_is_that_of_the_committed_config(committed: Lock) -> None:
    written = [
        line.split("#")[0].split()
        for line in (Path(PROJECT) / "dataset_config.yaml").read_text().splitlines()
    ]
    said = {words[0].rstrip(":"): words[1] for words in written if words}
    assert said == {key: str(value) for key, value in committed.meta.config.items()}
