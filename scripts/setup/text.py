"""The steps in words: for the terminal, for GitHub, and for docs/setup.md."""

from collections.abc import Iterable, Sequence

from scripts.setup.step import FEDERATION, SETUP, State, Step, Verdict
from scripts.setup.steps import LOCAL, STEPS

Judged = tuple[Step, Verdict]
BROKEN = {State.MISSING, State.WRONG}


def broken(judged: Iterable[Judged]) -> list[Judged]:
    """Return what has to be mended."""
    return [one for one in judged if one[1].state in BROKEN]


def line(step: Step, verdict: Verdict) -> str:
    """Return one step as one line."""
    detail = f": {verdict.detail}" if verdict.detail else ""
    return f"{verdict.state:<8} {step.name}{detail}"


def mending(verdict: Verdict) -> list[str]:
    """Return the lines that a person runs to mend a step."""
    if any(command.half for command in verdict.mend):
        return [SETUP]
    return [str(command) for command in verdict.mend]


def checked(judged: Sequence[Judged]) -> str:
    """Return all steps, each with the commands that mend it."""
    shown = []
    for step, verdict in judged:
        shown += [line(step, verdict), *(f"    {one}" for one in mending(verdict))]
    return "\n".join(shown)


def planned(judged: Sequence[Judged]) -> str:
    """Return all steps, each that is not right with why it is wanted and how much is done."""
    shown = []
    for step, verdict in judged:
        shown.append(line(step, verdict))
        if verdict.state in BROKEN:
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


def table() -> str:
    """Return all steps as a table in Markdown."""
    rows = [f"| {step.name} | {_extra(step)} | {step.why} |" for step in (*STEPS, *LOCAL)]
    return "\n".join(["| step | for | why |", "| --- | --- | --- |", *rows]) + "\n"


def _extra(step: Step) -> str:
    if step in LOCAL:
        return "your machine"
    return ", ".join(need for need in step.needs if need != FEDERATION) or "all"
