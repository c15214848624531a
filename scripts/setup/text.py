"""The steps in words: for the terminal, for GitHub, and for docs/setup.md."""

from collections.abc import Iterable, Sequence

from scripts.setup.step import FEDERATION, SETUP, Judged, Step, Store, Verdict
from scripts.setup.steps import LOCAL, STEPS

# Around the table in docs/setup.md.
TABLE_START = "<!-- steps: written by `make setup-table` -->"
TABLE_END = "<!-- end of steps -->"
STORES = {None: "all", Store.GOOGLE: "Google", Store.S3: "S3", Store.AZURE: "Azure"}
# Characters of commands that are shown.
MAX_LENGTH = 1_500


def broken(judged: Iterable[Judged]) -> list[Judged]:
    """Return what has to be mended."""
    return [one for one in judged if one[1].is_broken]


def line(step: Step, verdict: Verdict) -> str:
    """Return one step as one line."""
    detail = f": {verdict.detail}" if verdict.detail else ""
    return f"{verdict.state:<8} {step.name}{detail}"


def mending(step: Step, verdict: Verdict) -> list[str]:
    """Return the lines that a person runs to mend a step.

    The setup is one where they need a new key, or are too long to read.
    """
    lines = [str(command) for command in verdict.mend]
    needs_key = any(command.half for command in verdict.mend)
    is_long = sum(map(len, lines)) > MAX_LENGTH and not step.by_hand
    return [SETUP] if needs_key or is_long else lines


def checked(judged: Sequence[Judged]) -> str:
    """Return all steps, each with the commands that mend it."""
    shown = []
    for step, verdict in judged:
        shown += [line(step, verdict), *(f"    {one}" for one in mending(step, verdict))]
    return "\n".join(shown)


def planned(judged: Sequence[Judged]) -> str:
    """Return all steps, each that is not right with why it is wanted and how much is done."""
    shown = []
    for step, verdict in judged:
        shown.append(line(step, verdict))
        if verdict.is_broken:
            shown.append(f"         {step.why}{_count(step, verdict)}")
    return "\n".join(shown)


def _count(step: Step, verdict: Verdict) -> str:
    if step.by_hand:
        return " Left to you."
    count = len(verdict.mend)
    return f" {count} {'command' if count == 1 else 'commands'}." if count else ""


def script(judged: Iterable[Judged]) -> str:
    """Return the commands that mend the steps, as lines for a shell."""
    shown = []
    for step, verdict in judged:
        if verdict.mend:
            shown += [f"# {step.name}", *map(str, verdict.mend)]
    return "\n".join(shown)


def with_table(document: str) -> str:
    """Return a document in Markdown with the table of all steps between its two marks."""
    rows = [
        f"| {step.name} | {STORES[step.store]} | {_extra(step)} | {step.why} |"
        for step in (*STEPS, *LOCAL)
    ]
    table = "\n".join(["| step | store | for | why |", "| --- | --- | --- | --- |", *rows])
    before, start, rest = document.partition(TABLE_START)
    _, end, after = rest.partition(TABLE_END)
    return f"{before}{start}\n{table}\n{end}{after}"


def _extra(step: Step) -> str:
    if step in LOCAL:
        return "your machine"
    return ", ".join(need for need in step.needs if need != FEDERATION) or "all"
