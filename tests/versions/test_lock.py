import pytest

from scripts.errors import UserError
from scripts.versions import lock
from scripts.versions.lock import SCHEMA, Lock
from tests.repository import Repository, Run

TEXT = f"""\
outs:
- md5: ba94b8c96190f92f0c1f4829195bb158.dir
  size: 55290
  nfiles: 200
  hash: md5
  path: dataset
meta:
  schema: {SCHEMA}
  config:
    source: mnist_784
    class: '3'
    samples: 100
    test_size: 20
    seed: 0
  source:
    name: mnist_784
    sha256: 2c28961753a27e11d6ac0e8afd6191db55712b4015bd60a9ca058acfee79e674
    rows: 70000
  counts:
    train:
      '3': 80
      no3: 80
    test:
      '3': 20
      no3: 20
  samples: 77bdd3a70832110843713e251b6e37e196ad4b592e33e8f6e79a468e831796fc
"""


@pytest.fixture
def recorded() -> Lock:
    return lock.parse(TEXT.encode())


def test_a_lock_reads_back_as_it_was_written(recorded: Lock) -> None:
    assert lock.render(recorded) == TEXT
    assert lock.parse(lock.render(recorded).encode()) == recorded


def test_a_lock_has_its_manifest_size_and_counts(recorded: Lock) -> None:
    assert recorded.md5.endswith(".dir")
    assert (recorded.nfiles, recorded.size) == (200, 55_290)
    assert recorded.meta.counts == {"train": {"3": 80, "no3": 80}, "test": {"3": 20, "no3": 20}}


def test_a_lock_without_a_schema_is_version_0(recorded: Lock) -> None:
    old = lock.parse(TEXT.replace(f"  schema: {SCHEMA}\n", "").encode())

    assert (old.meta.schema_, recorded.meta.schema_) == (0, SCHEMA)
    assert (old.outs, old.meta.counts) == (recorded.outs, recorded.meta.counts)


def test_a_lock_of_a_newer_schema_says_to_update_the_branch() -> None:
    newer = TEXT.replace(f"schema: {SCHEMA}", f"schema: {SCHEMA + 1}\n  color: red")

    with pytest.raises(UserError, match=r"^dataset\.dvc was written by a newer version") as caught:
        lock.parse(newer.encode())

    assert "Update this branch from main." in str(caught.value)


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
        (f"schema: {SCHEMA}", "schema: -1"),
        (f"schema: {SCHEMA}", "schema: newest"),
        (f"schema: {SCHEMA}", "schema: true"),
        ("rows: 70000", ""),
        ("meta:", "meat:"),
        ("meta:", "color: red\nmeta:"),
        ("outs:\n", "outs: []\nrest:\n"),
        ("outs:", "outs: !!int"),
        ("outs:", "[[1]]: 2\nouts:"),
        ("samples: 77bd", "samples: x"),
        ("outs:", "<<<<<<< HEAD\nouts:"),
        ("outs:", "{"),
        ("outs:", "\0"),
        (TEXT, ""),
        (TEXT, "[]"),
        (TEXT, "[" * 10_000),
    ],
)
def test_a_lock_changed_by_hand_says_how_to_restore_it(was: str, becomes: str) -> None:
    assert was in TEXT

    with pytest.raises(UserError, match=r"git checkout <tag> -- dataset\.dvc") as caught:
        lock.parse(TEXT.replace(was, becomes).encode(), "dataset.dvc at v7")

    assert str(caught.value).startswith("dataset.dvc at v7 was changed by hand or is damaged (")


def test_a_lock_that_is_too_large_is_not_parsed() -> None:
    with pytest.raises(UserError, match=r"has 300,000 bytes, more than a lock can have"):
        lock.parse(b"#" * 300_000)


@pytest.mark.parametrize("verb", ["validate", "plan", "build"])
def test_a_damaged_lock_is_one_message_and_no_traceback(
    repository: Repository, run: Run, verb: str
) -> None:
    repository.lock.write_bytes(b"outs: \xff\xfe")

    result = run(verb)

    assert result.code == 1
    assert result.err.startswith("error: dataset.dvc was changed by hand or is damaged")
    assert len(result.err.splitlines()) == 1
