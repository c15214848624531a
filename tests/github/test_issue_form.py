from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from scripts.curation.proposals import Proposal
from scripts.github import issue_form
from scripts.github.issue_form import MAX_SAMPLES, Form, ReportedImage, Wrong, parse
from scripts.inputs import curation
from scripts.inputs.curation import Decision
from tests.repository import PROJECT

TEMPLATE = PROJECT / ".github" / "ISSUE_TEMPLATE" / "samples.yml"


def body(samples: str, suggestion: str = "exclude", reason: str = "blurred") -> str:
    """Return the text of an issue as GitHub makes it from the form."""
    answers = {"Samples": samples, "Suggestion": suggestion, "What is wrong": reason}
    return "\n\n".join(f"### {label}\n\n{answer}" for label, answer in answers.items())


def shown(form: Form) -> list[str]:
    return [one.shown for one in form.wrong]


def test_the_form_has_the_fields_that_are_read() -> None:
    fields: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(TEMPLATE)["body"]
    labels = [one["attributes"]["label"] for one in fields]
    assert labels == [issue_form.SAMPLES, issue_form.SUGGESTION, issue_form.REASON]
    assert fields[1]["attributes"]["options"] == [*issue_form.SUGGESTIONS]
    assert all(one["validations"]["required"] for one in fields)


def test_the_form_sets_no_label() -> None:
    # Otherwise whoever opens the issue would start the workflow.
    assert "labels" not in YAML(typ="safe", pure=True).load(TEMPLATE)


@pytest.mark.parametrize(
    ("suggestion", "lines", "expected"),
    [
        (
            "move to test",
            "00058\ntest/no3/00063.png",
            [Proposal("00058", "test"), Proposal("00063", "test")],
        ),
        ("exclude", " s0123456789abcdef ", [Proposal("s0123456789abcdef", "exclude")]),
        (
            "relabel",
            "60947 9\n\n61621\t6",
            [Proposal("60947", "relabel", "9"), Proposal("61621", "relabel", "6")],
        ),
    ],
)
def test_an_issue_can_report_several_samples(
    suggestion: str, lines: str, expected: list[Proposal]
) -> None:
    because = "reported in #7: reads as a 9, I think"
    form = parse(body(lines, suggestion, "reads as a 9,\n I think"), 7)

    assert form == Form([one._replace(reason=because) for one in expected])
    # A browser sends other line ends.
    windows = body(lines, suggestion, "reads as a 9,\n I think").replace("\n", "\r\n")
    assert parse(windows, 7) == form


def test_lines_that_cannot_be_used_are_reported_and_the_others_read() -> None:
    form = parse(body("60947 9\ncat 9\n61621\n00001 9 9\n00002 \x1b"), 7)
    relabel = parse(body("60947 9\ncat 9\n61621\n00001 9 9\n00002 \x1b", "relabel"), 7)

    assert shown(form) == ["60947 9", "cat 9", "00001 9 9", r"00002 \x1b"]
    assert [one.sample for one in form.proposals] == ["61621"]
    assert shown(relabel) == ["cat 9", "61621", "00001 9 9", r"00002 \x1b"]
    assert [one.sample for one in relabel.proposals] == ["60947"]


def test_images_that_the_dataset_does_not_have_are_named_by_their_address() -> None:
    lines = (
        "gs://photos/a 1.png 9\ngs://photos/b.jpeg  golden retriever\ngs://photos/c.png\n"
        "gs://photos/*.png 9\n/etc/passwd.png 9\n00058 9\ngs://photos/d.png \x1b\n"
        f"gs://photos/e.png {'9' * 101}"
    )
    form = parse(body(lines, "add"), 7)

    assert form.proposals == []
    assert form.images == [
        ReportedImage("gs://photos/a 1.png", "9"),
        ReportedImage("gs://photos/b.jpeg", "golden retriever"),
    ]
    assert [one.why for one in form.wrong] == [
        *["to add it, expected the address of one image and its label: gs://photos/1.png 9"] * 5,
        "this is not a valid label",
    ]
    # Without "add", an address is no sample.
    assert parse(body("gs://photos/a.png"), 7).images == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the issue"),
        ("please fix 00058", "the issue"),
        ("hello\n\n" + body("00058"), "the issue"),
        (body("00058").replace("### Suggestion", "### Else"), "the issue"),
        (body("00058" * 20_000), "the issue"),
        (body(""), "Samples"),
        (body("00058\n" * (MAX_SAMPLES + 1)), "Samples"),
        (body("00058", "delete everything"), "Suggestion"),
        (body("00058", reason="a\x00b"), "What is wrong"),
        (body("00058", reason="x" * 201), "What is wrong"),
    ],
)
def test_an_issue_that_cannot_be_read_proposes_nothing(text: str, expected: str) -> None:
    form = parse(text, 7)

    assert form.proposals == []
    assert shown(form) == [expected]


def test_headings_within_an_answer_change_nothing_but_the_answer() -> None:
    form = parse(body("00058\n\n### What is wrong\n\nx", "exclude"), 7)

    assert [one.sample for one in form.proposals] == ["00058"]
    assert [one.shown for one in form.wrong] == ["### What is wrong", "x"]


def test_no_answer_is_no_reason() -> None:
    (proposal,) = parse(body("00058", reason="_No response_"), 7).proposals
    assert proposal.reason == "reported in #7"


@given(st.text(max_size=300), st.sampled_from([*issue_form.ACTIONS]), st.text(max_size=300))
def test_whatever_an_issue_says_its_rows_can_be_read_back(
    lines: str, suggestion: str, reason: str
) -> None:
    form = parse(body(f"58 9\n59\n{lines}", suggestion, reason), 7)
    rows = [
        Decision(one.sample, one.action, "3", one.new_label, one.reason) for one in form.proposals
    ]
    unique = {row.key: row for row in rows if row.new_label != "3"}.values()

    found = curation.parse(curation.extended(None, unique)).decisions

    assert [one[:5] for one in found] == [one[:5] for one in unique]
    for one in found:
        assert one.reason.startswith("reported in #7")


def test_what_is_shown_is_bounded() -> None:
    (wrong,) = parse(body("00058 " + "9" * 10_000), 7).wrong
    assert wrong == Wrong(
        ("00058 " + "9" * 10_000)[:60],
        "expected one sample per line; only a relabel has a label after the sample",
    )
