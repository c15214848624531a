"""Text for people, rendered from the templates beside this module."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from tabulate import tabulate

from scripts.review.plan import counts
from scripts.review.report import ClassCount, Plan, Report
from scripts.review.warnings import warnings
from scripts.versions.releases import Release

# GitHub refuses comments of more than 65,536 characters. What is too much is left out as a whole:
# half a code span would let the rest of it render.
MAX_CHARACTERS = 60_000
MAX_ROWS = 100
MAX_PROBLEMS_SHOWN = 20


def title(report: Report, name: Callable[[str], str] = str) -> str:
    """Return the outcome in one line; `name` formats the revision that it is compared with."""
    against = name(report.plan.against or "before") if report.plan else None
    return _render("title.j2", report=report, plan=report.plan, against=against).strip()


def plan_text(plan: Plan) -> str:
    """Return `plan` for a terminal."""
    return _render("plan.txt.j2", **_plan_values(plan, str), text_table=_text_table(plan))


def plan_markdown(plan: Plan) -> str:
    """Return `plan` as Markdown: title, warnings, table, facts."""
    return _render("plan.md.j2", **_plan_values(plan, _markdown_name))


def plan_json(plan: Plan) -> str:
    """Return `plan` for a program."""
    return plan.model_dump_json(by_alias=True, indent=2, exclude={"previews"}) + "\n"


def comment(report: Report, sheet: str | None = None) -> str:
    """Return what a pull request shows its reviewers; `sheet` is the contact sheet's address."""
    if report.plan is None:
        return _render(
            "problems.md.j2",
            title=title(report),
            problems=report.problems[:MAX_PROBLEMS_SHOWN],
            more=max(0, len(report.problems) - MAX_PROBLEMS_SHOWN),
        )
    values = {**_plan_values(report.plan, _markdown_name), "report": report, "sheet": sheet}
    rendered = _render("comment.md.j2", previews=report.plan.previews, **values)
    if len(rendered) <= MAX_CHARACTERS:
        return rendered
    return _render("comment.md.j2", previews=[], **values)


def notes(release: Release, before: Release | None, repository: str) -> str:
    """Return the notes of a release: its counts compared with the one before, and how to get it."""
    rows = counts(before.lock if before else None, release.lock)
    return _render(
        "notes.md.j2",
        release=release,
        repository=repository,
        header=before.tag if before else "before",
        rows=rows[:MAX_ROWS],
        more_rows=max(0, len(rows) - MAX_ROWS),
        total=_total(rows),
    )


def notes_title(release: Release, before: Release | None) -> str:
    """Return the title of a release."""
    difference = release.lock.nfiles - (before.lock.nfiles if before else 0)
    return f"{release.tag}: {release.lock.nfiles:,} samples ({difference:+,})"


def outdated(tag: str) -> str:
    """Return the note that a comment is out of date since the release `tag`."""
    return _render("outdated.md.j2", tag=tag)


def code(text: str) -> str:
    """Return `text` as a Markdown code span: shown as it is, whatever it holds.

    Nothing inside of a code span renders, links or notifies. Its fence is longer than any run of
    backticks within, so that it cannot end early.
    """
    flat = " ".join(text.split()) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", flat)), default=0) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def size(count: int) -> str:
    """Return a number of bytes with its unit, such as 18.5 MB."""
    value, units = float(count), ["TB", "GB", "MB", "kB", "B"]
    # 999.5 would be shown as 1000 of its unit, so it is 1 of the next.
    while value >= 999.5 and len(units) > 1:  # noqa: PLR2004
        value /= 1000
        units.pop()
    return f"{value:.3g} {units[-1]}"


def counts_in_words(by_split: Mapping[str, Mapping[str, int]]) -> str:
    """Return counts by split and class in one line."""
    return "; ".join(
        f"{split} " + ", ".join(f"{folder}: {count:,}" for folder, count in by_folder.items())
        for split, by_folder in by_split.items()
    )


def _plan_values(plan: Plan, name: Callable[[str], str]) -> dict[str, Any]:
    return {
        "title": title(Report(plan=plan), name),
        "plan": plan,
        "header": plan.against or "before",
        "rows": plan.counts[:MAX_ROWS],
        "more_rows": max(0, len(plan.counts) - MAX_ROWS),
        "total": _total(plan.counts),
        "warnings": warnings(plan, name),
    }


def _total(rows: Sequence[ClassCount]) -> dict[str, int]:
    return {
        "before": sum(count.before for count in rows),
        "after": sum(count.after for count in rows),
    }


def _text_table(plan: Plan) -> str:
    total = _total(plan.counts)
    rows = [[c.split, c.folder, *_numbers(c.before, c.after)] for c in plan.counts]
    rows.append(["total", "", *_numbers(total["before"], total["after"])])
    header = ["split", "class", plan.against or "before", "after", "difference"]
    align = ("left", "left", "right", "right", "right")
    return tabulate(rows, header, tablefmt="plain", colalign=align, disable_numparse=True)


def _numbers(before: int, after: int) -> list[str]:
    return [f"{before:,}", f"{after:,}", _signed(after - before)]


def _signed(number: int) -> str:
    return f"{number:+,}" if number else "0"


def _markdown_name(text: str) -> str:
    # Dots and dashes could make an address or a reference of a name, which GitHub would link.
    return text if re.fullmatch(r"[A-Za-z0-9]+", text) else code(text)


def _render(template: str, **values: Any) -> str:
    return TEMPLATES.get_template(template).render(values)


# Not escaped for HTML: what others wrote passes through `code` or `name`, numbers need nothing.
TEMPLATES = Environment(
    loader=PackageLoader("scripts.review"),
    autoescape=False,  # noqa: S701
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters |= {
    "code": code,
    "name": _markdown_name,
    "size": size,
    "signed": _signed,
    "number": "{:,}".format,
}
