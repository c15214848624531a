"""What a repository says of its own setup: in its variables and in `.dvc/config`."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from scripts.git.git import MAIN
from scripts.setup.extras import CATALOGUE_VARIABLE, PUBLIC, SCHEDULER
from scripts.setup.first_pull import BRANCH, bucket_of, file_on, text_of
from scripts.setup.google import ACCOUNTS
from scripts.setup.google_federation import PROVIDER
from scripts.setup.hub import names, secrets_of, values, variables_of
from scripts.setup.looks import Looks, UnseenError
from scripts.setup.step import CATALOGUE, CLUSTER, FEDERATION, Json, Look, Wanted
from scripts.storage.settings import CONFIG_PATH

EMAIL = re.compile(r"[^@]+@([^.]+)\.iam\.gserviceaccount\.com")
NUMBER = re.compile(r"projects/(\d+)/")
KEY_SECRET = "GCP_PULL_REQUEST_KEY"  # noqa: S105 - the name of a secret


class Known(NamedTuple):
    """What is set up already; empty where it is not, or cannot be seen."""

    project: str
    project_number: str
    bucket: str
    extras: frozenset[str]
    scheduler: str


def known(wanted: Wanted, looks: Looks) -> Known:
    """Return what the repository of `wanted` says of its setup."""
    configs = (file_on(wanted, branch, CONFIG_PATH) for branch in (MAIN, BRANCH))
    looks.take([variables_of(wanted), secrets_of(wanted), *configs])
    found = values(_answer(looks, variables_of(wanted)))
    project = _project(found, looks)
    return Known(
        project=project,
        project_number=number_of(project, looks) or _number(found),
        bucket=_bucket(wanted, looks),
        extras=_extras(wanted, found, looks),
        scheduler=found.get(SCHEDULER, ""),
    )


def about_project(project: str) -> Look:
    """Return the look at a project."""
    return Look(("gcloud", "projects", "describe", project, "--format=json"))


def number_of(project: str, looks: Looks) -> str:
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
    return next((one for one in projects if number_of(one, looks) == number), projects[0])


def _number(found: Mapping[str, str]) -> str:
    match = NUMBER.match(found.get(PROVIDER, ""))
    return match[1] if match else ""


def _bucket(wanted: Wanted, looks: Looks) -> str:
    for branch in (MAIN, BRANCH):
        text = text_of(_answer(looks, file_on(wanted, branch, CONFIG_PATH)))
        if bucket := bucket_of(text):
            return bucket
    return ""


def _extras(wanted: Wanted, found: Mapping[str, str], looks: Looks) -> frozenset[str]:
    extras = {need for one in ACCOUNTS if one.variable in found for need in one.needs}
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
