import io
import re
from pathlib import Path

from PIL import Image

from tests.repository import Repository, Run, config_text

CONFIG = config_text(class_="all", samples=50, test_size=10)
HEADER = "sample,action,label,new_label,reason"


def test_rows_can_be_added_to_the_curation(repository: Repository, run: Run) -> None:
    repository.configure(CONFIG)

    found = run("suspects")

    assert found.code == 0
    header, *rows = found.out.splitlines()
    assert header == HEADER
    assert rows
    assert all(" of the 15 most similar images are " in row for row in rows)
    assert "Judged 500 samples by the 15 most similar of 1,797" in found.err
    assert not (repository.root / "curation.csv").exists()
    (repository.root / "curation.csv").write_text(found.out)
    assert run("validate").code == 0
    # The labels were decided, so they are not suspects any more.
    assert not {*rows} & {*run("suspects").out.splitlines()}


def test_a_release_is_ranked_as_it_was_made(released: Repository, run: Run, tmp_path: Path) -> None:
    before = run("suspects", "v0")
    released.configure(CONFIG)

    after = run("suspects", "v0", "--sheet", str(tmp_path / "sheet.png"))

    assert after.code == 0
    assert after.out == before.out != run("suspects").out
    assert "Drew" in after.err
    Image.open(io.BytesIO((tmp_path / "sheet.png").read_bytes())).verify()


def test_an_unknown_release_is_one_message(repository: Repository, run: Run) -> None:
    found = run("suspects", "v7")

    assert (found.code, found.out) == (1, "")
    assert "v7 is not a release" in found.err


def test_an_addition_with_a_wrong_label_is_named(repository: Repository, run: Run) -> None:
    repository.configure(CONFIG)
    run("build")
    some = next((repository.root / "dataset" / "test" / "3").iterdir())
    shifted = Image.open(some).point(lambda level: max(0, level - 3))
    file = repository.root / "additions" / "train" / "7" / "wrong.png"
    file.parent.mkdir(parents=True)
    shifted.save(file)

    found = run("suspects")

    assert found.code == 0
    [line] = [line for line in found.err.splitlines() if "without a row" in line]
    assert "most similar images are 3" in line


def test_predictions_of_a_model_are_ranked_by_their_score(repository: Repository, run: Run) -> None:
    repository.configure(CONFIG)
    run("build")
    test = sorted((repository.root / "dataset" / "test" / "3").iterdir())
    train = sorted((repository.root / "dataset" / "train" / "3").iterdir())
    file = repository.place / "predictions.csv"
    lines = [f"{train[0].stem},8,1", f"{test[0].stem},8,0.7", f"{test[1].stem},5,0.9"]
    file.write_text("\n".join(["sample,predicted,score", *lines, f"{test[2].stem},3,1", ""]))

    found = run("suspects", "--predictions", str(file))

    assert found.code == 0
    assert found.out.splitlines() == [
        HEADER,
        f"{test[1].stem},relabel,3,5,a model predicts 5 with score 0.9",
        f"{test[0].stem},relabel,3,8,a model predicts 8 with score 0.7",
        f"{train[0].stem},relabel,3,8,a model predicts 8 with score 1",
    ]
    assert "Read 4 predictions: 3 suspects." in found.err
    (repository.root / "curation.csv").write_text(found.out)
    assert run("validate").code == 0
    assert run("suspects", "--predictions", str(file)).out.splitlines() == [HEADER]


def test_a_class_with_several_labels_has_no_row(released: Repository, run: Run) -> None:
    run("build")
    name = next((released.root / "dataset" / "test" / "3").iterdir()).stem
    file = released.place / "predictions.csv"
    file.write_text(f"sample,predicted\n{name},no3\n")

    found = run("suspects", "--predictions", str(file))

    assert (found.code, found.out.strip()) == (0, HEADER)
    assert f"{name}, without a row: a model predicts no3" in found.err


def test_predictions_that_cannot_be_read_are_one_message(released: Repository, run: Run) -> None:
    found = run("suspects", "--predictions", str(released.place / "none.csv"))

    assert (found.code, found.out) == (1, "")
    assert "there is no such file" in found.err


def test_a_comment_lists_the_worst_suspects_with_rows_that_mend_them(
    repository: Repository, run: Run
) -> None:
    repository.configure(config_text(class_="all", samples=150, test_size=30))

    shown = run("plan", "--format", "markdown").out

    line = re.search(r"- \*\*suspects\*\*: (\d+) of 1,500 new images\n", shown)
    assert line
    assert f"<details><summary>20 of {line[1]} suspects: labels that the most" in shown
    assert "suspects" not in run("plan").out
    (rows,) = re.findall("```csv\n(.*?)```", shown, re.DOTALL)
    assert len(rows.splitlines()) == 21
    (repository.root / "curation.csv").write_text(rows)
    mended = run("plan", "--format", "markdown").out
    fewer = re.search(r"- \*\*suspects\*\*: (\d+) of 1,480 new images\n", mended)
    assert fewer
    assert int(fewer[1]) < int(line[1])
