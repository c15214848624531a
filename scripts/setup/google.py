"""What is set up at Google Cloud: services and the bucket; and the accounts that use it."""

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.setup.step import (
    CREATES,
    DELETES,
    GC,
    INGEST,
    Command,
    Json,
    Look,
    Step,
    Verdict,
    Wanted,
    missing,
    right,
    wrong,
)

SERVICES = ("storage", "iam", "iamcredentials", "sts")
DOMAIN = "googleapis.com"
DAY = 24 * 60 * 60
SOFT_DELETE_DAYS = 30
# Options of a bucket.
UNIFORM, PRIVATE = "--uniform-bucket-level-access", "--public-access-prevention"
VERSIONING, SOFT_DELETE = "--versioning", f"--soft-delete-duration={SOFT_DELETE_DAYS}d"
ENFORCED = "enforced"
EVERYBODY = {"allUsers", "allAuthenticatedUsers"}
READER = "roles/storage.objectViewer"
# Roles that cannot change an object.
READERS = {
    *(READER, "roles/storage.legacyObjectReader", "roles/storage.legacyBucketReader"),
    *("roles/storage.bucketViewer", "roles/storage.viewer"),
}


@dataclass(frozen=True)
class Role:
    """A role with just the permissions that an account needs."""

    name: str
    title: str
    permissions: frozenset[str]
    why: str
    needs: tuple[str, ...] = ()

    def path(self, wanted: Wanted) -> str:
        """Return the full name of the role."""
        return f"projects/{wanted.project}/roles/{self.name}"


# Overwriting in Google Cloud Storage needs the permission to delete. Without the permission to
# list, a missing object would look like a forbidden one.
READING = {"storage.objects.get", "storage.objects.list", "storage.buckets.get"}
WRITER = Role(
    "datasetWriter",
    "Dataset writer",
    frozenset({"storage.objects.create", *READING}),
    CREATES,
)
COLLECTOR = Role(
    "datasetCollector",
    "Dataset collector",
    frozenset({"storage.objects.delete", *READING}),
    DELETES,
    (GC,),
)


@dataclass(frozen=True)
class Account:
    """A service account, and which runs of the repository may use it.

    `events` are events of the repository, `environment` is one that only runs on main can use.
    """

    name: str
    variable: str
    role: Role
    why: str
    events: tuple[str, ...] = ()
    environment: str = ""
    needs: tuple[str, ...] = ()

    def email(self, wanted: Wanted) -> str:
        """Return the address of the account."""
        return f"{self.name}@{wanted.project}.iam.gserviceaccount.com"

    def member(self, wanted: Wanted) -> str:
        """Return the account as a member of a binding."""
        return f"serviceAccount:{self.email(wanted)}"


ACCOUNTS = (
    Account(
        "dataset-pull-request",
        "GCP_PULL_REQUEST_ACCOUNT",
        WRITER,
        "Pull requests use it, and the workflows that publish candidates, propose and verify.",
        events=("pull_request", "issues", "workflow_run", "schedule", "workflow_dispatch"),
    ),
    Account(
        "dataset-release",
        "GCP_RELEASE_ACCOUNT",
        WRITER,
        "The release uses it.",
        environment="release",
    ),
    Account(
        "dataset-ingest",
        "GCP_INGEST_ACCOUNT",
        WRITER,
        "The workflow Ingest uses it.",
        environment="ingest",
        needs=(INGEST,),
    ),
    Account(
        "dataset-gc",
        "GCP_GC_ACCOUNT",
        COLLECTOR,
        "Garbage collection uses it, the only one that can delete.",
        environment="gc",
        needs=(GC,),
    ),
)


def gcloud(wanted: Wanted, *words: str) -> Command:
    """Return a command of Google's command line, for the project."""
    return Command(("gcloud", *words, f"--project={wanted.project}"))


def look(wanted: Wanted, *words: str) -> Look:
    """Return what reads something with Google's command line."""
    return Look((*gcloud(wanted, *words).words, "--format=json"))


def policy_of_bucket(wanted: Wanted) -> Look:
    """Return the look at who may do what in the bucket."""
    return look(wanted, "storage", "buckets", "get-iam-policy", f"gs://{wanted.bucket}")


def policy_of_project(wanted: Wanted) -> Look:
    """Return the look at who may do what in the whole project."""
    return Look(("gcloud", "projects", "get-iam-policy", wanted.project, "--format=json"))


def grants(policy: Json) -> Iterator[tuple[str, str]]:
    """Yield each member of a policy with its role."""
    for binding in (policy or {}).get("bindings", []):
        for member in binding["members"]:
            yield member, binding["role"]


def _services(wanted: Wanted) -> tuple[Look, ...]:
    return (look(wanted, "services", "list", "--enabled"),)


def _judge_services(wanted: Wanted, listed: Json) -> Verdict:
    enabled = {one["config"]["name"] for one in listed or []}
    off = [name for one in SERVICES if (name := f"{one}.{DOMAIN}") not in enabled]
    made = gcloud(wanted, "services", "enable", *off)
    return missing(f"off: {', '.join(off)}", made) if off else right()


def _bucket(wanted: Wanted) -> Look:
    return look(wanted, "storage", "buckets", "describe", f"gs://{wanted.bucket}", "--raw")


def _update(wanted: Wanted, *options: str) -> Command:
    return gcloud(wanted, "storage", "buckets", "update", f"gs://{wanted.bucket}", *options)


def _judge_bucket(wanted: Wanted, found: Json) -> Verdict:
    if found is None:
        where = (f"gs://{wanted.bucket}", f"--location={wanted.location}")
        made = gcloud(wanted, "storage", "buckets", "create", *where, UNIFORM, PRIVATE)
        return missing("there is none", made, _update(wanted, VERSIONING, SOFT_DELETE))
    options = dict(_options_to_set(found))
    return wrong(options.values(), _update(wanted, *options))


def _options_to_set(found: Json) -> Iterator[tuple[str, str]]:
    """Yield each option with which a bucket must be updated, with the problem that it mends."""
    access = found.get("iamConfiguration", {})
    if not access.get("uniformBucketLevelAccess", {}).get("enabled"):
        yield UNIFORM, "objects have permissions of their own"
    if not found.get("versioning", {}).get("enabled"):
        yield VERSIONING, "it keeps no older versions of objects"
    kept = int(found.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
    if kept < SOFT_DELETE_DAYS * DAY:
        problem = f"it keeps deleted objects for {kept // DAY} days, not {SOFT_DELETE_DAYS}"
        yield SOFT_DELETE, problem


def _judge_public(wanted: Wanted, found: Json, policy: Json) -> Verdict:
    if found is None:
        return missing("there is no bucket")
    if any(member in EVERYBODY for member, _ in grants(policy)):
        return right("everybody can read the bucket")
    is_private = found.get("iamConfiguration", {}).get("publicAccessPrevention") == ENFORCED
    problems = [] if is_private else ["the bucket could be made public by mistake"]
    return wrong(problems, _update(wanted, PRIVATE))


STEPS = (
    Step("services", "The workflows use these services of Google.", _services, _judge_services),
    Step(
        "bucket",
        "It keeps the objects of all releases; deleted ones can be restored for 30 days.",
        lambda wanted: (_bucket(wanted),),
        _judge_bucket,
    ),
    Step(
        "public access",
        "The bucket is private, unless you made it public.",
        lambda wanted: (_bucket(wanted), policy_of_bucket(wanted)),
        _judge_public,
    ),
)
