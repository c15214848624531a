"""The stand-in for `gcloud`: a made project."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from tests.doubles.cloud_parts import CommandError, parsed, refuse_others

PROJECT, NUMBER = "acme-data", "987654321"
DAY = 24 * 60 * 60
SWITCHES = (
    *("--uniform-bucket-level-access", "--public-access-prevention", "--versioning", "--raw"),
    *("--no-public-access-prevention", "--enabled", "--show-deleted", "--no-disabled", "--all"),
)
Project = dict[str, Any]
Options = dict[str, list[str]]


def new() -> Project:
    return {
        "login": True,
        "forbidden": [],
        "services": [],
        "policy": [{"role": "roles/owner", "members": ["user:ada@acme.example"]}],
        "buckets": {},
        "roles": {},
        "accounts": {},
        "pools": {},
        "providers": {},
        # How often a new account is still unknown.
        "unknown": {},
    }


def run(state: dict[str, Any], words: Sequence[str], _: str) -> str:
    project: Project = state["google"]
    plain, options = parsed(words, flags=SWITCHES)
    options.pop("--format", None)
    if not project["login"]:
        raise CommandError("ERROR: You do not currently have an active account selected.")
    for size in range(len(plain), 0, -1):
        if verb := VERBS.get(tuple(plain[:size])):
            break
    else:
        raise CommandError(f"ERROR: (gcloud) Invalid choice: {' '.join(plain)!r}.")
    name = " ".join(plain[:size])
    if options.pop("--project", [PROJECT]) != [PROJECT]:
        raise CommandError("ERROR: PERMISSION_DENIED: The caller does not have permission")
    if any(name.startswith(one) for one in project["forbidden"]):
        raise CommandError(f"ERROR: (gcloud.{name}) PERMISSION_DENIED: Permission denied")
    service = SERVICES.get(plain[0])
    if service and f"{service}.googleapis.com" not in project["services"]:
        raise CommandError(
            f"ERROR: {service}.googleapis.com has not been used in project: SERVICE_DISABLED"
        )
    made = verb({**project, "fresh": state["fresh"]}, options, *plain[size:])
    if isinstance(made, str):
        return made
    return "" if made is None else json.dumps(made)


SERVICES = {"iam": "iam", "storage": "storage"}


def _absent(what: str) -> CommandError:
    return CommandError(f"ERROR: NOT_FOUND: {what} not found")


def _grant(policy: list[Any], options: Options) -> None:
    refuse_others(options, "--member", "--role")
    (member,), (role,) = options["--member"], options["--role"]
    for one in policy:
        if one["role"] == role:
            one["members"] = sorted({*one["members"], member})
            return
    policy.append({"role": role, "members": [member]})
    policy.sort(key=lambda one: str(one["role"]))


def _revoke(policy: list[Any], options: Options) -> None:
    refuse_others(options, "--member", "--role", "--all")
    (member,), (role,) = options["--member"], options["--role"]
    for one in policy:
        if one["role"] == role and member in one["members"]:
            one["members"].remove(member)
            policy[:] = [one for one in policy if one["members"]]
            return
    raise CommandError("ERROR: Policy binding with the specified principal not found!")


def _refuse_new(project: Project, options: Options) -> None:
    """Refuse a member that does not exist, or was made a moment ago."""
    member = options["--member"][0]
    email = member.removeprefix("serviceAccount:")
    if email != member and email not in project["accounts"]:
        raise CommandError(f"ERROR: HTTPError 400: Service account {email} does not exist.")
    if project["unknown"].get(email, 0):
        project["unknown"][email] -= 1
        raise CommandError(f"ERROR: HTTPError 400: Service account {email} does not exist.")
    if member.startswith("principalSet:") and not project["pools"]:
        raise CommandError("ERROR: INVALID_ARGUMENT: Identity Pool does not exist")


# Projects and services


def _describe_project(_: Project, __: Options, name: str) -> Any:
    if name != PROJECT:
        raise CommandError(f"ERROR: (gcloud.projects.describe) NOT_FOUND: Project {name} not found")
    return {"projectId": PROJECT, "projectNumber": NUMBER, "lifecycleState": "ACTIVE"}


def _project_policy(project: Project, _: Options, __: str) -> Any:
    return {"bindings": project["policy"], "etag": "x"}


def _list_services(project: Project, options: Options) -> Any:
    refuse_others(options, "--enabled")
    return [{"config": {"name": name}, "state": "ENABLED"} for name in project["services"]]


def _enable(project: Project, _: Options, *names: str) -> None:
    project["services"][:] = sorted({*project["services"], *names})


# Buckets


def _bucket(project: Project, address: str) -> Any:
    name = address.removeprefix("gs://")
    assert name != address
    if name not in project["buckets"]:
        raise CommandError(f"ERROR: (gcloud.storage) gs://{name} not found: 404.")
    return project["buckets"][name]


def _describe_bucket(project: Project, options: Options, address: str) -> Any:
    assert "--raw" in options
    found = _bucket(project, address)
    return {
        "location": found["location"],
        "versioning": {"enabled": found["versioning"]},
        "softDeletePolicy": {"retentionDurationSeconds": str(found["days"] * DAY)},
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": found["uniform"]},
            "publicAccessPrevention": "enforced" if found["private"] else "inherited",
        },
    }


def _create_bucket(project: Project, options: Options, address: str) -> None:
    if address.removeprefix("gs://") in project["buckets"]:
        raise CommandError("ERROR: HTTPError 409: Your previous request to create it succeeded")
    project["buckets"][address.removeprefix("gs://")] = {
        "location": options["--location"][0],
        "versioning": False,
        "days": 7,
        "uniform": False,
        "private": False,
        "policy": [
            {
                "role": "roles/storage.legacyBucketOwner",
                "members": [f"projectEditor:{PROJECT}", f"projectOwner:{PROJECT}"],
            },
        ],
    }
    del options["--location"]
    _update_bucket(project, options, address)


def _update_bucket(project: Project, options: Options, address: str) -> None:
    refuse_others(
        options,
        *("--uniform-bucket-level-access", "--public-access-prevention", "--versioning"),
        *("--no-public-access-prevention", "--soft-delete-duration"),
    )
    if not options:
        raise CommandError("ERROR: Must specify a flag to modify.")
    found = _bucket(project, address)
    found["uniform"] |= "--uniform-bucket-level-access" in options
    found["private"] |= "--public-access-prevention" in options
    found["versioning"] |= "--versioning" in options
    for duration in options.get("--soft-delete-duration", []):
        days = re.fullmatch(r"(\d+)d", duration)
        assert days
        found["days"] = int(days[1])


def _bucket_policy(project: Project, _: Options, address: str) -> Any:
    return {"bindings": _bucket(project, address)["policy"], "etag": "x"}


def _grant_bucket(project: Project, options: Options, address: str) -> None:
    _refuse_new(project, options)
    role = options["--role"][0]
    if role.startswith("projects/") and role.rpartition("/")[2] not in project["roles"]:
        raise CommandError(f"ERROR: HTTPError 400: Role {role} does not exist.")
    _grant(_bucket(project, address)["policy"], options)


def _revoke_bucket(project: Project, options: Options, address: str) -> None:
    _revoke(_bucket(project, address)["policy"], options)


# Roles and accounts


def _describe_role(project: Project, _: Options, name: str) -> Any:
    if name not in project["roles"]:
        raise _absent(f"The role named projects/{PROJECT}/roles/{name}")
    return project["roles"][name]


def _create_role(project: Project, options: Options, name: str) -> None:
    refuse_others(options, "--title", "--permissions")
    if name in project["roles"]:
        raise CommandError(f"ERROR: ALREADY_EXISTS: A role named {name} already exists.")
    permissions = options["--permissions"][0].split(",")
    project["roles"][name] = {"name": name, "includedPermissions": permissions}


def _update_role(project: Project, options: Options, name: str) -> None:
    refuse_others(options, "--permissions")
    found = _describe_role(project, {}, name)
    if found.get("deleted"):
        raise CommandError("ERROR: FAILED_PRECONDITION: The role is deleted")
    found["includedPermissions"] = options["--permissions"][0].split(",")


def _undelete_role(project: Project, _: Options, name: str) -> None:
    del project["roles"][name]["deleted"]


def _list_accounts(project: Project, _: Options) -> Any:
    return [
        {"email": email, **({"disabled": True} if one["disabled"] else {})}
        for email, one in project["accounts"].items()
    ]


def _create_account(project: Project, _: Options, name: str) -> None:
    email = f"{name}@{PROJECT}.iam.gserviceaccount.com"
    if email in project["accounts"]:
        raise CommandError(f"ERROR: ALREADY_EXISTS: Service account {name} already exists")
    project["accounts"][email] = {"disabled": False, "policy": []}
    project["unknown"][email] = project["fresh"]


def _account(project: Project, email: str) -> Any:
    if email not in project["accounts"]:
        raise _absent(f"Unknown service account {email}")
    return project["accounts"][email]


def _enable_account(project: Project, _: Options, email: str) -> None:
    _account(project, email)["disabled"] = False


def _account_policy(project: Project, _: Options, email: str) -> Any:
    policy = _account(project, email)["policy"]
    return {"etag": "ACAB", **({"bindings": policy} if policy else {})}


def _grant_account(project: Project, options: Options, email: str) -> None:
    _refuse_new(project, options)
    _grant(_account(project, email)["policy"], options)


def _revoke_account(project: Project, options: Options, email: str) -> None:
    _revoke(_account(project, email)["policy"], options)


# Pools and providers


def _described(found: dict[str, Any], name: str) -> Any:
    if name not in found:
        raise _absent(name)
    return found[name]


def _pool_name() -> str:
    return f"projects/{NUMBER}/locations/global/workloadIdentityPools/github"


def _describe_pool(project: Project, options: Options, name: str) -> Any:
    assert options["--location"] == ["global"]
    return _described(project["pools"], name)


def _create_pool(project: Project, options: Options, name: str) -> None:
    assert options["--location"] == ["global"]
    if name in project["pools"]:
        raise CommandError("ERROR: ALREADY_EXISTS: Requested entity already exists")
    project["pools"][name] = {"name": _pool_name(), "state": "ACTIVE"}


def _update_pool(project: Project, options: Options, name: str) -> None:
    refuse_others(options, "--location", "--no-disabled")
    _described(project["pools"], name).pop("disabled", None)


def _undelete_pool(project: Project, _: Options, name: str) -> None:
    project["pools"][name]["state"] = "ACTIVE"


def _list_providers(project: Project, options: Options) -> Any:
    refuse_others(options, "--location", "--workload-identity-pool", "--show-deleted")
    _described(project["pools"], options["--workload-identity-pool"][0])
    return [*project["providers"].values()]


def _provider(options: Options) -> dict[str, Any]:
    refuse_others(
        options,
        *("--location", "--workload-identity-pool", "--issuer-uri", "--attribute-mapping"),
        *("--attribute-condition", "--no-disabled"),
    )
    pairs = (pair.partition("=") for pair in options["--attribute-mapping"][0].split(","))
    return {
        "attributeCondition": options["--attribute-condition"][0],
        "attributeMapping": {key: value for key, _, value in pairs},
        "oidc": {"issuerUri": options["--issuer-uri"][0]},
    }


def _create_provider(project: Project, options: Options, name: str) -> None:
    if name in project["providers"]:
        raise CommandError("ERROR: ALREADY_EXISTS: Requested entity already exists")
    _described(project["pools"], options["--workload-identity-pool"][0])
    where = f"{_pool_name()}/providers/{name}"
    project["providers"][name] = {"name": where, "state": "ACTIVE", **_provider(options)}


def _update_provider(project: Project, options: Options, name: str) -> None:
    found = _described(project["providers"], name)
    if found["state"] != "ACTIVE":
        raise CommandError("ERROR: FAILED_PRECONDITION: it is deleted")
    found |= _provider(options)
    if "--no-disabled" in options:
        found.pop("disabled", None)


def _undelete_provider(project: Project, _: Options, name: str) -> None:
    project["providers"][name]["state"] = "ACTIVE"


def _delete_provider(project: Project, _: Options, name: str) -> None:
    project["providers"][name]["state"] = "DELETED"


def _auth_list(_: Project, options: Options) -> str:
    assert options["--filter"] == ["status:ACTIVE"]
    return "ada@acme.example\n"


def _revoke_project(project: Project, options: Options, name: str) -> None:
    assert name == PROJECT
    _revoke(project["policy"], options)


IAM, POOLS, BUCKETS = ("iam",), ("iam", "workload-identity-pools"), ("storage", "buckets")
ACCOUNTS, PROVIDERS = (*IAM, "service-accounts"), (*POOLS, "providers")
GRANT, REVOKE = "add-iam-policy-binding", "remove-iam-policy-binding"
VERBS: dict[tuple[str, ...], Callable[..., Any]] = {
    ("auth", "list"): _auth_list,
    ("projects", "describe"): _describe_project,
    ("projects", "get-iam-policy"): _project_policy,
    ("projects", REVOKE): _revoke_project,
    ("services", "list"): _list_services,
    ("services", "enable"): _enable,
    (*BUCKETS, "describe"): _describe_bucket,
    (*BUCKETS, "create"): _create_bucket,
    (*BUCKETS, "update"): _update_bucket,
    (*BUCKETS, "get-iam-policy"): _bucket_policy,
    (*BUCKETS, GRANT): _grant_bucket,
    (*BUCKETS, REVOKE): _revoke_bucket,
    (*IAM, "roles", "describe"): _describe_role,
    (*IAM, "roles", "create"): _create_role,
    (*IAM, "roles", "update"): _update_role,
    (*IAM, "roles", "undelete"): _undelete_role,
    (*ACCOUNTS, "list"): _list_accounts,
    (*ACCOUNTS, "create"): _create_account,
    (*ACCOUNTS, "enable"): _enable_account,
    (*ACCOUNTS, "get-iam-policy"): _account_policy,
    (*ACCOUNTS, GRANT): _grant_account,
    (*ACCOUNTS, REVOKE): _revoke_account,
    (*POOLS, "describe"): _describe_pool,
    (*POOLS, "create"): _create_pool,
    (*POOLS, "update"): _update_pool,
    (*POOLS, "undelete"): _undelete_pool,
    (*PROVIDERS, "list"): _list_providers,
    (*PROVIDERS, "create-oidc"): _create_provider,
    (*PROVIDERS, "update-oidc"): _update_provider,
    (*PROVIDERS, "undelete"): _undelete_provider,
    (*PROVIDERS, "delete"): _delete_provider,
}
