"""A message with many faults shows some of every kind, and says where all of them are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.inputs.paths import CURATION_FILE
from scripts.storage import faults
from scripts.storage.faults import Fault
from tests.ingest.pictures import picture, write
from tests.repository import Repository, Run

HEADER = "sample,action,label,new_label,reason"
KEPT = ".dvc/tmp/problems/validate.txt"


def curate(repository: Repository) -> list[str]:
    """Write 60 rows with an unknown action, and behind them one without a sample; return them."""
    rows = [f"{number},remove,,," for number in range(60)] + [",exclude,,,"]
    (repository.root / CURATION_FILE).write_text("\n".join([HEADER, *rows, ""]))
    wrong = "action: expected exclude, relabel, train, validation or test, found 'remove'"
    places = [(number + 2, len(f"{number},") + 1) for number in range(60)]
    lines = [f"{CURATION_FILE}:{line}:{column}: {wrong}" for line, column in places]
    sample = "sample: expected the identifier of a sample, which is the name of its file"
    return [*lines, f"{CURATION_FILE}:62:1: {sample}, found nothing"]


def test_a_kind_with_few_problems_is_not_hidden_behind_one_with_many(
    repository: Repository, run: Run
) -> None:
    lines = curate(repository)

    result = run("validate")

    assert result.code == 1
    assert result.err.splitlines() == [
        *lines[:10],
        "and 50 more of this kind, 60 in all",
        lines[-1],
        f"the complete list is in {KEPT}",
    ]
    assert (repository.root / KEPT).read_text().splitlines() == lines
    assert repository.git("status", "--porcelain").split() == ["??", CURATION_FILE]
    assert not list((repository.root / KEPT).parent.glob("*.tmp"))


def test_in_a_workflow_the_log_has_all_and_the_first_annotations_are_of_every_kind(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = curate(repository)

    result = run("validate")

    assert result.err.splitlines()[-len(lines) - 1 :] == ["the complete list:", *lines]
    shown = result.out.splitlines()[:10]
    assert sum("line=62" in line for line in shown) == 1
    assert result.out.count("::error ") == len(lines)
    assert not (repository.root / KEPT).exists()


def test_where_no_file_can_be_written_all_are_printed(repository: Repository, run: Run) -> None:
    lines = curate(repository)
    folder = (repository.root / KEPT).parent
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file in place of the folder")

    assert run("validate").err.splitlines()[-len(lines) - 1 :] == ["the complete list:", *lines]


def test_an_ingest_shows_every_kind_of_problem(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    files = {f"a/{number:03}.png": b"text" for number in range(100)}
    photos = write(tmp_path / "photos", {**files, "z/1.png": picture(1)[:-40], "top.png": b""})

    error = run("ingest", "shapes", str(photos)).err

    assert error.startswith(f"error: 102 problems in {photos}, so nothing is ingested:\n")
    assert "    and 94 more of this kind, 100 in all\n" in error
    assert "    z/1.png: it is damaged: its end is missing" in error
    assert "    top.png: it is in no class folder; expected LABEL/FILE" in error
    kept = (repository.root / ".dvc/tmp/problems/ingest.txt").read_text()
    assert len(kept.splitlines()) == 102


MESSAGES = st.lists(
    st.tuples(st.sampled_from(["cannot be read", "too large", "is a link", "odd"]), st.integers()),
    max_size=80,
)


@given(MESSAGES, st.integers(4, 30))
def test_the_first_few_are_of_every_kind(found: list[tuple[str, int]], most: int) -> None:
    made = [f"{what}, found {number}" for what, number in found]

    ordered = faults.kinds_first(made, str, most)

    assert sorted(ordered) == sorted(made)
    assert {*map(faults.kind_of, ordered[:most])} == {*map(faults.kind_of, made)}
    if len(made) <= most:
        assert ordered == made


@given(MESSAGES)
def test_the_numbers_of_a_shortened_list_are_those_of_the_whole(
    found: list[tuple[str, int]],
) -> None:
    lines = faults.shortened([Fault(f"f{number}", what) for what, number in found])

    shown = [line for line in lines if not line.startswith("and ")]
    left_out = [line for line in lines if line.startswith("and ")]
    assert len(shown) + sum(int(line.split()[1]) for line in left_out) == len(found)
    assert {line.partition(": ")[2] for line in shown} == {what for what, _ in found}
