"""What is set up at Google Cloud: services, the bucket, roles, accounts, and who may write."""

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.setup.step import (
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
ENFORCED = "enforced"
EVERYBODY = {"allUsers", "allAuthenticatedUsers"}
READER = "roles/storage.objectViewer"
# Roles that cannot change an object.
READERS = {
    *(READER, "roles/storage.legacyObjectReader", "roles/storage.legacyBucketReader"),
    *("roles/storage.bucketViewer", "roles/storage.viewer"),
}
# Google grants these itself: people who own or edit the project.
OF_PROJECT = ("projectOwner:", "projectEditor:", "projectViewer:")
PEOPLE = ("user:", "group:")


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
    "It can create and read objects, but neither overwrite nor delete them.",
)
COLLECTOR = Role(
    "datasetCollector",
    "Dataset collector",
    frozenset({"storage.objects.delete", *READING}),
    "It can delete and read objects, but not create them.",
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


def _bucket(wanted: Wanted) -> tuple[Look, ...]:
    return (
        look(wanted, "storage", "buckets", "describe", f"gs://{wanted.bucket}", "--raw"),
        policy_of_bucket(wanted),
    )


def _judge_bucket(wanted: Wanted, found: Json, policy: Json) -> Verdict:
    address = f"gs://{wanted.bucket}"
    keeping = ("--versioning", f"--soft-delete-duration={SOFT_DELETE_DAYS}d")
    closed = ("--uniform-bucket-level-access", "--public-access-prevention")
    update = ("storage", "buckets", "update", address)
    if found is None:
        where = f"--location={wanted.location}"
        made = gcloud(wanted, "storage", "buckets", "create", address, where, *closed)
        return missing("there is none", made, gcloud(wanted, *update, *keeping))
    is_public = any(member in EVERYBODY for member, _ in grants(policy))
    flags = dict(_flags_to_set(found, is_public=is_public))
    verdict = wrong(flags.values(), gcloud(wanted, *update, *flags))
    return right("everybody can read it") if is_public and not flags else verdict


def _flags_to_set(found: Json, *, is_public: bool) -> Iterator[tuple[str, str]]:
    """Yield each option with which a bucket must be updated, with the problem that it mends."""
    access = found.get("iamConfiguration", {})
    if not access.get("uniformBucketLevelAccess", {}).get("enabled"):
        yield "--uniform-bucket-level-access", "objects have permissions of their own"
    if access.get("publicAccessPrevention") != ENFORCED and not is_public:
        yield "--public-access-prevention", "it could be made public by mistake"
    if not found.get("versioning", {}).get("enabled"):
        yield "--versioning", "it keeps no older versions of objects"
    kept = int(found.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
    if kept < SOFT_DELETE_DAYS * DAY:
        days = f"{SOFT_DELETE_DAYS}d"
        problem = f"it keeps deleted objects for {kept // DAY} days, not {SOFT_DELETE_DAYS}"
        yield f"--soft-delete-duration={days}", problem


def _role_step(role: Role) -> Step:
    def looks(wanted: Wanted) -> tuple[Look, ...]:
        return (look(wanted, "iam", "roles", "describe", role.name),)

    def judge(wanted: Wanted, found: Json) -> Verdict:
        permissions = f"--permissions={','.join(sorted(role.permissions))}"
        update = gcloud(wanted, "iam", "roles", "update", role.name, permissions)
        if found is None:
            title = f"--title={role.title}"
            made = gcloud(wanted, "iam", "roles", "create", role.name, title, permissions)
            return missing("there is none", made)
        has = {*found.get("includedPermissions", [])}
        if found.get("deleted"):
            back = gcloud(wanted, "iam", "roles", "undelete", role.name)
            return wrong(["it is deleted"], back, *([update] if has != role.permissions else ()))
        more, less = sorted(has - role.permissions), sorted(role.permissions - has)
        problems = (
            *([f"it also has {', '.join(more)}"] if more else ()),
            *([f"it lacks {', '.join(less)}"] if less else ()),
        )
        return wrong(problems, update)

    return Step(f"role {role.name}", role.why, looks, judge, role.needs)


def _account_step(account: Account) -> Step:
    def looks(wanted: Wanted) -> tuple[Look, ...]:
        return (look(wanted, "iam", "service-accounts", "list"),)

    def judge(wanted: Wanted, listed: Json) -> Verdict:
        email = account.email(wanted)
        found = next((one for one in listed or [] if one["email"] == email), None)
        if found is None:
            made = gcloud(wanted, "iam", "service-accounts", "create", account.name)
            return missing("there is none", made)
        problems = ["it is disabled"] if found.get("disabled") else []
        return wrong(problems, gcloud(wanted, "iam", "service-accounts", "enable", email))

    return Step(f"account {account.name}", account.why, looks, judge, account.needs)


def _access_step(account: Account) -> Step:
    def looks(wanted: Wanted) -> tuple[Look, ...]:
        return policy_of_bucket(wanted), policy_of_project(wanted)

    def judge(wanted: Wanted, of_bucket: Json, of_project: Json) -> Verdict:
        due, member = account.role.path(wanted), account.member(wanted)
        roles = {role for one, role in grants(of_bucket) if one == member}
        wide = {role for one, role in grants(of_project) if one == member}
        more = sorted(roles - {due})
        mend = [_binding(wanted, "remove", member, role) for role in more]
        mend += [_binding_of_project(wanted, member, role) for role in sorted(wide)]
        problems = [f"it also has {role}" for role in more]
        problems += [f"it has {role} in the whole project" for role in sorted(wide)]
        if due not in roles:
            mend.insert(0, _binding(wanted, "add", member, due))
            if not problems:
                return missing(f"it does not have {due}", *mend)
            problems.append(f"it does not have {due}")
        return wrong(problems, *mend)

    why = f"It has {account.role.name} on the bucket, and nothing else."
    return Step(f"access of {account.name}", why, looks, judge, account.needs)


def _binding(wanted: Wanted, verb: str, member: str, role: str) -> Command:
    words = (f"gs://{wanted.bucket}", f"--member={member}", f"--role={role}")
    every = ("--all",) if verb == "remove" else ()
    return gcloud(wanted, "storage", "buckets", f"{verb}-iam-policy-binding", *words, *every)


def _binding_of_project(wanted: Wanted, member: str, role: str) -> Command:
    words = ("gcloud", "projects", "remove-iam-policy-binding", wanted.project)
    return Command((*words, f"--member={member}", f"--role={role}", "--all"))


def _judge_others(wanted: Wanted, policy: Json) -> Verdict:
    ours = {account.member(wanted) for account in ACCOUNTS}
    others = [
        (member, role)
        for member, role in grants(policy)
        if member not in ours
        and role not in READERS
        and not member.startswith(OF_PROJECT)
        # People who ingest on their own machine.
        and not (member.startswith(PEOPLE) and role == WRITER.path(wanted))
    ]
    mend = (_binding(wanted, "remove", member, role) for member, role in others)
    return wrong((f"{member} has {role}" for member, role in others), *mend)


STEPS = (
    Step("services", "The workflows use these services of Google.", _services, _judge_services),
    Step(
        "bucket",
        "It keeps the objects of all releases; deleted ones can be restored for 30 days.",
        _bucket,
        _judge_bucket,
    ),
    *map(_role_step, (WRITER, COLLECTOR)),
    *map(_account_step, ACCOUNTS),
    *map(_access_step, ACCOUNTS),
    Step(
        "others who can write",
        "What somebody else writes to the bucket or deletes there is not checked by anything.",
        lambda wanted: (policy_of_bucket(wanted),),
        _judge_others,
        by_hand=True,
    ),
)
