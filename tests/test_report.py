import json

import pytest

from scripts import config, report
from scripts.config import ConfigError
from tests.repository import Repository, Run, config_text

LARGER = config_text(samples=8, test_size=3)
MD5 = "74a8c15646983a3149d7e618f5f1637f.dir"


@pytest.fixture
def released(repository: Repository, run: Run) -> Repository:
    """A repository with v0, and a working tree that asks for more."""
    run("release")
    repository.configure(LARGER)
    return repository


def test_a_plan_in_text(released: Repository, run: Run) -> None:
    assert (
        run("plan").out
        == f"""\
dataset v1: +6 samples, 2 classes

split  class  v0  after  difference
train  3       3      5          +2
train  no3     3      5          +2
test   3       2      3          +1
test   no3     2      3          +1
total         10     16          +6

samples  6 added, 0 removed
bytes    1.23 kB before, 1.97 kB after, 1.98 kB to store
md5      {MD5}
"""
    )


def test_a_plan_in_markdown(released: Repository, run: Run) -> None:
    assert (
        run("plan", "--format", "markdown").out
        == f"""\
### dataset v1: +6 samples, 2 classes

| split | class | v0 | after | difference |
| --- | --- | ---: | ---: | ---: |
| train | 3 | 3 | 5 | +2 |
| train | no3 | 3 | 5 | +2 |
| test | 3 | 2 | 3 | +1 |
| test | no3 | 2 | 3 | +1 |
| total |  | 10 | 16 | +6 |

- **samples**: 6 added, 0 removed
- **bytes**: 1.23 kB before, 1.97 kB after, 1.98 kB to store
- **md5**: {MD5}
"""
    )


def test_a_plan_in_json(released: Repository, run: Run) -> None:
    found = json.loads(run("plan", "--format", "json").out)

    assert found.keys() == {
        *("version", "against", "changed", "counts", "samples", "bytes", "md5"),
        *("source_changed", "retrained"),
    }
    assert (found["version"], found["against"], found["changed"]) == ("v1", "v0", True)
    assert found["counts"] == [
        {"split": split, "class": folder, "before": before, "after": after}
        for split, before, after in [("train", 3, 5), ("test", 2, 3)]
        for folder in ("3", "no3")
    ]
    assert found["samples"] == {
        **{"added": 6, "removed": 0},
        **{"refiled": 0, "to_train": 0, "to_test": 0},
    }
    assert found["md5"] == MD5


def test_no_change_is_said_in_the_title(released: Repository, run: Run) -> None:
    released.configure(f"# another comment\n{config_text()}")

    assert run("plan").out.startswith("dataset: no change against v0\n")
    assert json.loads(run("plan", "--format", "json").out)["changed"] is False


def warnings(run: Run) -> list[str]:
    said = run("plan")
    assert said.code == 0, said.err
    return [
        line.removeprefix("warning  ")
        for line in said.out.splitlines()
        if line.startswith("warning")
    ]


def test_an_ordinary_change_warns_of_nothing(released: Repository, run: Run) -> None:
    assert warnings(run) == []


@pytest.mark.parametrize(("rest", "warned"), [(9, False), (10, True), (25, True)])
def test_a_class_twice_as_large_as_another_is_warned_of(
    released: Repository, run: Run, rest: int, *, warned: bool
) -> None:
    released.configure(config_text(samples={"3": 5, "no3": rest}))

    expected = (
        f"The classes are out of balance: no3 has {rest} images, {rest / 5:.1f} times the 5 of 3."
    )
    assert warnings(run) == ([expected] if warned else [])


def test_test_samples_of_any_release_that_would_be_trained_on_are_warned_of(
    repository: Repository, run: Run
) -> None:
    for seed in (0, 1):
        repository.merge(config_text(class_=[3], samples=100, test_size=50, seed=seed))
        run("release")
    repository.configure(config_text(class_=[3], samples=180, test_size=20, seed=2))

    found = json.loads(run("plan", "--format", "json").out)["retrained"]

    assert found.keys() == {"v0", "v1"}
    for tag, count in found.items():
        assert any(
            f"{count} images of the test set of {tag} would be trained on" in said
            for said in warnings(run)
        )
    assert any("of v1 would move from test to train" in said for said in warnings(run))


def test_a_source_that_changed_is_warned_of(repository: Repository, run: Run) -> None:
    run("build")
    text = repository.lock.read_text()
    other = "".join("0123456789abcdef"[15 - int(digit, 16)] for digit in sha256_in(text))
    repository.lock.unlink()
    repository.merge_file("dataset.dvc", text.replace(sha256_in(text), other))

    said = run("plan", "--against", "HEAD")

    assert "warning  The source is not the one of HEAD: every sample is another one." in said.out
    assert "10 added, 10 removed" in said.out


def sha256_in(text: str) -> str:
    return text.partition("sha256: ")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (55_290, "55.3 kB"),
        (999_400, "999 kB"),
        (1_000_000, "1 MB"),
        (18_500_000, "18.5 MB"),
    ],
)
def test_sizes_are_said_as_people_say_them(count: int, words: str) -> None:
    assert report.size(count) == words


@pytest.mark.parametrize("count", [999_500, 999_999, 999_999_999])
def test_no_size_is_said_in_powers_of_ten(count: int) -> None:
    assert "e+" not in report.size(count)


def test_more_problems_than_anyone_reads_still_make_a_report() -> None:
    text = "".join(f"a{number}: 1\n" for number in range(1_500))
    with pytest.raises(ConfigError) as caught:
        config.parse(text.encode())
    shown = report.comment(report.Report(faults=report.faults(caught.value)))
    assert "- and 980 more" in shown
