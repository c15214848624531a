import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.review import render, report
from scripts.review.render import MAX_CHARACTERS, MAX_PROBLEMS_SHOWN, MAX_ROWS
from scripts.review.report import (
    NAME,
    Bytes,
    ClassCount,
    Plan,
    Preview,
    Report,
    ReportedProblem,
    SampleChange,
    Stored,
)
from scripts.versions import releases
from scripts.versions.git import Git
from tests.repository import Repository, Run, config_text

LARGER = config_text(samples=8, test_size=3)
MD5 = "74a8c15646983a3149d7e618f5f1637f.dir"
# GitHub's limit for a comment.
COMMENT_LIMIT = 65_536


def plan(**changes: Any) -> Plan:
    """Return a plan with `changes`."""
    values: dict[str, Any] = {
        "version": "v2",
        "against": "v1",
        "changed": True,
        "counts": [
            ClassCount(split=split, folder="3", before=1_000, after=1_200)
            for split in ("train", "test")
        ],
        "samples": SampleChange(added=400, removed=0, relabeled=0, to_train=0, to_test=0),
        "bytes": Bytes(before=1, after=2, new=1),
        "md5": MD5,
        "source_changed": False,
        "leaks": {},
        "previews": [Preview(split="train", folder="3", lines=["▀▄█"])],
    }
    return Plan.model_validate({**values, **changes})


def comment(stored: Stored | None = None, *, no_bucket: bool = False, **changes: Any) -> str:
    """Return the comment on a plan with `changes`."""
    return render.comment(Report(plan=plan(**changes), stored=stored, no_bucket=no_bucket))


def problem(message: str) -> ReportedProblem:
    return ReportedProblem(file=None, line=0, column=0, message=message)


@pytest.fixture
def released(repository: Repository, run: Run) -> Repository:
    """A repository with v0, and a work tree that asks for more."""
    run("release")
    repository.configure(LARGER)
    return repository


def test_a_plan_as_text(released: Repository, run: Run) -> None:
    assert (
        run("plan").out
        == f"""\
dataset v1: +6 samples, 2 classes

split    class      v0    after    difference
train    3           3        5            +2
train    no3         3        5            +2
test     3           2        3            +1
test     no3         2        3            +1
total               10       16            +6

samples  6 added, 0 removed
bytes    1.23 kB before, 1.97 kB after, 1.98 kB to store
md5      {MD5}
"""
    )


def test_a_plan_as_markdown(released: Repository, run: Run) -> None:
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


def test_a_plan_as_json(released: Repository, run: Run) -> None:
    found = json.loads(run("plan", "--format", "json").out)

    assert found.keys() == {
        *("version", "against", "changed", "counts", "samples", "bytes", "md5"),
        *("source_changed", "leaks"),
    }
    assert (found["version"], found["against"], found["changed"]) == ("v1", "v0", True)
    assert found["counts"] == [
        {"split": split, "class": folder, "before": before, "after": after}
        for split, before, after in [("train", 3, 5), ("test", 2, 3)]
        for folder in ("3", "no3")
    ]
    assert found["samples"] == {
        **{"added": 6, "removed": 0},
        **{"relabeled": 0, "to_train": 0, "to_test": 0},
    }
    assert found["md5"] == MD5


def test_the_first_version_is_compared_with_nothing(repository: Repository, run: Run) -> None:
    text, markdown = run("plan").out, run("plan", "--format", "markdown").out

    assert text.startswith("dataset v0: +10 samples, 2 classes\n")
    assert re.search(r"^split +class +before +after +difference$", text, re.MULTILINE)
    assert "| split | class | before | after | difference |\n" in markdown
    assert "- **samples**: 10 added, 0 removed\n" in markdown


def test_an_unchanged_dataset_is_named_in_the_title(released: Repository, run: Run) -> None:
    released.configure(f"# another comment\n{config_text()}")

    assert run("plan").out.startswith("dataset: no change compared with v0\n")
    assert json.loads(run("plan", "--format", "json").out)["changed"] is False


def test_classes_that_disappear_are_shown(released: Repository, run: Run) -> None:
    released.configure(config_text(class_=[3, 5]))

    markdown = run("plan", "--format", "markdown").out

    assert [x for x in markdown.splitlines() if x.startswith(("| train", "| test"))] == [
        "| train | 3 | 3 | 3 | 0 |",
        "| train | 5 | 0 | 3 | +3 |",
        "| train | no3 | 3 | 0 | -3 |",
        "| test | 3 | 2 | 2 | 0 |",
        "| test | 5 | 0 | 2 | +2 |",
        "| test | no3 | 2 | 0 | -2 |",
    ]
    # Only classes with images are counted.
    assert markdown.startswith("### dataset v1: +0 samples, 2 classes\n")
    assert "- **samples**: 5 added, 5 removed\n" in markdown
    assert re.search(r"^test +no3 +2 +0 +-2$", run("plan").out, re.MULTILINE)


@pytest.mark.parametrize(
    ("counts", "title"),
    [
        ([(0, 1)], "dataset v2: +1 samples, 1 class"),
        ([(0, 1_000), (0, 500)], "dataset v2: +1,500 samples, 2 classes"),
        ([(1_500, 1), (0, 1)], "dataset v2: -1,498 samples, 2 classes"),
        ([(5, 0), (0, 5)], "dataset v2: +0 samples, 1 class"),
    ],
)
def test_the_title_has_the_difference_and_the_number_of_classes(
    counts: list[tuple[int, int]], title: str
) -> None:
    rows = [
        ClassCount(split="train", folder=f"class{number}", before=before, after=after)
        for number, (before, after) in enumerate(counts)
    ]
    assert render.title(Report(plan=plan(counts=rows))) == title


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({}, "1,400 added, 0 removed"),
        ({"removed": 1_001}, "1,400 added, 1,001 removed"),
        ({"relabeled": 3}, "1,400 added, 0 removed, 3 in another class"),
        ({"to_train": 2, "to_test": 1}, "1,400 added, 0 removed, 3 moved between train and test"),
        (
            {"relabeled": 1, "to_test": 1},
            "1,400 added, 0 removed, 1 in another class, 1 moved between train and test",
        ),
    ],
)
def test_every_kind_of_change_of_samples_is_shown(changes: dict[str, int], fact: str) -> None:
    values = {"added": 1_400, "removed": 0, "relabeled": 0, "to_train": 0, "to_test": 0}
    made = plan(samples=SampleChange(**{**values, **changes}))

    assert f"\nsamples  {fact}\n" in render.plan_text(made)
    assert f"\n- **samples**: {fact}\n" in render.plan_markdown(made)


def test_samples_that_cannot_be_compared_are_unknown() -> None:
    assert "\nsamples  unknown\n" in render.plan_text(plan(samples=None))
    assert "\n- **samples**: unknown\n" in render.plan_markdown(plan(samples=None))


def test_warnings_are_shown_in_text_and_in_markdown() -> None:
    leaking = plan(leaks={"v0": 3, "v1": 1_000})
    first, second = (
        f"Leak: {images} images of the test set of {tag} would be in the train set, so results on"
        f" {tag} cannot be compared with results on this version."
        for tag, images in (("v0", "3"), ("v1", "1,000"))
    )

    assert render.plan_text(leaking).endswith(f"\nwarning  {first}\nwarning  {second}\n")
    # Each is an alert of its own, above the table.
    assert (
        f"classes\n\n> [!WARNING]\n> {first}\n\n> [!WARNING]\n> {second}\n\n| split |"
        in render.plan_markdown(leaking).replace("1 class", "1 classes")
    )


END = "Merging publishes this as **v2**, or the next number if another pull request merges first.\n"


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        ("yes", "The files are in the remote. "),
        ("no", "The files are pushed to the remote after the merge. "),
        (
            "failed",
            "**The files could not be pushed to the remote**; the log of the run says why."
            " The release tries again. ",
        ),
        (None, ""),
    ],
)
def test_a_comment_ends_with_where_the_files_are_and_what_the_merge_does(
    stored: Stored | None, sentence: str
) -> None:
    assert comment(stored).endswith(f"</details>\n\n{sentence}{END}")


@pytest.mark.parametrize("stored", ["yes", "no", "failed", None])
def test_a_comment_on_an_unchanged_dataset_promises_no_version(stored: Stored | None) -> None:
    text = comment(stored, changed=False, previews=[])

    assert text.startswith("### dataset: no change compared with v1\n")
    assert text.endswith(
        f"{MD5}\n\nMerging publishes no new version: the dataset stays as it is.\n"
    )


def test_a_comment_without_a_bucket_promises_no_version() -> None:
    text = comment("no", no_bucket=True)

    assert (
        "> [!NOTE]\n> The remote is still the folder that the template ships with, so nothing is"
        " stored or released. `docs/setup.md` says how to set up a bucket.\n"
    ) in text
    assert "Merging publishes" not in text
    assert "pushed to the remote" not in text
    assert "[!NOTE]" not in comment("no")


def test_a_comment_begins_with_the_plan() -> None:
    made = plan(leaks={"v0": 3})

    assert render.comment(Report(plan=made)).startswith(render.plan_markdown(made))


def test_a_comment_links_the_contact_sheet_if_there_is_one() -> None:
    made = Report(plan=plan())

    text = render.comment(made, "https://example.com/sheet")

    assert f"{MD5}\n\n[View the samples](https://example.com/sheet) as a picture.\n\n<" in text
    assert "View the samples" not in render.comment(made)


def test_a_comment_shows_previews_in_one_fenced_block() -> None:
    two = [
        Preview(split="train", folder="3", lines=["▀▄", "█"]),
        Preview(split="test", folder="no3", lines=["▄"]),
    ]

    assert (
        "<details><summary>Some of the samples</summary>\n\n"
        "```text\ntrain/3\n▀▄\n█\n\ntest/no3\n▄\n\n```\n\n</details>\n\n"
    ) in comment(previews=two)
    assert "<details>" not in comment(previews=[])


def test_previews_that_make_a_comment_too_long_are_left_out_as_a_whole() -> None:
    large = Preview(split="train", folder="x" * 120, lines=["█" * 200] * 32)
    fitting = [large] * 8

    text = comment(previews=fitting)

    assert MAX_CHARACTERS - 7_000 < len(text) <= MAX_CHARACTERS < COMMENT_LIMIT
    assert text.count("█" * 200) == 8 * 32
    assert comment(previews=[large] * 100) == comment(previews=[])


def test_a_table_with_too_many_rows_is_cut_with_a_count() -> None:
    rows = [
        ClassCount(split="train", folder=f"class{number}", before=1, after=2)
        for number in range(MAX_ROWS + 1_001)
    ]

    markdown = render.plan_markdown(plan(counts=rows))

    assert markdown.count("| train | class") == MAX_ROWS == 100
    assert "| train | class99 | 1 | 2 | +1 |\n| … | 1,001 more | | | |\n| total |  |" in markdown
    # The total is that of all rows.
    assert "| total |  | 1,101 | 2,202 | +1,101 |\n" in markdown
    assert "more |" not in render.plan_markdown(plan(counts=rows[:MAX_ROWS]))
    # A terminal has no limit.
    assert render.plan_text(plan(counts=rows)).count("\ntrain ") == 1_101


def test_the_longest_report_fits_into_a_comment() -> None:
    name, most = "a." * 60, 10**15 - 1
    rows = [ClassCount(split="train", folder=name, before=most, after=number) for number in (1, 0)]
    preview = Preview(split="train", folder=name, lines=["█" * 200] * 32)
    longest = plan(
        version="v999999999",
        against=name,
        counts=rows * 10_000,
        samples=SampleChange(added=most, removed=most, relabeled=most, to_train=most, to_test=most),
        bytes=Bytes(before=most, after=most, new=most),
        leaks={f"v{number}": most for number in range(10_000)},
        previews=[preview] * 100,
    )

    text = render.comment(Report(plan=longest, stored="failed"), "https://example.com/sheet")

    assert len(text) <= MAX_CHARACTERS
    assert_spans_are_closed(text)


def assert_spans_are_closed(text: str) -> None:
    """Assert that every code span ends on its line, and that every fenced block ends."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            runs = re.findall("`+", line)
            while runs:
                # As CommonMark has it: a run of backticks closes with the next one as long.
                opening = runs.pop(0)
                assert opening in runs, line
                runs = runs[runs.index(opening) + 1 :]
    assert not fenced


def test_no_length_of_a_report_leaves_a_code_span_open() -> None:
    long = problem("` @octo/team <b> " * 17)

    text = render.comment(Report(problems=[long] * 1_000))

    assert len(text) < COMMENT_LIMIT
    assert "- and 980 more\n" in text
    lines = [line for line in text.splitlines() if "@octo" in line]
    assert len(lines) == MAX_PROBLEMS_SHOWN == 20
    for line in lines:
        assert line.startswith("- `` ")
        assert line.endswith(" ``")


@given(st.lists(st.text(st.sampled_from("`a \n*<"), max_size=300), min_size=1, max_size=30))
def test_no_message_leaves_its_code_span(messages: list[str]) -> None:
    text = render.comment(Report(problems=[problem(message) for message in messages]))

    assert len(text) < COMMENT_LIMIT
    assert_spans_are_closed(text)
    shown = [line for line in text.splitlines() if line.startswith("- ")]
    for line, message in zip(shown[:MAX_PROBLEMS_SHOWN], messages, strict=False):
        fence = re.match("- (`+)", line)
        assert fence
        inner = line.removeprefix(f"- {fence[1]}").removesuffix(fence[1])
        assert inner.strip() == " ".join(message.split())
        assert fence[1] not in re.findall("`+", inner)


@given(st.from_regex(NAME, fullmatch=True))
def test_no_name_is_interpreted_by_markdown(name: str) -> None:
    rows = [
        ClassCount(split="train", folder=folder, before=1, after=after)
        for folder, after in ((name, 5), ("other", 1))
    ]
    made = [
        plan(against=name, counts=rows, leaks={"v0": 1}),
        plan(against=name, counts=rows, samples=None),
        plan(against=name, counts=rows, source_changed=True),
        plan(against=name, changed=False, previews=[]),
    ]
    plain = re.fullmatch("[A-Za-z0-9]+", name)
    for one in made:
        text = render.plan_markdown(one)
        assert_spans_are_closed(text)
        if not plain:
            outside = re.sub("`[^`\n]*`", "", text)
            assert f" {name} " not in outside
            assert f" {name}." not in outside


@pytest.mark.parametrize("name", ["www.example.com", "GH-1", "a_b_c", "_3_", "~~3~~", "a/b"])
def test_a_name_that_github_would_link_or_format_is_a_code_span(name: str) -> None:
    rows = [ClassCount(split="train", folder=name, before=1, after=2)]

    text = render.plan_markdown(plan(against=name, counts=rows, samples=None))

    assert f"| split | class | `{name}` | after | difference |" in text
    assert f"| train | `{name}` | 1 | 2 | +1 |" in text
    assert f"> `{name}` was made by another selection rule" in text
    unchanged = plan(against=name, changed=False)
    assert render.plan_markdown(unchanged).startswith(
        f"### dataset: no change compared with `{name}`\n"
    )
    # A terminal formats nothing.
    assert f"\nwarning  {name} was made" in render.plan_text(plan(against=name, samples=None))
    assert render.title(Report(plan=unchanged)) == f"dataset: no change compared with {name}"


def test_problems_are_listed_with_their_places() -> None:
    found = Report(
        problems=[
            ReportedProblem(file="dataset_config.yaml", line=3, column=10, message="too *few*"),
            problem("OpenML\nis unreachable"),
        ]
    )

    assert (
        render.comment(found)
        == """\
### dataset: invalid, 2 problems

- **dataset_config.yaml, line 3, column 10**: `too *few*`
- `OpenML is unreachable`

Push a commit that fixes this; this comment is updated with every push.
"""
    )
    one = Report(problems=found.problems[:1])
    assert render.comment(one).startswith("### dataset: invalid, 1 problem\n\n- **dataset_config")
    assert "more" not in render.comment(Report(problems=found.problems[:1] * MAX_PROBLEMS_SHOWN))
    many = Report(problems=found.problems[:1] * (MAX_PROBLEMS_SHOWN + 1))
    assert "`\n- and 1 more\n\nPush" in render.comment(many)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("plain", "`plain`"),
        ("a `b` c", "`` a `b` c ``"),
        ("```", "```` ``` ````"),
        ("two\n  lines\t", "`two lines`"),
        ("", "` `"),
        ("@octo <b> [x](y)", "`@octo <b> [x](y)`"),
    ],
)
def test_a_code_span_shows_any_text_as_it_is(text: str, span: str) -> None:
    assert render.code(text) == span


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
def test_a_size_has_three_digits_and_a_unit(count: int, words: str) -> None:
    assert render.size(count) == words


@pytest.mark.parametrize("count", [999_500, 999_999, 999_999_999])
def test_no_size_is_written_with_a_power_of_ten(count: int) -> None:
    assert "e+" not in render.size(count)


def test_counts_in_words() -> None:
    counts = {"train": {"3": 1_000, "no3": 5}, "test": {"3": 2, "no3": 0}}

    assert render.counts_in_words(counts) == "train 3: 1,000, no3: 5; test 3: 2, no3: 0"


def test_the_note_of_an_outdated_comment_names_the_release() -> None:
    assert render.outdated("v7") == (
        "> [!NOTE]\n> Out of date: v7 was published after this comment was written."
        " Update the branch to see the current plan.\n"
    )


def test_the_notes_of_a_release_compare_it_with_the_one_before(
    repository: Repository, run: Run
) -> None:
    run("release")
    repository.merge(config_text(class_=[3, 5]))
    run("release")
    git = Git(repository.root)
    first, second = releases.all_releases(git)
    address = "https://github.com/octo/ds"

    assert (
        render.notes(second, first, address)
        == f"""\
| split | class | v0 | after | difference |
| --- | --- | ---: | ---: | ---: |
| train | 3 | 3 | 3 | 0 |
| train | 5 | 0 | 3 | +3 |
| train | no3 | 3 | 0 | -3 |
| test | 3 | 2 | 2 | 0 |
| test | 5 | 0 | 2 | +2 |
| test | no3 | 2 | 0 | -2 |
| total |  | 10 | 10 | 0 |

- **source**: `digits`
- **bytes**: {render.size(second.lock.size)} in 10 files
- **md5**: {second.lock.md5}

```sh
dvc get {address} dataset --rev v1      # the files
dvc import {address} dataset --rev v1   # the files, and a record of their origin
```
"""
    )
    notes = render.notes(first, None, address)
    assert notes.startswith("| split | class | before | after | difference |\n")
    assert "| train | no3 | 0 | 3 | +3 |\n" in notes
    assert f"dvc get {address} dataset --rev v0 " in notes
    assert render.notes_title(first, None) == "v0: 10 samples (+10)"
    assert render.notes_title(second, first) == "v1: 10 samples (+0)"


def test_a_report_that_was_written_and_read_renders_the_same(
    released: Repository, run: Run
) -> None:
    folder = released.place / "report"
    assert run("report", str(folder), "--stored", "yes").code == 0
    found = report.load((folder / "report.json").read_bytes())

    assert found.plan is not None
    assert render.plan_markdown(found.plan) == run("plan", "--format", "markdown").out
    assert render.comment(found).startswith(run("plan", "--format", "markdown").out)
