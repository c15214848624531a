"""What is set up at Azure for every workflow: the storage account and its container."""

from scripts.setup.hub import variables
from scripts.setup.step import Command, Json, Look, Step, Verdict, Wanted, missing, right, wrong

GROUP = "dataset"
TENANT, SUBSCRIPTION = "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"
SOFT_DELETE_DAYS = 30
NO_KEYS = ("--allow-shared-key-access", "false")
PRIVATE = ("--allow-blob-public-access", "false")
LOGIN = Look(("az", "account", "show", "--output", "json"))


def command(wanted: Wanted, *words: str, given: tuple[str, ...] = ()) -> Command:
    """Return a command of Azure's command line, for the subscription."""
    return Command(("az", *words, "--subscription", wanted.subscription), given=given)


def look(wanted: Wanted, *words: str) -> Look:
    """Return what reads something with Azure's command line."""
    return Look((*command(wanted, *words).words, "--output", "json"))


def login(subscription: str) -> Look:
    """Return the look at a subscription, as the user who is logged in sees it."""
    return Look((*LOGIN.words, "--subscription", subscription)) if subscription else LOGIN


def accounts(wanted: Wanted) -> Look:
    """Return the look at the storage account, in whichever group it is."""
    return look(wanted, "storage", "account", "list", "--query", f"[?name=='{wanted.account}']")


def group_scope(wanted: Wanted) -> str:
    """Return the full name of the resource group."""
    return f"/subscriptions/{wanted.subscription}/resourceGroups/{wanted.group}"


def container_scope(wanted: Wanted) -> str:
    """Return the full name of the container."""
    account = f"providers/Microsoft.Storage/storageAccounts/{wanted.account}"
    return f"{group_scope(wanted)}/{account}/blobServices/default/containers/{wanted.bucket}"


def in_group(wanted: Wanted) -> tuple[str, str]:
    """Return the option that names the resource group."""
    return "--resource-group", wanted.group


def _group(wanted: Wanted) -> tuple[Look, ...]:
    return (look(wanted, "group", "show", "--name", wanted.group),)


def _judge_group(wanted: Wanted, found: Json) -> Verdict:
    named = ("--name", wanted.group, "--location", wanted.location)
    return (
        right() if found else missing("there is none", command(wanted, "group", "create", *named))
    )


def _of_account(verb: str, wanted: Wanted) -> tuple[str, ...]:
    return ("storage", "account", verb, "--name", wanted.account, *in_group(wanted))


def _account(wanted: Wanted) -> Look:
    return look(wanted, *_of_account("show", wanted))


def _judge_account(wanted: Wanted, found: Json) -> Verdict:
    if found is None:
        how = ("--location", wanted.location, "--sku", "Standard_ZRS", *NO_KEYS, *PRIVATE)
        return missing("there is none", command(wanted, *_of_account("create", wanted), *how))
    # Not said is allowed.
    problems = [] if found.get("allowSharedKeyAccess") is False else ["its keys can do everything"]
    return wrong(problems, command(wanted, *_of_account("update", wanted), *NO_KEYS))


def _of_blobs(verb: str, wanted: Wanted) -> tuple[str, ...]:
    service = ("storage", "account", "blob-service-properties", verb)
    return (*service, "--account-name", wanted.account, *in_group(wanted))


def _judge_versions(wanted: Wanted, found: Json) -> Verdict:
    days = ("--delete-retention-days", str(SOFT_DELETE_DAYS))
    kept = ("--enable-versioning", "true", "--enable-delete-retention", "true", *days)
    set_kept = command(wanted, *_of_blobs("update", wanted), *kept)
    if found is None:
        return missing("there is no storage account", set_kept)
    problems = [] if found.get("isVersioningEnabled") else ["it keeps no older versions of objects"]
    policy = found.get("deleteRetentionPolicy") or {}
    deleted = policy.get("days") or 0 if policy.get("enabled") else 0
    if deleted < SOFT_DELETE_DAYS:
        problems.append(f"it keeps deleted objects for {deleted} days, not {SOFT_DELETE_DAYS}")
    return wrong(problems, set_kept)


def _of_container(verb: str, wanted: Wanted) -> tuple[str, ...]:
    named = ("--name", wanted.bucket, "--storage-account", wanted.account, *in_group(wanted))
    return ("storage", "container-rm", verb, *named)


def _container(wanted: Wanted) -> Look:
    return look(wanted, *_of_container("show", wanted))


def _judge_container(wanted: Wanted, found: Json) -> Verdict:
    made = command(wanted, *_of_container("create", wanted))
    return right() if found else missing("there is none", made)


def _judge_public(wanted: Wanted, account: Json, container: Json) -> Verdict:
    if account is None:
        return missing("there is no storage account")
    is_allowed = account.get("allowBlobPublicAccess")
    if is_allowed and (container or {}).get("publicAccess") not in {None, "None"}:
        return right("everybody can read the container")
    problems = ["containers could be made public by mistake"] if is_allowed else []
    return wrong(problems, command(wanted, *_of_account("update", wanted), *PRIVATE))


STEPS = (
    Step(
        "resource group", "It holds the storage account and the identities.", _group, _judge_group
    ),
    Step(
        "storage account",
        "It has the container; its keys, which could do everything, are turned off.",
        lambda wanted: (_account(wanted),),
        _judge_account,
    ),
    Step(
        "older versions",
        "Overwritten and deleted objects can be restored for 30 days.",
        lambda wanted: (look(wanted, *_of_blobs("show", wanted)),),
        _judge_versions,
    ),
    Step(
        "container",
        "It keeps the objects of all releases.",
        lambda wanted: (_container(wanted),),
        _judge_container,
    ),
    Step(
        "public access",
        "The container is private, unless you made it public.",
        lambda wanted: (_account(wanted), _container(wanted)),
        _judge_public,
    ),
    variables(
        "variables of the subscription",
        "The workflows log in there.",
        lambda wanted: {TENANT: wanted.tenant, SUBSCRIPTION: wanted.subscription},
    ),
)
