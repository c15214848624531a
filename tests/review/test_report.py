import copy
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.errors import UserError
from scripts.inputs import config_file
from scripts.inputs.problems import InputError, Mark, Problem
from scripts.review import render, report, report_json
from scripts.review.report import (
    MAX_CURATED,
    MAX_MESSAGE,
    MAX_PATH,
    MAX_PROBLEMS,
    MAX_REASON,
    SCHEMA,
    Curated,
    Leaks,
    Report,
)
from scripts.review.report_accuracy import MAX_CLASSES
from scripts.review.report_samples import MAX_LISTED
from tests.repository import REMOTE_URL, Repository, Run, config_text

MD5 = "0" * 32 + ".dir"
# The leaks of an old report.
LEAKED = {"v0": 1, "v1": 2}


def sample(split: str) -> dict[str, Any]:
    return {"sample": "00007", "label": "5", "split": split, "class": "no3"}


def planned() -> dict[str, Any]:
    """Return a well-formed report on a plan, as JSON data, with every field there is."""
    return {
        "schema": SCHEMA,
        "plan": {
            "version": "v3",
            "against": "v2",
            "changed": True,
            "counts": [{"split": "train", "class": "3", "before": 3, "after": 5}],
            "samples": {
                **{"before": 9, "added": 2, "removed": 1, "test_removed": 1},
                **{"relabeled": 1, "to_train": 1, "to_test": 1},
            },
            "bytes": {"before": 100, "after": 200, "new": 110},
            "md5": MD5,
            "source_changed": True,
            "seed_changed": True,
            "rule_changed": True,
            "resized": True,
            "comparable": ["v0"],
            "incomparable": ["v1"],
            "leaks": [
                {
                    **{"tags": ["v1"], "from_test": 1, "from_train": 2},
                    **{"is_new": True, "refused": False},
                }
            ],
            "placed_leaks": [sample("test")],
            "unknown": ["v2"],
            "curated": {
                "samples": 4,
                "relabeled": {"test": 1},
                "changes": [
                    {
                        **{"sample": "00058", "action": "relabel", "change": "new"},
                        **{"label": "8", "new_label": "9", "reason": "reads as *9*"},
                        **{"before": {"split": "test", "class": "8"}, "after": "unknown"},
                    }
                ],
                "more": 3,
            },
            "selected": {
                **{"relabeled_counts": 2, "pins": 3, "additions": 1},
                "left_out": [{"sample": "x0123", "label": "7", "why": "addition"}],
                **{"more_left_out": 1, "ambiguous": 5, "copies": 6},
                **{"groups": {"train": 8, "test": 2}, "waiting": {"test": 3}},
                "without_value": {"view": 4},
                "small": [],
                "likely_groups": {"column": "video", "on_both_sides": 7},
            },
            "near_duplicates": {
                **{"searched": True, "count": 9},
                "pairs": [{"train": sample("train"), "other": sample("test"), "distance": 1.5}],
            },
            "changed_copies": {
                **{"searched": True, "count": 5, "missing": 4},
                "pairs": [
                    {
                        "train": sample("train") | {"release": "v0"},
                        "other": sample("test") | {"release": None},
                        "mirrored": True,
                    }
                ],
            },
            "promotion": {
                **{"before": "v1", "after": "v2"},
                **{"withdrawn": ["v0"], "restored": ["v1"]},
            },
            "probe": {
                "shared": 12,
                "accuracy": {
                    **{"samples": 10, "before": 7, "after": 8, "gained": 2, "lost": 1},
                    "classes": [{"class": "3", "samples": 10, "before": 7, "after": 8}],
                    **{"more": 1, "is_compared": True},
                },
                "silence": None,
            },
            "suspects": {
                **{"judged": 10, "count": 2, "small": 1, "is_complete": False},
                **{"is_telling": True, "contradicted": 0.1},
                "worst": [
                    {
                        **{"sample": "00058", "split": "test", "class": "3", "label": "3"},
                        **{"suggested": "8", "own": 1, "other": 9},
                    }
                ],
            },
            "policy": {
                "met": ["max_imbalance"],
                "broken": {"min_per_class": "3 has 2"},
                "unchecked": {"probe_drop": "no reason"},
            },
            "model": {"shared": 3, "accuracy": None, "silence": "few"},
        },
        "problems": [],
        "stored": "yes",
        "no_bucket": False,
        "onto_main": True,
        "commits": 2,
    }


def refused() -> dict[str, Any]:
    """Return a well-formed report on an invalid config, as JSON data."""
    problem = {"file": "dataset_config.yaml", "line": 3, "column": 10, "message": "wrong"}
    return {
        **{"schema": SCHEMA, "plan": None, "problems": [problem], "stored": None},
        **{"no_bucket": False, "onto_main": False, "commits": 1},
    }


def load(data: object) -> Report:
    return report_json.load(json.dumps(data).encode())


def changed(data: dict[str, Any], *path: str | int, value: object) -> dict[str, Any]:
    """Return a copy of `data` with another value at `path`."""
    made = copy.deepcopy(data)
    at(made, *path[:-1])[path[-1]] = value
    return made


def at(data: Any, *path: str | int) -> Any:
    for key in path:
        data = data[key]
    return data


@pytest.mark.parametrize("data", [planned(), refused()], ids=["plan", "problems"])
def test_a_report_is_read_as_it_was_written(data: dict[str, Any]) -> None:
    found = load(data)

    assert json.loads(report_json.dump(found)) == data
    assert report_json.load(report_json.dump(found).encode()) == found


def test_a_report_carries_the_newest_schema() -> None:
    assert SCHEMA == 9
    assert json.loads(report_json.dump(Report()))["schema"] == SCHEMA


COUNT = ("plan", "counts", 0)
LEAK = ("plan", "leaks", 0)
PROBLEM = ("problems", 0)
PROMOTION = ("plan", "promotion")
CHANGE = ("plan", "curated", "changes", 0)
LEFT_OUT = ("plan", "selected", "left_out", 0)
PAIR = ("plan", "near_duplicates", "pairs", 0)
COPY = ("plan", "changed_copies", "pairs", 0)
PLACED = ("plan", "placed_leaks", 0)
PROBE = ("plan", "probe", "accuracy")
REVISION = ("plan", "against")
CLASSES = [
    *((*COUNT, "class"), (*CHANGE, "before", "class")),
    *((*PLACED, "class"), (*PAIR, "train", "class"), (*PAIR, "other", "class")),
    *((*COPY, "train", "class"), (*COPY, "other", "class"), (*PROBE, "classes", 0, "class")),
]
TAGS = [
    *(("plan", "version"), ("plan", "comparable", 0), ("plan", "incomparable", 0)),
    *((*LEAK, "tags", 0), ("plan", "unknown", 0), (*COPY, "train", "release")),
    *((*PROMOTION, key) for key in ("before", "after")),
    *((*PROMOTION, key, 0) for key in ("withdrawn", "restored")),
]

# What file systems refuse in the name of a folder, or what cannot be seen.
BAD_CLASSES = [
    *("", " ", " a", "a ", "a\n", "\na", "a\tb", "x" * 121, 3, ["a"]),
    *("a|b", "<b>", "a/b", "a:b", "a\\", "*", "a?", '"', "a\u200b", "a\u0000", "a\u202eb"),
]
GOOD_CLASSES = [
    *("3", "no3", "T-shirt.top", "golden retriever", "Größe", "日本語", "שלום", "🐕", "x" * 120),
    *("`a`", "@octo", "#1", "[x](y)", "&lt;", "!a", "50% off", "it's", "a~1b2c"),
]
# In a table, a title or a warning Markdown and HTML must have nothing to interpret.
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


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((REVISION, value) for value in BAD_NAMES),
        *((path, value) for path in CLASSES for value in BAD_CLASSES),
    ],
)
def test_a_name_with_other_characters_is_refused(
    path: tuple[str | int, ...], value: object
) -> None:
    with pytest.raises(ValueError, match="validation error"):
        load(changed(planned(), *path, value=value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((REVISION, value) for value in GOOD_NAMES),
        *((path, value) for path in CLASSES for value in GOOD_CLASSES),
    ],
)
def test_names_of_classes_and_revisions_are_accepted(
    path: tuple[str | int, ...], value: str
) -> None:
    load(changed(planned(), *path, value=value))


def numbers(data: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each number in `data`, but for the schema's."""
    if type(data) is int and path != ("schema",):
        yield path
    if isinstance(data, dict | list):
        for key in data if isinstance(data, dict) else range(len(data)):
            yield from numbers(data[key], *path, key)


NUMBERS = [(data, path) for data in (planned(), refused()) for path in numbers(data)]


@pytest.mark.parametrize(("data", "path"), NUMBERS, ids=lambda value: str(value)[:60])
def test_each_number_is_bounded(data: dict[str, Any], path: tuple[str | int, ...]) -> None:
    for good in GOOD_NUMBERS:
        # Numbers that contradict each other are shown as they are.
        assert render.comment(load(changed(data, *path, value=good)))
    for bad in BAD_NUMBERS:
        # What has no files yet has no bytes.
        if bad is not None or path[-1] not in {"new", "after"} or path[1] == "probe":
            with pytest.raises(ValueError, match="validation error"):
                load(changed(data, *path, value=bad))


@pytest.mark.parametrize("path", TAGS)
def test_each_tag_must_be_that_of_a_release(path: tuple[str | int, ...]) -> None:
    for good in ("v0", "v1", "v" + "9" * 9):
        load(changed(planned(), *path, value=good))
    for bad in BAD_TAGS:
        with pytest.raises(ValueError, match="validation error"):
            load(changed(planned(), *path, value=bad))


def test_a_message_is_bounded() -> None:
    load(changed(refused(), *PROBLEM, "message", value="x" * MAX_MESSAGE))
    for value in ("x" * (MAX_MESSAGE + 1), None, 3, ["x"]):
        with pytest.raises(ValueError, match="validation error"):
            load(changed(refused(), *PROBLEM, "message", value=value))


IDENTIFIERS = [(*one, "sample") for one in (CHANGE, LEFT_OUT, PLACED, (*PAIR, "train"))]
TEXTS = [
    (planned(), (*CHANGE, "reason"), MAX_REASON),
    *((planned(), (*one, "label"), 100) for one in (CHANGE, LEFT_OUT, PLACED, (*PAIR, "other"))),
    (planned(), (*CHANGE, "new_label"), 100),
    (refused(), (*PROBLEM, "file"), MAX_PATH),
]


@pytest.mark.parametrize("path", IDENTIFIERS)
def test_an_identifier_has_only_letters_and_digits(path: tuple[str | int, ...]) -> None:
    for good in ("58", "00058", "s0123456789abcdef", "x" * 40):
        load(changed(planned(), *path, value=good))
    for bad in ("", "x" * 41, "a b", "../a", "`a`", "a|b", "1\n", "٣", 58, None):
        with pytest.raises(ValueError, match="validation error"):
            load(changed(planned(), *path, value=bad))


@pytest.mark.parametrize(("data", "path", "most"), TEXTS, ids=lambda value: str(value)[:60])
def test_each_text_of_others_is_bounded(
    data: dict[str, Any], path: tuple[str | int, ...], most: int
) -> None:
    load(changed(data, *path, value="|" * most))
    for bad in ("|" * (most + 1), 3, ["x"]):
        with pytest.raises(ValueError, match="validation error"):
            load(changed(data, *path, value=bad))


@pytest.mark.parametrize("distance", [-0.1, 255.1, float("nan"), float("inf"), "1", None, True])
def test_a_distance_is_bounded(distance: object) -> None:
    load(changed(planned(), *PAIR, "distance", value=0.0))
    with pytest.raises(ValueError, match="validation error"):
        load(changed(planned(), *PAIR, "distance", value=distance))


LISTS = [
    (planned(), ("plan", "counts"), 20_000),
    (planned(), ("plan", "curated", "changes"), MAX_CURATED),
    (planned(), ("plan", "selected", "left_out"), MAX_LISTED),
    (planned(), ("plan", "near_duplicates", "pairs"), MAX_LISTED),
    (planned(), ("plan", "changed_copies", "pairs"), MAX_LISTED),
    (planned(), ("plan", "placed_leaks"), MAX_LISTED),
    (planned(), ("plan", "leaks"), 10_000),
    (planned(), (*LEAK, "tags"), 10_000),
    (planned(), ("plan", "unknown"), 10_000),
    (planned(), (*PROMOTION, "withdrawn"), 10_000),
    (planned(), (*PROMOTION, "restored"), 10_000),
    (planned(), (*PROBE, "classes"), MAX_CLASSES),
    (refused(), ("problems",), MAX_PROBLEMS),
]


@pytest.mark.parametrize(("data", "path", "most"), LISTS, ids=lambda value: str(value)[:60])
def test_each_list_is_bounded(data: dict[str, Any], path: tuple[str | int, ...], most: int) -> None:
    one = at(data, *path, 0)
    load(changed(data, *path, value=[one] * most))
    for bad in ([one] * (most + 1), one, None):
        with pytest.raises(ValueError, match="validation error"):
            load(changed(data, *path, value=bad))


def test_a_leak_is_one_with_a_release() -> None:
    with pytest.raises(ValueError, match="validation error"):
        load(changed(planned(), *LEAK, "tags", value=[]))


OTHER_VALUES = [
    (planned(), ("stored",), ["Yes", "no-bucket", "", True]),
    (planned(), ("no_bucket",), ["yes", 1, None]),
    (planned(), ("onto_main",), ["yes", 1, None]),
    (planned(), ("plan", "changed"), ["yes", 1, None]),
    (planned(), ("plan", "source_changed"), ["yes", 1, None]),
    (planned(), ("plan", "seed_changed"), ["yes", 1, None]),
    (planned(), ("plan", "rule_changed"), ["yes", 1, None]),
    (planned(), ("plan", "md5"), ["0" * 32, "0" * 31 + ".dir", f"{MD5}\n", "G" * 32 + ".dir", 3]),
    (planned(), (*COUNT, "split"), ["Train", "all", "", None]),
    (planned(), (*CHANGE, "action"), ["drop", "", "@octo", None]),
    (planned(), (*CHANGE, "change"), ["same", "", None]),
    (planned(), (*CHANGE, "before"), ["test/8", "", {"split": "test"}, ["test", "8"]]),
    (
        planned(),
        (
            *CHANGE,
            "after",
        ),
        ["test/8", "Unknown", 3],
    ),
    (planned(), (*LEFT_OUT, "why"), ["exclude", "", None]),
    (planned(), ("plan", "curated", "relabeled"), [{"all": 1}, {"test": -1}, None, [1]]),
    (planned(), ("plan", "near_duplicates", "searched"), ["yes", 1, None]),
    (planned(), ("plan", "changed_copies", "searched"), ["yes", 1, None]),
    (planned(), (*COPY, "mirrored"), ["yes", 1, None]),
    (planned(), ("plan", "probe", "silence"), ["", "other", 3]),
    (planned(), (*PROBE, "is_compared"), ["yes", 1, None]),
    (refused(), (*PROBLEM, "file"), ["", 3]),
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
        *(
            (planned(), path)
            for path in [(), ("plan",), COUNT, LEAK, CHANGE, LEFT_OUT, PAIR, COPY, PLACED]
        ),
        *((planned(), (*CHANGE, "before")), (planned(), (*PAIR, "train"))),
        *((planned(), PROBE), (planned(), (*PROBE, "classes", 0)), (planned(), PROBE[:2])),
        *((planned(), ("plan", key)) for key in ("samples", "bytes")),
        *((planned(), ("plan", key)) for key in ("curated", "selected", "near_duplicates")),
        *((planned(), path) for path in (COPY[:2], (*COPY, "train"))),
        *((refused(), path) for path in [(), PROBLEM]),
    ]


@pytest.mark.parametrize(("data", "path"), parts(), ids=lambda value: str(value)[:40])
def test_an_unknown_field_is_refused(data: dict[str, Any], path: tuple[str | int, ...]) -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        load(changed(data, *path, "text", value="hello"))


@pytest.mark.parametrize("schema", [SCHEMA + 1, 99, -1, 0, "1", None, 1.0, True])
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
        b'{"schema": [1], "plan": null, "problems": []}',
        b'{"schema": 1, "plan": null, "problems": [{"message": "\\ud800"}]}',
    ],
    ids=lambda content: repr(content[:30]),
)
def test_anything_but_a_report_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message differs for each
        report_json.load(content)


def test_a_report_holds_a_plan_or_problems_but_not_both() -> None:
    for data in (
        changed(planned(), "plan", value=None),
        changed(planned(), "problems", value=refused()["problems"]),
    ):
        with pytest.raises(ValueError, match="either a plan or problems"):
            load(data)


# What a report of machinery-1.0.0 does not say.
UNSAID_OF_REPORT = {"onto_main": True, "commits": 1}
UNSAID_OF_PLAN: dict[str, Any] = {
    **{"seed_changed": False, "rule_changed": False, "resized": False, "unknown": []},
    **{"comparable": None, "incomparable": [], "placed_leaks": [], "promotion": None},
    **{"curated": Curated(), "selected": None, "near_duplicates": None},
}
UNSAID_OF_SAMPLES = {"before": 0, "test_removed": 0}


def schema_1() -> dict[str, Any]:
    """Return a report of machinery-1.0.0, with every field there was."""
    data = {**planned(), "schema": 1}
    plan = data["plan"]
    for part, unsaid in (
        (data, UNSAID_OF_REPORT),
        (plan, UNSAID_OF_PLAN),
        (plan["samples"], UNSAID_OF_SAMPLES),
    ):
        for key in unsaid:
            del part[key]
    plan["leaks"] = LEAKED
    plan["previews"] = [{"split": "train", "class": "3", "lines": [" ▀▄█"]}]
    return data


def test_a_report_of_schema_1_is_read_as_one_of_today() -> None:
    found, expected = load(schema_1()), load(planned())

    assert expected.plan is not None
    assert expected.plan.samples is not None
    plan = expected.plan.model_copy(
        update={
            **UNSAID_OF_PLAN,
            "leaks": [Leaks(tags=[tag], from_test=n, from_train=0) for tag, n in LEAKED.items()],
            "samples": expected.plan.samples.model_copy(update=UNSAID_OF_SAMPLES),
        }
    )
    assert found == expected.model_copy(update={**UNSAID_OF_REPORT, "schema_": 1, "plan": plan})
    old = {**refused(), "schema": 1}
    assert load(old) == load(refused()).model_copy(update={"schema_": 1})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("plan", "against"), "[a](b)"),
        (("plan", "text"), "hello"),
        (("text",), "hello"),
        (("plan", "samples", "relabeled"), -1),
        (("plan", "leaks"), {"[a](b)": 1}),
        (("plan", "leaks"), {"v0": -1}),
        (("plan", "leaks"), {f"v{number}": 1 for number in range(10_001)}),
        (("plan", "leaks"), "hello"),
        (("plan",), "hello"),
        (("plan",), [1]),
        (("problems",), "hello"),
        (("problems",), [{"file": None, "line": 0, "column": 0, "message": "x" * 301}]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_old_report_is_bounded_too(path: tuple[str, ...], value: object) -> None:
    load(schema_1())
    with pytest.raises(ValueError, match="validation error"):
        load(changed(schema_1(), *path, value=value))


def test_what_an_old_report_drew_is_not_read() -> None:
    drawn = changed(schema_1(), "plan", "previews", value="</details> @octo")

    assert "octo" not in report_json.dump(load(drawn))
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        load({**drawn, "schema": SCHEMA})


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


def test_a_problem_can_be_in_any_input() -> None:
    paths = ["curation.csv", "additions/test/3/a [x](y).png", "sources/ours.dvc"]

    found = report.problems(InputError(Problem(path, Mark(1, 1), "wrong") for path in paths))

    assert sorted(one.file or "" for one in found) == sorted(paths)
    assert load(json.loads(report_json.dump(Report(problems=found)))).problems == found


def test_a_long_message_is_shortened() -> None:
    for error in (
        UserError("x" * 5_000),
        InputError([Problem("a" * 5_000, Mark(1, 1), "x" * 5_000)]),
    ):
        (found,) = report.problems(error)
        assert found.message == "x" * (MAX_MESSAGE - 1) + "…"
        assert found.file in {None, "a" * (MAX_PATH - 1) + "…"}


def test_more_problems_than_the_bound_still_make_a_report() -> None:
    text = "".join(f"a{number}: 1\n" for number in range(1_500))
    with pytest.raises(InputError) as caught:
        config_file.parse(text.encode())
    assert len(caught.value.problems) > MAX_PROBLEMS

    found = Report(problems=report.problems(caught.value))

    assert len(found.problems) == MAX_PROBLEMS
    assert report_json.load(report_json.dump(found).encode()) == found


@pytest.mark.parametrize(
    ("option", "stored"),
    [([], None), *((["--stored", stored], stored) for stored in ("yes", "no", "failed"))],
)
def test_the_verb_writes_a_report_a_contact_sheet_and_a_summary(
    released: Repository,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    option: list[str],
    stored: str | None,
) -> None:
    folder, summary = released.place / "a" / "report", released.place / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    assert run("workflow", "report", str(folder), *option) == (
        0,
        "dataset v1: +6 samples, 2 classes\n",
        "",
    )

    found = report_json.load((folder / "report.json").read_bytes())
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
    config.write_text(config.read_text().replace(REMOTE_URL, "storage"))
    folder = repository.place / "report"

    assert run("workflow", "report", str(folder)).code == 0
    assert report_json.load((folder / "report.json").read_bytes()).no_bucket
    repository.git("commit", "--quiet", "--all", "--message", "Use the template's remote")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    assert run("release").code == 0
    assert run("workflow", "report", str(folder)).code == 0
    assert not report_json.load((folder / "report.json").read_bytes()).no_bucket


def test_the_verb_reports_an_invalid_config_and_succeeds(released: Repository, run: Run) -> None:
    released.configure(config_text(samples=-1, seed="x"))
    folder = released.place / "report"

    assert run("workflow", "report", str(folder)) == (0, "dataset: invalid, 2 problems\n", "")

    found = report_json.load((folder / "report.json").read_bytes())
    assert found.plan is None
    assert [(one.file, one.line, one.column) for one in found.problems] == [
        ("dataset_config.yaml", 3, 10),
        ("dataset_config.yaml", 5, 7),
    ]
    assert not (folder / "samples.png").exists()
