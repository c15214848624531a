"""Sets up what is missing: says what it would do, does it after a yes, and opens a pull request."""

from collections.abc import Sequence
from dataclasses import replace

from scripts import output
from scripts.errors import UserError
from scripts.setup import apply, ask, doctor, first_pull, steps, text
from scripts.setup.ask import Options
from scripts.setup.known import about_project, known, with_place
from scripts.setup.looks import Looks, UnseenError
from scripts.setup.step import Json, Judged, State, Store, Wanted

DOCTOR = "python -m scripts doctor"


def run(options: Options, *, is_dry: bool) -> None:
    """Set up what `options` say; with `is_dry` only print the commands.

    Raises `UserError` if something is not valid, cannot be seen, or fails.
    """
    here = "" if options.repository else doctor.repository_here()
    asks = options.asks
    repository = ask.value(ask.ASK_REPOSITORY, options.repository, here, asks=asks)
    looks, found = doctor.opened(repository)
    if not looks.is_admin:
        raise UserError(f"you are not an owner of {repository}: only one can set it up")
    wanted = _wanted(options, looks, found)
    judged = list(steps.judged(wanted, looks))
    _refuse_unseen(judged)
    due = apply.due(judged)
    if is_dry:
        output.say(text.script(due))
        return
    place = wanted.project or f"account {wanted.account}"
    output.say(f"{repository}, with {wanted.address} in {place}:\n")
    output.say(f"{text.planned(judged)}\n")
    if due and asks and not ask.agrees("Do it?"):
        raise UserError("nothing was changed")
    apply.apply(due)
    _report(wanted, judged)


def _wanted(options: Options, looks: Looks, found: Json) -> Wanted:
    asks = options.asks
    has = known(found, looks)
    store, bucket = ask.bucket(options.bucket, has, asks=asks)
    wanted = has
    if (has.store, has.bucket) != (store, bucket):
        wanted = replace(has, store=store, bucket=bucket, account="", location="")
    if store == Store.AZURE:
        account = ask.value(ask.ASK_ACCOUNT, options.account, wanted.account, asks=asks)
        wanted = replace(wanted, account=account)
    wanted = with_place(wanted, looks)
    if wanted.unseen:
        raise UserError(f"cannot set up {wanted.address}: {wanted.unseen}")
    if store == Store.GOOGLE:
        project = ask.value(ask.ASK_PROJECT, options.project, wanted.project, asks=asks)
        wanted = replace(wanted, project=project, project_number=_number(project, looks))
    default = ask.DEFAULT_LOCATIONS[store]
    # What exists stays where it is.
    location = wanted.location or ask.value(ask.ASK_LOCATION, options.location, default, asks=asks)
    extras = ask.extras(options.extras, has, asks=asks)
    return replace(
        wanted,
        location=location,
        extras=extras,
        scheduler=ask.scheduler(options.scheduler, has, extras, asks=asks),
        is_alone=options.is_alone or (asks and ask.agrees("alone: do you work alone?")),
    )


def _number(project: str, looks: Looks) -> str:
    try:
        found = looks.answer(about_project(project))
    except UnseenError as error:
        raise UserError(f"cannot see the project {project}: {error}") from None
    if found is None:
        raise UserError(
            f"there is no project {project} at Google Cloud. Create it: gcloud projects create"
            f" {project}, and link a billing account to it"
        )
    return str(found["projectNumber"])


def _refuse_unseen(judged: Sequence[Judged]) -> None:
    unseen = [one for one in judged if one[1].state == State.UNKNOWN and not one[0].by_hand]
    if unseen:
        lines = "\n".join(text.line(*one) for one in unseen)
        raise UserError(f"you may not see all that would be set up; nothing was changed:\n{lines}")


def _report(wanted: Wanted, judged: Sequence[Judged]) -> None:
    left = [one for one in text.broken(judged) if one[0].by_hand]
    if left:
        output.say(f"\nLeft to you:\n{text.checked(left)}")
    pulls = Looks().answer(first_pull.pull_requests(wanted))
    if pulls:
        output.say(
            f"\nMerge the first pull request; the merge releases v0:\n{pulls[0]['html_url']}"
        )
    else:
        output.say(f"\nAll is set up. Check it at any time: {DOCTOR}")
