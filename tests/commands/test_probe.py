import re
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from scripts.git.git import Git
from scripts.releases import resolve
from scripts.review.accuracy_words import NOTE
from tests.repository import Released, Repository, Run, config_text, process

FIRST = config_text(class_=[3, 8], samples=60, test_size=40)
SECOND = config_text(class_=[3, 8], samples=140, test_size=40)
LINE = re.compile(
    r"probe \(5 nearest neighbors\): \d+\.\d % -> \d+\.\d % of 80 shared test images,"
    r" [+-]\d+\.\d points \(95 % interval [+-]\d+\.\d to [+-]\d+\.\d\)"
)


@pytest.fixture
def grown(released_as: Released) -> Repository:
    """A repository with v0, and a work tree with more train images."""
    made = released_as(FIRST)
    made.configure(SECOND)
    return made


def labeled_tests(repository: Repository) -> list[tuple[str, str]]:
    """Return the identifier and the class of each test image of the work tree."""
    dataset = resolve.work_tree(Git(repository.root))
    return [
        (dataset.images.identifier(row), folder)
        for (split, folder), rows in dataset.selection.rows.items()
        if split == "test"
        for row in rows
    ]


def predictions(tests: list[tuple[str, str]], wrong: int) -> str:
    """Return predictions that are wrong for the first ones."""
    rows = [
        f"{sample},{'38'.replace(folder, '') if at < wrong else folder}"
        for at, (sample, folder) in enumerate(tests)
    ]
    return "\n".join(["sample,predicted", *rows, ""])


def test_the_newest_release_is_compared_with_the_work_tree(grown: Repository, run: Run) -> None:
    result = run("probe")

    assert result.code == 0, result.err
    first, _, heading, *rows = result.out.splitlines()
    assert LINE.fullmatch(first)
    assert heading.split() == ["class", "test", "images", "before", "after", "points"]
    assert sorted(row.split()[0] for row in rows[:2]) == ["3", "8"]
    assert result.out.endswith(f"\n{NOTE}\n")


def test_two_releases_are_compared_by_tag(released_as: Released, run: Run) -> None:
    repository = released_as(FIRST, SECOND)
    compared = run("probe", "v0", "v1").out

    assert LINE.match(compared)
    repository.configure(SECOND)
    assert run("probe", "v0").out == compared
    assert run("probe").out == "probe: says nothing, because the train set does not change\n"
    assert run("probe", "v9").err.startswith("error: v9 is not a release")


def test_before_the_first_release_there_is_nothing_to_compare_with(
    repository: Repository, run: Run
) -> None:
    result = run("probe")

    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "error: nothing is released yet, so there is no version to compare with\n"
    )


def test_other_classes_are_another_question(grown: Repository, run: Run) -> None:
    grown.configure(config_text(class_=[3, 8, 5], samples=60, test_size=40))

    assert run("probe").out == (
        "probe: says nothing, because v0 has other classes, which is another question\n"
    )


def test_predictions_of_two_models_are_compared(
    grown: Repository, run: Run, tmp_path: Path
) -> None:
    tests = labeled_tests(grown)
    before, after = tmp_path / "before.csv", tmp_path / "after.parquet"
    before.write_text(predictions(tests, 12))
    numbers = {"3": 0, "8": 1}
    table = {
        "sample": [sample for sample, _ in tests],
        "label": [numbers[folder] for _, folder in tests],
        "predicted": [numbers[folder] for _, folder in tests],
    }
    parquet.write_table(pa.table(table), after)

    result = run("probe", "--predictions", str(before), str(after))

    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        "own model: 85.0 % -> 100.0 % of 80 shared test images, +15.0 points"
        " (95 % interval +8.8 to +24.4)",
        "",
        "class      test images    before    after    points",
        "3                   40    70.0 %  100.0 %     +30.0",
        "8                   40   100.0 %  100.0 %      +0.0",
        "",
    ]
    missing = run("probe", "--predictions", str(before), str(tmp_path / "none.csv"))
    assert (missing.code, missing.out) == (1, "")
    assert missing.err.endswith("none.csv: there is no such file\n")


def test_the_comment_has_the_line_of_the_probe(grown: Repository, run: Run) -> None:
    line = LINE.match(run("probe").out)
    assert line

    markdown = run("plan", "--format", "markdown").out

    name, found = line[0].split(": ", 1)
    assert name == "probe (5 nearest neighbors)"
    # As text, a plan says quickly what changes; the probe has a verb.
    assert "probe" not in run("plan").out
    assert f"\n- **probe** (5 nearest neighbors): {found}\n" in markdown
    fold = markdown.partition("<details><summary>probe by class</summary>")[2]
    assert re.search(
        r"^\| 3 \| 40 \| \d+\.\d % \| \d+\.\d % \| [+-]\d+\.\d \|$", fold, re.MULTILINE
    )
    assert f"\n\n{NOTE}\n\n</details>\n" in fold


def test_the_first_version_has_no_line(repository: Repository, run: Run) -> None:
    assert "probe" not in run("plan", "--format", "markdown").out


# predictions.csv beside the config.


def test_a_pull_request_shows_the_accuracy_of_the_teams_own_model(
    released_as: Released, run: Run
) -> None:
    repository = released_as(FIRST)
    tests = labeled_tests(repository)
    file = repository.root / "predictions.csv"
    file.write_text(predictions(tests, 8))

    assert "\nown model   predictions.csv: 90.0 % of 80 test images\n" in run("plan").out

    # Once it is released, the next ones are compared with it, and the same ones are not shown.
    repository.configure(SECOND)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Grow")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    assert run("release").code == 0
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert "own model" not in run("plan").out
    file.write_text(predictions(tests, 4))
    compared = run("plan", "--format", "markdown").out
    assert "### dataset: no change compared with v1" in compared
    assert (
        "\n- **own model** (`predictions.csv`): 90.0 % -> 95.0 % of 80 shared test images,"
        " +5.0 points (95 % interval "
    ) in compared
    assert "<details><summary>own model by class</summary>" in compared
    assert "**probe**" not in compared


def test_predictions_on_another_question_are_not_compared(released_as: Released, run: Run) -> None:
    repository = released_as(FIRST)
    repository.configure(config_text(class_=[3, 8, 5], samples=60, test_size=40))
    (repository.root / "predictions.csv").write_text(predictions(labeled_tests(repository), 0))

    assert "\nown model   predictions.csv: 100.0 % of 120 test images\n" in run("plan").out


def test_invalid_predictions_are_reported_on_their_line(
    grown: Repository, run: Run, tmp_path: Path
) -> None:
    file = grown.root / "predictions.csv"
    file.write_text("sample,predicted\n00001,3\n1,8\ncat,3\n")

    result = run("plan")
    assert (result.code, result.out) == (1, "")
    assert "predictions.csv:3:1: sample 1 has a prediction on line 2 already" in result.err
    assert "predictions.csv:4:1: sample: expected a sample of the dataset" in result.err
    # The comment has the same problems, and a release does not read the file.
    assert run("workflow", "report", str(tmp_path / "report")).code == 0
    assert "predictions.csv" in (tmp_path / "report" / "report.json").read_text()
    grown.git("add", "--all")
    grown.git("commit", "--quiet", "--message", "Grow")
    grown.git("push", "--quiet", "origin", "HEAD:main")
    assert run("release").code == 0


@pytest.mark.parametrize("threads", ["1", "2"])
def test_every_machine_says_the_same(grown: Repository, run: Run, threads: str) -> None:
    alone = process(grown.root, "probe", OPENBLAS_NUM_THREADS=threads)

    assert alone.stdout.decode() == run("probe").out
