"""What a person wants set up: from the options, from what is set up already, or from answers."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from scripts import output
from scripts.errors import UserError
from scripts.setup.step import CLUSTER, EXTRAS, Store, Wanted

REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
# https://cloud.google.com/resource-manager/docs/creating-managing-projects
PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
# https://cloud.google.com/storage/docs/buckets#naming
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
# https://learn.microsoft.com/en-us/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
BUCKET = re.compile(
    r"(?:gs://)?[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
    r"|azure://(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*"
)
ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
LOCATION = re.compile(r"[A-Za-z0-9-]{2,40}")
SCHEDULER = re.compile(r"tls://[A-Za-z0-9.-]+:[0-9]{1,5}")
# Of a new bucket.
DEFAULT_LOCATIONS = {Store.GOOGLE: "EU", Store.S3: "eu-central-1", Store.AZURE: "westeurope"}


@dataclass(frozen=True)
class Options:
    """What a person has said on the command line; None is not said."""

    repository: str | None = None
    project: str | None = None
    bucket: str | None = None
    account: str | None = None
    location: str | None = None
    extras: str | None = None
    scheduler: str | None = None
    is_alone: bool = False
    asks: bool = True


@dataclass(frozen=True)
class Question:
    """Something to know: the option that says it, in words, and what it may be."""

    option: str
    text: str
    valid: re.Pattern[str]
    example: str

    def checked(self, answer: str) -> str:
        """Return `answer`; raises `UserError` if it is not valid."""
        if not self.valid.fullmatch(answer):
            raise UserError(f"{answer!r} is not {self.text}; write it as {self.example}")
        return answer


ASK_REPOSITORY = Question("--repository", "a repository at GitHub", REPOSITORY, "acme/dataset")
ASK_PROJECT = Question("--project", "the ID of a project at Google Cloud", PROJECT, "acme-data")
ASK_BUCKET = Question(
    "--bucket",
    "a bucket, new or existing",
    BUCKET,
    "gs://acme-dataset, s3://acme-dataset or azure://acme-dataset",
)
ASK_ACCOUNT = Question("--account", "the name of a storage account at Azure", ACCOUNT, "acmedata")
ASK_LOCATION = Question("--location", "the location of a new bucket", LOCATION, "EU")
ASK_SCHEDULER = Question(
    "--scheduler", "the address of a Dask scheduler", SCHEDULER, "tls://dask.example.org:8786"
)


def value(question: Question, given: str | None, default: str, *, asks: bool) -> str:
    """Return the answer to a question: as given, otherwise asked for, otherwise the default.

    Raises `UserError` if it is not valid, or there is none.
    """
    if given is not None:
        return question.checked(given)
    if asks:
        shown = f" [{default}]" if default else f", such as {question.example}"
        return question.checked(ask(f"{question.option[2:]}: {question.text}{shown}") or default)
    if not default:
        raise UserError(
            f"{question.option} is missing: {question.text}, such as {question.example}"
        )
    return default


def bucket(given: str | None, found: Wanted, *, asks: bool) -> tuple[Store, str]:
    """Return the store and the name of the bucket; without a scheme, it is one of Google."""
    answer = value(ASK_BUCKET, given, found.address if found.bucket else "", asks=asks)
    scheme, _, name = answer.rpartition("://")
    return Store(scheme or Store.GOOGLE), name


def extras(given: str | None, found: Wanted, *, asks: bool) -> frozenset[str]:
    """Return the wanted extras with those that are set up; raises `UserError` for unknown ones."""
    has = sorted(found.extras & {*EXTRAS})
    if given is None and asks:
        shown = f" [{','.join(has)}]" if has else "; an empty line for none"
        given = ask(f"with: extras among {', '.join(EXTRAS)}, separated by commas{shown}")
    named = {one.strip() for one in (given or "").split(",") if one.strip()}
    if unknown := sorted(named - {*EXTRAS}):
        raise UserError(f"unknown extra {unknown[0]!r}; choose among {', '.join(EXTRAS)}")
    return frozenset({*named, *found.extras})


def scheduler(given: str | None, found: Wanted, wanted: Iterable[str], *, asks: bool) -> str:
    """Return the address of the scheduler, empty if no cluster is wanted."""
    if CLUSTER not in wanted:
        return ""
    return value(ASK_SCHEDULER, given, found.scheduler, asks=asks)


def ask(question: str) -> str:
    """Return the line that a person types; raises `UserError` without one."""
    output.log(question)
    line = sys.stdin.readline()
    if not line:
        raise UserError("there is no answer. Say it with options, and --yes; see --help.")
    return line.strip()


def agrees(question: str) -> bool:
    """Return whether a person says yes."""
    return ask(f"{question} [y/N]").lower() in {"y", "yes"}
