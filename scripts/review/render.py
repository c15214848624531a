"""Renders text from the templates in `templates/`."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from tabulate import tabulate

from scripts import markdown
from scripts.inputs import curation
from scripts.inputs.curation import RELABEL, Decision
from scripts.releases.releases import Release
from scripts.review import accuracy_words, promotion, table
from scripts.review.report import Plan, Report, ReportedChange
from scripts.review.report_insight import ReportedSuspects
from scripts.review.report_samples import ReportedPlace
from scripts.review.table import Cell
from scripts.review.warnings import named_classes, removed_classes, warnings
from scripts.review.words import comparable, counted, size
from scripts.storage import faults

# GitHub refuses comments of more than 65,536 characters; these limits keep them far shorter.
MAX_ROWS = 100
MAX_PROBLEMS_SHOWN = 20
MAX_CURATED_SHOWN = 20
# A longer table is folded away.
MAX_UNFOLDED = 10
CURATED_COLUMNS = ("action", "label", "before", "after", "reason")

Name = Callable[[str], str]


@dataclass(frozen=True)
class Review:
    """The review of a release: the pull request, the people, and the version in its comment.

    `author` opened it and `approved` are those who approved it, by login. `shown` is the version in
    the comment, None if there was no comment; `same` says whether it showed the released files.
    """

    pull: int
    author: str
    approved: list[str]
    shown: str | None
    same: bool


def title(report: Report, name: Name = str) -> str:
    """Return the outcome in one line; `name` formats classes and revisions."""
    plan = report.plan
    return _render(
        "title.j2",
        report=report,
        plan=plan,
        against=name(plan.against or "before") if plan else None,
        headline=headline(plan, name) if plan else None,
        promotion=promotion.in_words(plan.promotion) if plan else "",
    ).strip()


def headline(plan: Plan, name: Name = str) -> str:
    """Return the changes in `plan`, in a few words."""
    gone = removed_classes(plan)
    parts = []
    if _is_new_split(plan):
        parts.append("new split")
    if plan.source_changed:
        parts.append("new source")
    if gone:
        parts.append(f"{named_classes(gone, name)} removed")
    if any(leak.refused for leak in plan.leaks):
        parts.append("leak")
    if plan.policy and plan.policy.broken:
        parts.append("policy not met")
    if plan.curated and plan.curated.samples:
        parts.append(f"{counted(plan.curated.samples, 'sample')} curated")
    parts += _sample_changes(plan)
    if plan.resized:
        parts.append("images resized")
    difference = sum(count.after - count.before for count in plan.counts)
    if difference or not parts:
        parts.append(f"{difference:+,} samples" if difference else "0 samples added or removed")
        parts.append(counted(len({count.folder for count in plan.counts if count.after}), "class"))
    return ", ".join(parts)


def _is_new_split(plan: Plan) -> bool:
    return plan.rule_changed or plan.seed_changed


def _sample_changes(plan: Plan) -> Iterator[str]:
    """Yield the changes of existing samples."""
    samples = plan.samples
    if samples is None:
        return
    if moved := samples.to_train + samples.to_test:
        yield f"{counted(moved, 'sample')} moved between train and test"
    if samples.removed:
        change = "replaced" if samples.added else "removed"
        yield f"{samples.removed:,} of {samples.before:,} samples {change}"
        # A new split or source replaces test images too.
        if samples.test_removed and not (_is_new_split(plan) or plan.source_changed):
            yield f"{samples.test_removed:,} of them from the test set"
    # Those of the curation are named as such.
    curated = sum(plan.curated.relabeled.values()) if plan.curated else 0
    if (relabeled := samples.relabeled - curated) > 0:
        yield f"{counted(relabeled, 'sample')} in another class"


def plan_text(plan: Plan) -> str:
    """Return `plan` for a terminal."""
    return _render(
        "plan.txt.j2",
        **_plan_values(plan, str),
        text_table=_text_table(plan),
        curated_table=_curated_table(plan),
    )


def plan_markdown(plan: Plan) -> str:
    """Return `plan` as Markdown: title, warnings, table, facts."""
    return _render("plan.md.j2", **_plan_values(plan, markdown.name))


def plan_json(plan: Plan) -> str:
    """Return `plan` for a program."""
    # In ASCII, because other characters could be escaped again in the output.
    return json.dumps(plan.model_dump(mode="json", by_alias=True), indent=2) + "\n"


def comment(report: Report, sheet: str | None = None) -> str:
    """Return the comment on a pull request; `sheet` is the address of the contact sheet."""
    if report.plan is None:
        return _render(
            "problems.md.j2",
            title=title(report),
            problems=faults.kinds_first(report.problems, attrgetter("message"), MAX_PROBLEMS_SHOWN)[
                :MAX_PROBLEMS_SHOWN
            ],
            more=max(0, len(report.problems) - MAX_PROBLEMS_SHOWN),
        )
    values = _plan_values(report.plan, markdown.name)
    return _render("comment.md.j2", **values, report=report, sheet=sheet)


def notes(plan: Plan, release: Release, repository: str, review: Review | None = None) -> str:
    """Return the notes of `release`: its changes, and the commands to get it.

    `review` is its review, None if unknown.
    """
    values = _plan_values(plan, markdown.name)
    return _render("notes.md.j2", **values, release=release, repository=repository, review=review)


def notes_title(plan: Plan) -> str:
    """Return the title of a release."""
    total = sum(count.after for count in plan.counts)
    shown = f"{total:,} samples" if plan.against is None else headline(plan)
    return f"{plan.version}: {shown}"


def candidate(repository: str, branch: str) -> str:
    """Return the section of a comment with the command that gets the candidate."""
    return _render("candidate.md.j2", repository=repository, branch=branch)


def picture(address: str) -> str:
    """Return the section of a comment with the contact sheet at `address`."""
    return _render("picture.md.j2", address=address)


def withdrawn(reason: str) -> str:
    """Return the beginning of the notes of a withdrawn release."""
    return _render("withdrawn.md.j2", reason=reason)


def outdated(tag: str) -> str:
    """Return the note that a comment is out of date after the release `tag`."""
    return _render("outdated.md.j2", tag=tag)


def _plan_values(plan: Plan, name: Name) -> dict[str, Any]:
    made = table.count_table(plan.counts)
    shown = made.changed[:MAX_ROWS]
    folded = made.unchanged[: MAX_ROWS - len(shown)]
    decided = plan.curated.changes[:MAX_CURATED_SHOWN] if plan.curated else []
    return {
        "title": title(Report(plan=plan), name),
        "plan": plan,
        "columns": made.columns,
        "changed_rows": shown,
        "unchanged_rows": folded,
        "unchanged": len(made.unchanged),
        "more_rows": len(made.changed) + len(made.unchanged) - len(shown) - len(folded),
        "total": made.total,
        "warnings": warnings(plan, name),
        "named": name,
        "selected": plan.selected,
        "curated_columns": ("sample", *CURATED_COLUMNS),
        "curated_rows": [curated_row(change, markdown.cell) for change in decided],
        "is_folded": len(decided) > MAX_UNFOLDED,
        "promotion": promotion.in_words(plan.promotion),
        "against": name(plan.against) if plan.against else None,
        "probe_name": accuracy_words.PROBE,
        "probe_note": accuracy_words.NOTE,
        "class_columns": accuracy_words.CLASS_COLUMNS,
        "suspect_rows": _suspect_rows(plan.suspects) if plan.suspects else "",
    }


def _suspect_rows(found: ReportedSuspects) -> str:
    """Return the rows of the curation that relabel suspects; there are none for additions."""
    decisions = [
        Decision(
            one.sample,
            RELABEL,
            one.label,
            one.suggested,
            f"{one.other} similar images are {one.suggested}, {one.own} {one.label}",
        )
        for one in found.worst
        if not curation.ADDITION.fullmatch(one.sample)
    ]
    return curation.extended(None, decisions).decode() if decisions else ""


def _text_table(plan: Plan) -> str:
    made = table.count_table(plan.counts)
    if not made.changed:
        return ""
    rows = [[row.name, *map(_cell, row.cells)] for row in (*made.changed, made.total)]
    align = ("left", *("right" for _ in made.total.cells))
    return tabulate(rows, made.columns, tablefmt="plain", colalign=align, disable_numparse=True)


def _curated_table(plan: Plan) -> str:
    if not plan.curated or not plan.curated.changes:
        return ""
    rows = [curated_row(change, str) for change in plan.curated.changes]
    headings = ("curated", *CURATED_COLUMNS)
    return tabulate(rows, headings, tablefmt="plain", disable_numparse=True)


def curated_row(change: ReportedChange, cell: Name) -> list[str]:
    """Return the cells of a decision; `cell` formats untrusted text."""
    kind = "" if change.change == "new" else f" ({change.change})"
    label = " -> ".join(filter(None, (change.label, change.new_label)))
    return [
        cell(change.sample),
        f"{change.action}{kind}",
        cell(label) if label else "",
        _position(change.before, cell),
        _position(change.after, cell),
        cell(change.reason) if change.reason.strip() else "",
    ]


def _position(place: ReportedPlace | str | None, cell: Name) -> str:
    if isinstance(place, ReportedPlace):
        return cell(f"{place.split}/{place.folder}")
    return place or "not in the dataset"


def _cell(cell: Cell) -> str:
    return f"{cell.after:,} ({cell.difference:+,})" if cell.difference else f"{cell.after:,}"


def _render(template: str, **values: Any) -> str:
    return TEMPLATES.get_template(template).render(values)


# Not escaped for HTML: untrusted text passes through `code` or `name`.
TEMPLATES = Environment(
    loader=PackageLoader("scripts.review"),
    autoescape=False,  # noqa: S701
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters |= {
    "code": markdown.code,
    "fenced": markdown.fenced,
    "name": markdown.name,
    "name_cell": markdown.name_cell,
    "size": size,
    "cell": _cell,
    "number": "{:,}".format,
    "counted": counted,
    "comparable": comparable,
    "accuracy": accuracy_words.in_words,
    "class_row": accuracy_words.class_row,
}
