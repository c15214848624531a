"""All steps in their order: the setup does them, the doctor checks, docs/setup.md lists them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from scripts.setup import (
    aws,
    aws_roles,
    azure,
    azure_access,
    deploy_keys,
    environments,
    extras,
    first_pull,
    google,
    google_access,
    google_federation,
    identities,
    local,
    repository,
    rules,
)
from scripts.setup.looks import Looks, UnseenError
from scripts.setup.step import Judged, Look, State, Step, Store, Verdict, Wanted


def _of(store: Store, *steps: Step) -> tuple[Step, ...]:
    return tuple(replace(step, store=store) for step in steps)


LOCAL: tuple[Step, ...] = local.STEPS
STEPS: tuple[Step, ...] = (
    *environments.STEPS,
    *repository.STEPS,
    *_of(Store.GOOGLE, *google.STEPS, *google_access.STEPS, *google_federation.STEPS),
    *_of(Store.S3, *identities.STEPS, *aws.STEPS, *aws_roles.STEPS),
    *_of(Store.AZURE, *identities.STEPS, *azure.STEPS, *azure_access.STEPS),
    *deploy_keys.STEPS,
    first_pull.NAMES_STEP,
    *rules.STEPS,
    *extras.STEPS,
    *first_pull.STEPS,
)
# Words of a look at something whose name is not known.
UNNAMED = {"", "gs://", "--project="}


def judged(wanted: Wanted, looks: Looks, steps: Sequence[Step] = STEPS) -> Iterator[Judged]:
    """Yield each of `steps` that applies with what it is found to be."""
    applying = [step for step in steps if step.applies(wanted)]
    looks.take(
        look
        for step in applying
        if not _is_unseen(step, wanted)
        for look in step.looks(wanted)
        if _is_named(look)
    )
    for step in applying:
        yield step, _verdict(step, wanted, looks)


def _is_unseen(step: Step, wanted: Wanted) -> bool:
    return bool(step.store and wanted.unseen)


def _verdict(step: Step, wanted: Wanted, looks: Looks) -> Verdict:
    if _is_unseen(step, wanted):
        return Verdict(State.UNKNOWN, wanted.unseen)
    asked = step.looks(wanted)
    if not all(map(_is_named, asked)):
        lacking = "bucket" if wanted.project else "project"
        return Verdict(State.UNKNOWN, f"the repository does not say which {lacking} it uses")
    try:
        found = [looks.answer(look) for look in asked]
    except UnseenError as error:
        return Verdict(State.UNKNOWN, str(error))
    return step.judge(wanted, *found)


def _is_named(look: Look) -> bool:
    return not UNNAMED.intersection(look.words)
