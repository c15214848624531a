"""Runs the commands of the steps, with the login of the user."""

import re
from collections.abc import Sequence

import stamina

from scripts import output
from scripts.errors import UserError
from scripts.setup import keys, shell
from scripts.setup.shell import Ran
from scripts.setup.step import SETUP, Command, Half, Judged

# A new account, role, pool or service takes a minute until all of the store knows it.
NEW = re.compile(
    r"does not exist|SERVICE_DISABLED|has not been used in project|NoSuchEntity|doesn't exist"
)
ATTEMPTS = 20
WAIT, MAX_WAIT, TIMEOUT = 3.0, 10.0, 180.0
HINTS = {
    r"deploy keys are disabled": "An owner can allow them in the organization's settings, under"
    " Member privileges, Deploy keys.",
    r"upgrade to github": "Rules and environments of private repositories need a paid plan.",
    r"billing": "Link a billing account to the project.",
}


class _NotKnownYetError(Exception):
    """Something that was just made is not known everywhere yet; `ran` is how it was refused."""

    def __init__(self, ran: Ran) -> None:
        super().__init__(ran.reason)
        self.ran = ran


def due(judged: Sequence[Judged]) -> list[Judged]:
    """Return the steps that the setup does."""
    return [one for one in judged if one[1].is_broken and one[1].mend and not one[0].by_hand]


def apply(judged: Sequence[Judged]) -> None:
    """Run the commands of the steps; raises `UserError` at the first that fails."""
    pair: dict[Half, str] = {}
    for step, verdict in judged:
        output.say(step.name)
        for command in verdict.mend:
            if command.half and not pair:
                pair = keys.pair()
            output.say(f"    {command}")
            ran = _run(command, pair)
            if ran.code:
                raise UserError(
                    f"{step.name}: {ran.reason}{_hint(ran)}\n"
                    f"Fix the cause and run this again; it continues here: {SETUP}"
                )


def _run(command: Command, pair: dict[Half, str]) -> Ran:
    """Run a command; again as long as something new is not known yet."""
    half = pair[command.half] if command.half else ""
    stdin = command.stdin.replace("{}", half) if half else command.stdin
    try:
        for attempt in stamina.retry_context(
            on=_NotKnownYetError,
            attempts=ATTEMPTS,
            timeout=TIMEOUT,
            wait_initial=WAIT,
            wait_max=MAX_WAIT,
        ):
            with attempt:
                return _once(command, stdin)
    except _NotKnownYetError as error:
        return error.ran
    raise AssertionError("unreachable")


def _once(command: Command, stdin: str) -> Ran:
    words = command.words
    if command.given:
        given = shell.run(command.given)
        if given.code:
            return given
        words = tuple(given.out.strip() if word == "{}" else word for word in words)
    ran = shell.run(words, stdin)
    if ran.code and NEW.search(ran.err):
        output.log("    what was just made is not known everywhere yet; waiting")
        raise _NotKnownYetError(ran)
    return ran


def _hint(ran: Ran) -> str:
    said = (hint for found, hint in HINTS.items() if re.search(found, ran.reason, re.IGNORECASE))
    return "".join(f" {hint}" for hint in said)
