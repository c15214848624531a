"""What a repository says of its own setup: in its variables and in `.dvc/config`."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from scripts.git.git import MAIN
from scripts.setup import aws, aws_roles, azure, azure_access
from scripts.setup.extras import CATALOGUE_VARIABLE, PUBLIC, SCHEDULER
from scripts.setup.first_pull import BRANCH, Place, file_on, place_of, text_of
from scripts.setup.google import ACCOUNTS
from scripts.setup.google_federation import PROVIDER
from scripts.setup.hub import names, secrets_of, values, variables_of
from scripts.setup.identities import IDENTITIES
from scripts.setup.looks import Looks, UnseenError
from scripts.setup.step import CATALOGUE, CLUSTER, FEDERATION, Json, Look, Store, Wanted
from scripts.storage.settings import CONFIG_PATH

EMAIL = re.compile(r"[^@]+@([^.]+)\.iam\.gserviceaccount\.com")
NUMBER = re.compile(r"projects/(\d+)/")
ARN = re.compile(r"arn:aws:iam::(\d+):role/.*")
KEY_SECRET = "GCP_PULL_REQUEST_KEY"  # noqa: S105 - the name of a secret
# The variables that are set with an extra, in any store.
OF_EXTRAS = [
    *((one.variable, one.needs) for one in ACCOUNTS),
    *(
        (store.variable(one), one.needs)
        for store in (aws_roles, azure_access)
        for one in IDENTITIES
    ),
]


def known(about_it: Json, looks: Looks) -> Wanted:
    """Return what a repository is set up for already, given what GitHub says about it.

    What is not set up, or cannot be seen, is empty.
    """
    wanted = Wanted(
        about_it["full_name"],
        repository_id=about_it["id"],
        owner_id=about_it["owner"]["id"],
    )
    configs = (file_on(wanted, branch, CONFIG_PATH) for branch in (MAIN, BRANCH))
    looks.take([variables_of(wanted), secrets_of(wanted), *configs])
    found = values(_answer(looks, variables_of(wanted)))
    wanted = replace(
        wanted,
        **_place(wanted, looks)._asdict(),
        extras=_extras(wanted, found, looks),
        scheduler=found.get(SCHEDULER, ""),
    )
    return with_place(wanted, looks)


def with_place(wanted: Wanted, looks: Looks) -> Wanted:
    """Return `wanted` with what is known of where its bucket is."""
    return OF_STORE[wanted.store](wanted, values(_answer(looks, variables_of(wanted))), looks)


def about_project(project: str) -> Look:
    """Return the look at a project."""
    return Look(("gcloud", "projects", "describe", project, "--format=json"))


def _of_aws(wanted: Wanted, found: Mapping[str, str], looks: Looks) -> Wanted:
    where = _answer(looks, aws.location(wanted)) if wanted.bucket else None
    region = aws.region_of(where) if where else found.get(aws.REGION, "")
    wanted = replace(wanted, location=region)
    try:
        account = looks.answer(aws.LOGIN)["Account"]
    except UnseenError as error:
        return replace(wanted, unseen=str(error))
    matches = (ARN.fullmatch(found.get(aws_roles.variable(one), "")) for one in IDENTITIES)
    others = sorted({match[1] for match in matches if match} - {account})
    if others:
        return replace(wanted, unseen=f"the login is of account {account}, not of {others[0]}")
    return replace(wanted, account=account)


def _of_google(wanted: Wanted, found: Mapping[str, str], looks: Looks) -> Wanted:
    project = _project(found, looks)
    number = _number_of(project, looks) or _number(found)
    return replace(wanted, project=project, project_number=number)


def _of_azure(wanted: Wanted, found: Mapping[str, str], looks: Looks) -> Wanted:
    named = found.get(azure.SUBSCRIPTION, "")
    try:
        login = looks.answer(azure.login(named))
    except UnseenError as error:
        return replace(wanted, unseen=str(error))
    if login is None:
        return replace(wanted, unseen=f"the login does not see the subscription {named}")
    wanted = replace(wanted, subscription=login["id"], tenant=login["tenantId"], group=azure.GROUP)
    accounts = _answer(looks, azure.accounts(wanted))
    if not accounts:
        return wanted
    return replace(wanted, group=accounts[0]["resourceGroup"], location=accounts[0]["location"])


OF_STORE = {Store.GOOGLE: _of_google, Store.S3: _of_aws, Store.AZURE: _of_azure}


def _number_of(project: str, looks: Looks) -> str:
    """Return the number of a project, empty if it cannot be seen."""
    found = _answer(looks, about_project(project)) if project else None
    return str(found["projectNumber"]) if found else ""


def _answer(looks: Looks, look: Look) -> Json:
    try:
        return looks.answer(look)
    except UnseenError:
        return None


def _project(found: Mapping[str, str], looks: Looks) -> str:
    """Return the project of most accounts, preferably the one of the identity provider."""
    accounts = (EMAIL.fullmatch(found.get(account.variable, "")) for account in ACCOUNTS)
    counts = Counter(match[1] for match in accounts if match)
    projects = [project for project, _ in counts.most_common()]
    if len(projects) < 2:  # noqa: PLR2004 - nothing to choose from
        return "".join(projects)
    number = _number(found)
    return next((one for one in projects if _number_of(one, looks) == number), projects[0])


def _number(found: Mapping[str, str]) -> str:
    match = NUMBER.match(found.get(PROVIDER, ""))
    return match[1] if match else ""


def _place(wanted: Wanted, looks: Looks) -> Place:
    for branch in (MAIN, BRANCH):
        text = text_of(_answer(looks, file_on(wanted, branch, CONFIG_PATH)))
        place = place_of(text)
        if place.bucket:
            return place
    return Place()


def _extras(wanted: Wanted, found: Mapping[str, str], looks: Looks) -> frozenset[str]:
    extras = {need for variable, needs in OF_EXTRAS if variable in found for need in needs}
    if found.get(CATALOGUE_VARIABLE) == PUBLIC:
        extras.add(CATALOGUE)
    if found.get(SCHEDULER):
        extras.add(CLUSTER)
    # A key is used only where there is no provider. Without the right to see secrets, there may be
    # one.
    secrets = _answer(looks, secrets_of(wanted))
    if PROVIDER in found or (secrets is not None and KEY_SECRET not in names(secrets)):
        extras.add(FEDERATION)
    return frozenset(extras)
