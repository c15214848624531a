import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts.errors import UserError
from scripts.inputs.config import SPLITS
from scripts.releases import lock
from scripts.releases.lock import SCHEMA, Lock
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
  selection: 2
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
    copy: 8d0ab6d1cf7ec4e9cd1a6d05fa4bf3f5c1a9ee5a44f4a46a0e6cd2f3e3cbb4f0
  counts:
    train:
      '3': 80
      no3: 80
    test:
      '3': 20
      no3: 20
  samples: 77bdd3a70832110843713e251b6e37e196ad4b592e33e8f6e79a468e831796fc
  comparable_with:
  - v0..v4
  - v6
  splits: 5f6b2ddc9c1c0f35c2a29ae3a1bf5a4d14f0b2d9a7f8a1d7b8a4e1bb0c6f3d2e
"""
# What locks did not hold before they had a schema.
ADDED = {"schema", "selection", "copy", "comparable_with", "- v0..v4", "- v6", "splits"}


# The folder of a class: text that can be read.
CLASS = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1)


@pytest.fixture
def recorded() -> Lock:
    return lock.parse(TEXT.encode())


def test_a_lock_reads_back_as_it_was_written(recorded: Lock) -> None:
    assert lock.render(recorded) == TEXT
    assert lock.parse(lock.render(recorded).encode()) == recorded


@given(st.dictionaries(CLASS, st.integers(1, 9), min_size=1, max_size=5))
@example(dict.fromkeys(["true", "~", "01", "- a", "? a", "a: b", "#1", "🐕", "x " * 49 + "x"], 1))
def test_a_lock_counts_classes_of_any_name(counts: dict[str, int]) -> None:
    made = lock.parse(TEXT.encode())
    meta = made.meta.model_copy(update={"counts": {"train": counts, "test": counts}})
    made = made.model_copy(update={"meta": meta})

    assert lock.parse(lock.render(made).encode()) == made


def test_the_longest_names_of_a_thousand_classes_fit() -> None:
    counts = {f"{number:04}{'日' * 59}": 10**9 for number in range(1_000)}
    made = lock.parse(TEXT.encode())
    meta = made.meta.model_copy(update={"counts": dict.fromkeys(SPLITS, counts)})

    assert len(lock.render(made.model_copy(update={"meta": meta})).encode()) < lock.MAX_BYTES


def test_a_lock_has_its_manifest_size_and_counts(recorded: Lock) -> None:
    assert recorded.md5.endswith(".dir")
    assert (recorded.nfiles, recorded.size) == (200, 55_290)
    assert recorded.meta.counts == {"train": {"3": 80, "no3": 80}, "test": {"3": 20, "no3": 20}}


def test_a_lock_without_a_schema_is_version_0(recorded: Lock) -> None:
    lines = [line for line in TEXT.splitlines() if line.split(":")[0].strip() not in ADDED]
    old = lock.parse("\n".join(lines).encode())

    assert (old.meta.schema_, recorded.meta.schema_) == (0, SCHEMA)
    assert (old.meta.selection, old.meta.comparable_with, old.meta.splits) == (1, None, None)
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
        ("- v0..v4", "- v0 to v4"),
        ("- v6", "- 6"),
        ("selection: 2", "selection: 0"),
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
    with pytest.raises(UserError, match=r"has 1,048,577 bytes, more than a lock can have"):
        lock.parse(b"#" * 1_048_577)


@pytest.mark.parametrize("verb", ["validate", "plan", "build", "release"])
def test_before_the_first_release_a_damaged_lock_does_not_matter(
    repository: Repository, run: Run, verb: str
) -> None:
    (repository.root / "dataset.dvc").write_bytes(b"outs: \xff\xfe")
    repository.git("add", "dataset.dvc")
    repository.git("commit", "--quiet", "--message", "Damage the lock")
    repository.git("push", "--quiet", "origin", "main")

    assert run(verb).code == 0


@pytest.mark.parametrize("verb", ["plan", "build"])
def test_after_a_release_its_own_lock_counts_and_not_that_of_the_work_tree(
    released: Repository, run: Run, verb: str
) -> None:
    released.lock.write_bytes(b"outs: \xff\xfe")

    assert run(verb).code == 0
