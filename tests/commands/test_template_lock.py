import pytest

from scripts.releases import lock
from tests.repository import Repository, Run, config_text, contents

REFUSED = "error: dataset.dvc is written by the release only, once there is one.\n"


def test_the_lock_of_the_template_records_what_a_build_gives(
    repository: Repository, run: Run
) -> None:
    result = run("template-lock")

    made = lock.parse(repository.lock.read_bytes())
    assert result == (0, f"dataset.dvc records {made.md5}\n", "")
    assert made.meta.schema_ == lock.SCHEMA
    assert made.meta.config == {
        **{"source": "digits", "class": "3", "samples": 5, "test_size": 2, "seed": 0},
    }
    assert made.meta.counts == {"train": {"3": 3, "no3": 3}, "test": {"3": 2, "no3": 2}}
    assert made.md5 in run("build").out
    assert made.nfiles == len(contents(repository.root / "dataset"))


def test_the_lock_of_the_template_is_that_of_the_first_release(
    repository: Repository, run: Run
) -> None:
    assert run("template-lock").code == 0
    written = repository.lock.read_text()
    repository.lock.unlink()

    assert run("release").code == 0

    lines = repository.at_origin("show", "v0:dataset.dvc").splitlines()
    # The copy of the source, and the record of all releases, are in the remote after a release.
    added = [line for line in lines if line not in written.splitlines()]
    assert [line.split(":")[0].strip() for line in added] == ["copy", "cumulative"]
    assert [line for line in lines if line not in added] == written.splitlines()


def test_writing_the_lock_again_gives_the_same_file(repository: Repository, run: Run) -> None:
    assert run("template-lock").code == 0
    before = repository.lock.read_bytes()

    assert run("template-lock").code == 0

    assert repository.lock.read_bytes() == before


def test_only_the_lock_is_written(repository: Repository, run: Run) -> None:
    before = contents(repository.root)

    assert run("template-lock").code == 0

    after = contents(repository.root)
    new = {name for name in after if after[name] != before.get(name)}
    assert {name for name in new if not name.startswith(".dvc/tmp/")} == {"dataset.dvc"}
    assert not (repository.root / "dataset").exists()
    assert not repository.cache.exists()


@pytest.mark.parametrize(
    "old", ["", "<<<<<<< HEAD\n", "outs: []\n", "schema"], ids=["empty", "conflict", "bad", "newer"]
)
def test_a_lock_of_another_config_or_a_damaged_one_is_replaced(
    repository: Repository, run: Run, old: str
) -> None:
    assert run("template-lock").code == 0
    right = repository.lock.read_text()
    repository.lock.write_text(right.replace("schema: 1", "schema: 2") if old == "schema" else old)

    assert run("template-lock").code == 0
    assert repository.lock.read_text() == right

    repository.configure(config_text(samples=8))
    assert run("template-lock").code == 0
    assert lock.parse(repository.lock.read_bytes()).meta.config["samples"] == 8


def test_an_invalid_config_leaves_the_lock_as_it_was(repository: Repository, run: Run) -> None:
    assert run("template-lock").code == 0
    before = repository.lock.read_bytes()
    repository.configure(config_text(samples=-1))

    result = run("template-lock")

    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("dataset_config.yaml:3:10: samples: ")
    assert repository.lock.read_bytes() == before


def test_after_the_first_release_the_verb_is_refused(released: Repository, run: Run) -> None:
    before = released.lock.read_bytes()
    released.configure(config_text(samples=8))

    assert run("template-lock") == (1, "", REFUSED)

    assert released.lock.read_bytes() == before
