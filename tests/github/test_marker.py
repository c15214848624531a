import json
import re
from pathlib import Path

import pytest

from scripts.github import marker
from scripts.github.marker import Marker
from scripts.review import report_json
from scripts.review.report import Report, ReportedProblem

DATA = Path(__file__).parent.parent / "data"
FULL = Marker(
    version="v3", against="v2", changed=True, md5=f"{'a' * 32}.dir", sheet="https://x.org/1"
)


def reported() -> Report:
    """Return a report with a plan: v3 compared with v2."""
    return report_json.load((DATA / "report-schema-1.json").read_bytes())


def test_the_marker_holds_what_a_later_run_must_know() -> None:
    found = reported()
    assert found.plan
    assert marker.marker_of(found, "https://x.org/1") == Marker(
        version="v3",
        against="v2",
        changed=True,
        md5=found.plan.md5,
        sheet="https://x.org/1",
        stored=found.stored,
    )
    problem = ReportedProblem(file=None, line=0, column=0, message="wrong")
    assert marker.marker_of(Report(problems=[problem]), None) == Marker()


@pytest.mark.parametrize("expected", [FULL, Marker()])
def test_marker_and_body_are_read_back_as_they_were_written(expected: Marker) -> None:
    body = "### title\n\ntext\n\n> [!NOTE]\n> part of the report\n"
    text = marker.compose(expected, body)
    assert marker.is_report(text)
    assert marker.parse(text) == (expected, body)


def test_the_marker_is_one_hidden_line_of_json_with_a_schema_number() -> None:
    first, *rest = marker.compose(FULL, "body").splitlines()
    data = re.fullmatch(r"<!-- dataset-report (\{.*\}) -->", first)
    assert data
    assert json.loads(data.group(1)) == {
        "schema": 1,
        "version": "v3",
        "against": "v2",
        "changed": True,
        "md5": f"{'a' * 32}.dir",
        "sheet": "https://x.org/1",
    }
    assert rest == ["<!-- report -->", "body"]


@pytest.mark.parametrize(
    "value",
    [
        "https://x.org/--><script>",
        "https://x.org/--!>",
        "https://x.org/a--b---c----",
        "<!-- report -->\n",
        '"}\n\\u003e --> -',
        "-",
    ],
)
def test_no_value_can_end_the_marker(value: str) -> None:
    text = marker.compose(Marker(sheet=value), "body")
    comment = text.splitlines()[0].removeprefix("<!--").removesuffix("-->")
    # https://html.spec.whatwg.org/multipage/syntax.html#comments
    assert not re.search(r"--|<!|-\Z|>", comment)
    found, body = marker.parse(text)
    assert found == Marker(sheet=value)
    assert body == "body"


def test_a_note_stands_before_the_report_and_does_not_belong_to_it() -> None:
    text = marker.compose(FULL, "body\n", "> [!NOTE]\n> out of date\n\n")
    assert text.index("out of date") < text.index("body")
    assert marker.parse(text) == (FULL, "body\n")


def test_a_marker_of_newer_code_is_recognized_but_not_understood() -> None:
    text = marker.compose(FULL, "body").replace('"schema": 1', '"schema": 2')
    assert marker.is_report(text)
    assert marker.parse(text) == (None, "body")


def test_unknown_keys_in_a_marker_are_ignored() -> None:
    text = marker.compose(FULL, "body").replace('"schema": 1', '"schema": 1, "more": [1]')
    assert marker.parse(text) == (FULL, "body")


@pytest.mark.parametrize(
    "damaged",
    [
        "<!-- dataset-report -->\nbody",
        "<!-- dataset-report  -->\nbody",
        "<!-- dataset-report not json -->\nbody",
        "<!-- dataset-report [1, 2] -->\nbody",
        '<!-- dataset-report {"version": "3"} -->\nbody',
        '<!-- dataset-report {"version": "v3"\nbody',
    ],
)
def test_a_damaged_marker_holds_no_data(damaged: str) -> None:
    assert marker.parse(damaged) == (None, "body")


def test_line_endings_of_a_browser_make_no_difference() -> None:
    text = marker.compose(FULL, "body\nmore", "> note\n\n").replace("\n", "\r\n")
    assert marker.is_report(text)
    assert marker.parse(text) == (FULL, "body\nmore")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "> <!-- dataset-report {} -->",
        "<!-- dataset report -->",
        f" {marker.compose(FULL, 'body')}",
        "<!-- dataset -->",
    ],
)
def test_other_comments_are_not_reports(text: str) -> None:
    assert not marker.is_report(text)
