import copy
import json
import os
from typing import Any

import pytest

from scripts.errors import UserError
from scripts.inputs import config
from scripts.inputs.problems import InputError, Mark, Problem
from scripts.review import report
from scripts.review.report import MAX_MESSAGE, MAX_PROBLEMS, SCHEMA, Report
from tests.repository import Repository, Run, config_text

MD5 = "0" * 32 + ".dir"


def planned() -> dict[str, Any]:
    """Return a well-formed report on a plan, as JSON data."""
    return {
        "schema": 1,
        "plan": {
            "version": "v1",
            "against": "v0",
            "changed": True,
            "counts": [{"split": "train", "class": "3", "before": 3, "after": 5}],
            "samples": {"added": 2, "removed": 0, "relabeled": 0, "to_train": 0, "to_test": 0},
            "bytes": {"before": 100, "after": 200, "new": 110},
            "md5": MD5,
            "source_changed": False,
            "leaks": {"v0": 1},
            "previews": [{"split": "train", "class": "3", "lines": [" ▀▄█"]}],
        },
        "problems": [],
        "stored": "yes",
        "no_bucket": False,
    }


def refused() -> dict[str, Any]:
    """Return a well-formed report on an invalid config, as JSON data."""
    problem = {"file": "dataset_config.yaml", "line": 3, "column": 10, "message": "wrong"}
    return {"schema": 1, "plan": None, "problems": [problem], "stored": None, "no_bucket": False}


def load(data: object) -> Report:
    return report.load(json.dumps(data).encode())


def changed(data: dict[str, Any], *path: str | int, value: object) -> dict[str, Any]:
    """Return a copy of `data` with another value at `path`."""
    made = copy.deepcopy(data)
    inner: Any = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return made


@pytest.mark.parametrize("data", [planned(), refused()], ids=["plan", "problems"])
def test_a_report_is_read_as_it_was_written(data: dict[str, Any]) -> None:
    found = load(data)

    assert json.loads(report.dump(found)) == data
    assert report.load(report.dump(found).encode()) == found


def test_a_report_carries_the_newest_schema() -> None:
    assert SCHEMA == 1
    assert json.loads(report.dump(Report()))["schema"] == SCHEMA


COUNT = ("plan", "counts", 0)
PREVIEW = ("plan", "previews", 0)
PROBLEM = ("problems", 0)
NAMES = [(*COUNT, "class"), (*PREVIEW, "class"), ("plan", "against")]

# A name is in a table, a title or a warning, so Markdown and HTML must have nothing to interpret.
BAD_NAMES = [
    *("", " ", "a b", "a\n", "\na", "a\tb", "x" * 121, 3, ["a"]),
    *(
        "`a`",
        "**a**",
        "[a](b)",
        "<b>",
        "a|b",
        "@octo",
        "#1",
        "a:b",
        "http://a",
        "a\\",
        "&lt;",
        "!a",
    ),
    *("ä", "a\u200b", "a\u0000"),
]
GOOD_NAMES = ["3", "no3", "T-shirt.top", "a_b", "1e+3", "main~2", "feature/x", "HEAD^", "x" * 120]
BAD_NUMBERS = [-1, 10**15, 1.0, 1.5, "1", True, None, [], float("nan"), float("inf")]
GOOD_NUMBERS = [0, 1, 10**15 - 1]
BAD_TAGS = ["", "v", "v-1", "1", "V1", "v1.0", "v1\n", "v" + "1" * 10, "main", "@octo", 1]


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize("value", BAD_NAMES)
def test_a_name_with_other_characters_is_refused(
    path: tuple[str | int, ...], value: object
) -> None:
    with pytest.raises(ValueError, match="validation error"):
        load(changed(planned(), *path, value=value))


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize("value", GOOD_NAMES)
def test_names_of_classes_and_revisions_are_accepted(
    path: tuple[str | int, ...], value: str
) -> None:
    load(changed(planned(), *path, value=value))


NUMBERS = [
    (planned(), (*COUNT, "before")),
    (planned(), (*COUNT, "after")),
    *((planned(), ("plan", "samples", key)) for key in ("added", "removed", "relabeled")),
    *((planned(), ("plan", "samples", key)) for key in ("to_train", "to_test")),
    *((planned(), ("plan", "bytes", key)) for key in ("before", "after", "new")),
    (planned(), ("plan", "leaks", "v0")),
    (refused(), (*PROBLEM, "line")),
    (refused(), (*PROBLEM, "column")),
]


@pytest.mark.parametrize(("data", "path"), NUMBERS, ids=lambda value: str(value)[:60])
def test_each_number_is_bounded(data: dict[str, Any], path: tuple[str | int, ...]) -> None:
    for good in GOOD_NUMBERS:
        load(changed(data, *path, value=good))
    for bad in BAD_NUMBERS:
        with pytest.raises(ValueError, match="validation error"):
            load(changed(data, *path, value=bad))


@pytest.mark.parametrize("value", BAD_TAGS)
def test_a_version_that_is_not_the_tag_of_a_release_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        load(changed(planned(), "plan", "version", value=value))
    with pytest.raises(ValueError, match="validation error"):
        load(changed(planned(), "plan", "leaks", value={str(value): 1}))


@pytest.mark.parametrize("value", ["v0", "v1", "v" + "9" * 9])
def test_the_tag_of_a_release_is_accepted_as_a_version(value: str) -> None:
    load(changed(planned(), "plan", "version", value=value))
    load(changed(planned(), "plan", "leaks", value={value: 1}))


def test_a_message_is_bounded() -> None:
    load(changed(refused(), *PROBLEM, "message", value="x" * MAX_MESSAGE))
    for value in ("x" * (MAX_MESSAGE + 1), None, 3, ["x"]):
        with pytest.raises(ValueError, match="validation error"):
            load(changed(refused(), *PROBLEM, "message", value=value))


@pytest.mark.parametrize(
    "lines",
    [
        ["█" * 201],
        ["```"],
        ["a"],
        ["█\n"],
        ["█\n</details>"],
        ["<"],
        [""] * 33,
        [3],
        "█",
    ],
    ids=repr,
)
def test_a_preview_with_other_characters_or_too_large_is_refused(lines: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        load(changed(planned(), *PREVIEW, "lines", value=lines))


@pytest.mark.parametrize("lines", [[], [""], ["█" * 200] * 32], ids=["none", "empty", "largest"])
def test_a_preview_within_the_bounds_is_accepted(lines: list[str]) -> None:
    load(changed(planned(), *PREVIEW, "lines", value=lines))


@pytest.mark.parametrize(
    ("key", "most"),
    [("counts", 20_000), ("previews", 100)],
)
def test_the_rows_of_a_plan_are_bounded(key: str, most: int) -> None:
    row = planned()["plan"][key][0]
    load(changed(planned(), "plan", key, value=[row] * most))
    with pytest.raises(ValueError, match="validation error"):
        load(changed(planned(), "plan", key, value=[row] * (most + 1)))


def test_the_number_of_problems_is_bounded() -> None:
    problem = refused()["problems"][0]
    load(changed(refused(), "problems", value=[problem] * MAX_PROBLEMS))
    with pytest.raises(ValueError, match="validation error"):
        load(changed(refused(), "problems", value=[problem] * (MAX_PROBLEMS + 1)))


OTHER_VALUES = [
    (planned(), ("stored",), ["Yes", "no-bucket", "", True]),
    (planned(), ("no_bucket",), ["yes", 1, None]),
    (planned(), ("plan", "changed"), ["yes", 1, None]),
    (planned(), ("plan", "source_changed"), ["yes", 1, None]),
    (planned(), ("plan", "md5"), ["0" * 32, "0" * 31 + ".dir", f"{MD5}\n", "G" * 32 + ".dir", 3]),
    (planned(), (*COUNT, "split"), ["Train", "all", "", None]),
    (planned(), (*PREVIEW, "split"), ["Train", "all", "", None]),
    (refused(), (*PROBLEM, "file"), ["README.md", "/etc/passwd", "", 3]),
]


@pytest.mark.parametrize(
    ("data", "path", "values"), OTHER_VALUES, ids=lambda value: str(value)[:60]
)
def test_every_other_value_must_be_one_of_those_known(
    data: dict[str, Any], path: tuple[str | int, ...], values: list[object]
) -> None:
    for value in values:
        with pytest.raises(ValueError, match="validation error"):
            load(changed(data, *path, value=value))


def parts() -> list[tuple[dict[str, Any], tuple[str | int, ...]]]:
    """Return every mapping with fixed keys in a report."""
    return [
        *((planned(), path) for path in [(), ("plan",), COUNT, PREVIEW]),
        *((planned(), ("plan", key)) for key in ("samples", "bytes")),
        *((refused(), path) for path in [(), PROBLEM]),
    ]


@pytest.mark.parametrize(("data", "path"), parts(), ids=lambda value: str(value)[:40])
def test_an_unknown_field_is_refused(data: dict[str, Any], path: tuple[str | int, ...]) -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        load(changed(data, *path, "text", value="hello"))


@pytest.mark.parametrize("schema", [SCHEMA + 1, 99, -1, "1", None, 1.0, True])
def test_a_report_of_a_newer_or_unknown_schema_is_refused(schema: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        load(changed(planned(), "schema", value=schema))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"3",
        b'"report"',
        b"[]",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5_000,
        b"{}",
        b'{"schema": 1}',
        b'{"change": null, "faults": []}',
        b'{"schema": 1, "plan": null, "problems": [{"message": "\\ud800"}]}',
    ],
    ids=lambda content: repr(content[:30]),
)
def test_anything_but_a_report_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message differs for each
        report.load(content)


def test_a_report_holds_a_plan_or_problems_but_not_both() -> None:
    for data in (
        changed(planned(), "plan", value=None),
        changed(planned(), "problems", value=refused()["problems"]),
    ):
        with pytest.raises(ValueError, match="either a plan or problems"):
            load(data)


def version_0() -> dict[str, Any]:
    """Return a report as it was written before reports had a schema number."""
    plan = planned()["plan"]
    plan["retrained"] = plan.pop("leaks")
    plan["sketches"] = plan.pop("previews")
    plan["samples"]["refiled"] = plan["samples"].pop("relabeled")
    return {"change": plan, "faults": [], "stored": "yes"}


def test_a_report_without_a_schema_is_read_under_its_old_names() -> None:
    assert load(version_0()) == load(planned()).model_copy(update={"schema_": 0})
    old = {"change": None, "faults": refused()["problems"], "stored": None}
    assert load(old) == load(refused()).model_copy(update={"schema_": 0})
    unknown = changed(version_0(), "change", "samples", value=None)
    found = load(unknown).plan
    assert found is not None
    assert found.samples is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("change", "against"), "[a](b)"),
        (("change", "text"), "hello"),
        (("text",), "hello"),
        (("change", "samples", "refiled"), -1),
        (("change", "sketches"), [{"split": "train", "class": "3", "lines": ["```"]}]),
        (("change",), "hello"),
        (("change",), [1]),
        (("faults",), "hello"),
        (("faults",), [{"file": None, "line": 0, "column": 0, "message": "x" * 301}]),
    ],
)
def test_a_report_without_a_schema_is_bounded_too(
    path: tuple[str | int, ...], value: object
) -> None:
    with pytest.raises(ValueError, match="validation error"):
        load(changed(version_0(), *path, value=value))


def test_problems_keep_their_places_and_their_order() -> None:
    error = InputError(
        [
            Problem("dataset_config.yaml", Mark(4, 2), "second"),
            Problem("dataset_config.yaml", Mark(3, 10), "first"),
        ]
    )

    found = report.problems(error)

    assert [(one.file, one.line, one.column, one.message) for one in found] == [
        ("dataset_config.yaml", 3, 10, "first"),
        ("dataset_config.yaml", 4, 2, "second"),
    ]


def test_an_error_without_a_place_is_one_problem() -> None:
    (found,) = report.problems(UserError("OpenML is unreachable"))

    assert (found.file, found.line, found.column) == (None, 0, 0)
    assert found.message == "OpenML is unreachable"


def test_a_long_message_is_shortened() -> None:
    for error in (
        UserError("x" * 5_000),
        InputError([Problem("dataset.dvc", Mark(1, 1), "x" * 5_000)]),
    ):
        (found,) = report.problems(error)
        assert found.message == "x" * (MAX_MESSAGE - 1) + "…"


def test_more_problems_than_the_bound_still_make_a_report() -> None:
    text = "".join(f"a{number}: 1\n" for number in range(1_500))
    with pytest.raises(InputError) as caught:
        config.parse(text.encode())
    assert len(caught.value.problems) > MAX_PROBLEMS

    found = Report(problems=report.problems(caught.value))

    assert len(found.problems) == MAX_PROBLEMS
    assert report.load(report.dump(found).encode()) == found


@pytest.fixture
def reported(repository: Repository, run: Run) -> Repository:
    """A repository with v0, and a work tree that asks for more."""
    run("release")
    repository.configure(config_text(samples=8, test_size=3))
    return repository


@pytest.mark.parametrize(
    ("option", "stored"),
    [([], None), *((["--stored", stored], stored) for stored in ("yes", "no", "failed"))],
)
def test_the_verb_writes_a_report_a_contact_sheet_and_a_summary(
    reported: Repository,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    option: list[str],
    stored: str | None,
) -> None:
    folder, summary = reported.place / "a" / "report", reported.place / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    assert run("report", str(folder), *option) == (0, "dataset v1: +6 samples, 2 classes\n", "")

    found = report.load((folder / "report.json").read_bytes())
    assert (found.stored, found.no_bucket) == (stored, False)
    assert found.plan is not None
    assert found.plan.version == "v1"
    assert (folder / "samples.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(os.listdir(folder)) == ["report.json", "samples.png"]  # noqa: PTH208
    assert summary.read_text().startswith("### dataset v1: +6 samples, 2 classes\n")


def test_the_report_notices_the_templates_remote_until_there_is_a_release(
    repository: Repository, run: Run
) -> None:
    config = repository.root / ".dvc" / "config"
    config.write_text(config.read_text().replace(str(repository.bucket), "storage"))
    folder = repository.place / "report"

    assert run("report", str(folder)).code == 0
    assert report.load((folder / "report.json").read_bytes()).no_bucket
    repository.git("commit", "--quiet", "--all", "--message", "Use the template's remote")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    assert run("release").code == 0
    assert run("report", str(folder)).code == 0
    assert not report.load((folder / "report.json").read_bytes()).no_bucket


def test_the_verb_reports_an_invalid_config_and_succeeds(reported: Repository, run: Run) -> None:
    reported.configure(config_text(samples=-1, seed="x"))
    folder = reported.place / "report"

    assert run("report", str(folder)) == (0, "dataset: invalid, 2 problems\n", "")

    found = report.load((folder / "report.json").read_bytes())
    assert found.plan is None
    assert [(one.file, one.line, one.column) for one in found.problems] == [
        ("dataset_config.yaml", 3, 10),
        ("dataset_config.yaml", 5, 7),
    ]
    assert not (folder / "samples.png").exists()
