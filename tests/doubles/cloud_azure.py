"""The stand-in for `az`: a made subscription."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from tests.doubles.cloud_parts import CommandError, parsed, refuse_others

SUBSCRIPTION, TENANT = "11111111-aaaa", "22222222-bbbb"
GROUP_SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/dataset"
Subscription = dict[str, Any]
Given = dict[str, str]


def new() -> Subscription:
    return {
        "login": True,
        # Of these commands, nothing can be seen.
        "forbidden": [],
        "groups": {},
        "accounts": {},
        "roles": {},
        "identities": {},
        "assignments": [],
        # How many things have a number, and how often a new role is still unknown.
        "made": {"count": 0},
        "unknown": {},
    }


def run(state: dict[str, Any], words: Sequence[str], _: str) -> str:
    azure: Subscription = state["azure"]
    if not azure["login"]:
        raise CommandError("ERROR: Please run 'az login' to setup account.")
    plain, options = parsed(words, flags=("--yes", "--include-inherited"))
    name = " ".join(plain)
    if name not in VERBS:
        raise CommandError(f"ERROR: {name!r} is misspelled or not recognized by the system.")
    given = {key: values[0] if values else "" for key, values in options.items()}
    given.pop("--output", None)
    if given.pop("--subscription", SUBSCRIPTION) != SUBSCRIPTION:
        raise CommandError("ERROR: Subscription not found. Check the spelling and casing.")
    if any(name.startswith(one) for one in azure["forbidden"]):
        raise CommandError("ERROR: (AuthorizationFailed) The client does not have authorization")
    needed, optional, do = VERBS[name]
    refuse_others(options, *needed, *optional, "--output", "--subscription")
    if absent := {*needed} - given.keys():
        raise CommandError(f"ERROR: the following arguments are required: {sorted(absent)}")
    made = do({**azure, "fresh": state["fresh"]}, given)
    if isinstance(made, str):
        return made
    return "" if made is None else json.dumps(made)


def _absent(what: str) -> CommandError:
    return CommandError(f"ERROR: (ResourceNotFound) The Resource {what!r} was not found.")


def _number(azure: Subscription) -> str:
    azure["made"]["count"] += 1
    return f"{azure['made']['count']:08}"


def _login(_: Subscription, __: Given) -> Any:
    return {"id": SUBSCRIPTION, "tenantId": TENANT, "state": "Enabled"}


# Groups, accounts and containers


def _group(azure: Subscription, given: Given) -> Any:
    name = given.get("--resource-group") or given["--name"]
    if name not in azure["groups"]:
        text = f"Resource group {name!r} could not be found."
        raise CommandError(f"ERROR: (ResourceGroupNotFound) {text}")
    return azure["groups"][name]


def _create_group(azure: Subscription, given: Given) -> None:
    azure["groups"][given["--name"]] = {"location": given["--location"]}


def _list_accounts(azure: Subscription, given: Given) -> Any:
    return [
        {"name": name, "resourceGroup": "dataset", "location": one["location"]}
        for name, one in azure["accounts"].items()
        if given["--query"] == f"[?name=='{name}']"
    ]


def _account(azure: Subscription, given: Given) -> Any:
    _group(azure, given)
    keys = ("--storage-account", "--account-name", "--name")
    name = next(given[key] for key in keys if key in given)
    if name not in azure["accounts"]:
        raise _absent(name)
    return azure["accounts"][name]


def _show_account(azure: Subscription, given: Given) -> Any:
    found = _account(azure, given)
    return {
        "allowSharedKeyAccess": found["keys"],
        "allowBlobPublicAccess": found["public"],
        "location": found["location"],
    }


def _create_account(azure: Subscription, given: Given) -> None:
    _group(azure, given)
    assert given["--sku"] == "Standard_ZRS"
    azure["accounts"][given["--name"]] = {
        "location": given["--location"],
        # Not said is allowed.
        "keys": None,
        "public": False,
        "versioning": None,
        "days": 7,
        "containers": {},
    }
    _update_account(azure, given)


def _update_account(azure: Subscription, given: Given) -> None:
    found = _account(azure, given)
    if "--allow-shared-key-access" in given:
        found["keys"] = given["--allow-shared-key-access"] == "true"
    if "--allow-blob-public-access" in given:
        found["public"] = given["--allow-blob-public-access"] == "true"


def _blobs(azure: Subscription, given: Given) -> Any:
    found = _account(azure, given)
    policy = {"enabled": True, "days": found["days"]} if found["days"] else {"enabled": False}
    return {"isVersioningEnabled": found["versioning"], "deleteRetentionPolicy": policy}


def _update_blobs(azure: Subscription, given: Given) -> None:
    found = _account(azure, given)
    assert given["--enable-delete-retention"] == given["--enable-versioning"] == "true"
    found |= {"versioning": True, "days": int(given["--delete-retention-days"])}


def _container(azure: Subscription, given: Given) -> Any:
    containers = _account(azure, given)["containers"]
    if given["--name"] not in containers:
        text = "The specified container does not exist."
        raise CommandError(f"ERROR: (ContainerNotFound) {text}")
    return {"name": given["--name"], "publicAccess": containers[given["--name"]]}


def _create_container(azure: Subscription, given: Given) -> None:
    _account(azure, given)["containers"].setdefault(given["--name"], "None")


# Roles and assignments


def _list_roles(azure: Subscription, given: Given) -> Any:
    assert given == {"--custom-role-only": "true", "--scope": GROUP_SCOPE}
    _group(azure, {"--resource-group": "dataset"})
    return [
        {"roleName": name, "permissions": [{"actions": [], "notActions": [], "dataActions": data}]}
        for name, data in azure["roles"].items()
    ]


def _create_role(azure: Subscription, given: Given) -> None:
    role = json.loads(given["--role-definition"])
    if role["Name"] in azure["roles"]:
        raise CommandError("ERROR: (RoleDefinitionWithSameNameExists) A custom role exists")
    assert role["AssignableScopes"] == [GROUP_SCOPE]
    azure["roles"][role["Name"]] = role["DataActions"]
    azure["unknown"][role["Name"]] = azure["fresh"]


def _update_role(azure: Subscription, given: Given) -> None:
    role = json.loads(given["--role-definition"])
    assert role["Name"] in azure["roles"]
    azure["roles"][role["Name"]] = role["DataActions"]


def _list_assignments(azure: Subscription, given: Given) -> Any:
    assert "--include-inherited" in given
    _group(azure, {"--resource-group": "dataset"})
    scope = given["--scope"]
    return [one for one in azure["assignments"] if scope.lower().startswith(one["scope"].lower())]


def _create_assignment(azure: Subscription, given: Given) -> None:
    role, principal = given["--role"], given["--assignee-object-id"]
    if role not in azure["roles"] or azure["unknown"].get(role):
        azure["unknown"][role] = azure["unknown"].get(role, 1) - 1
        raise CommandError(f"ERROR: Role '{role}' doesn't exist.")
    assert principal in {one["principalId"] for one in azure["identities"].values()}
    made = {
        "principalId": principal,
        "principalName": "",
        "principalType": given["--assignee-principal-type"],
        "roleDefinitionName": role,
        "scope": given["--scope"],
    }
    azure["assignments"].append({**made, "id": f"/assignments/{_number(azure)}"})


def _delete_assignment(azure: Subscription, given: Given) -> None:
    kept = [one for one in azure["assignments"] if one["id"] != given["--ids"]]
    assert len(kept) < len(azure["assignments"])
    azure["assignments"][:] = kept


# Identities


def _identity(azure: Subscription, given: Given) -> Any:
    _group(azure, given)
    name = given.get("--identity-name") or given["--name"]
    if name not in azure["identities"]:
        raise _absent(name)
    return azure["identities"][name]


def _show_identity(azure: Subscription, given: Given) -> Any:
    found = _identity(azure, given)
    if "--query" in given:
        return f"{found[given['--query']]}\n"
    return {"principalId": found["principalId"], "clientId": found["clientId"]}


def _create_identity(azure: Subscription, given: Given) -> None:
    _group(azure, given)
    assert given["--name"] not in azure["identities"]
    number = _number(azure)
    azure["identities"][given["--name"]] = {
        "principalId": f"principal-{number}",
        "clientId": f"client-{number}",
        "credentials": {},
    }


def _list_credentials(azure: Subscription, given: Given) -> Any:
    return [*_identity(azure, given)["credentials"].values()]


def _create_credential(azure: Subscription, given: Given) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9-_]{2,119}", given["--name"])
    _identity(azure, given)["credentials"][given["--name"]] = {
        "name": given["--name"],
        "subject": given["--subject"],
        "issuer": given["--issuer"],
        "audiences": [given["--audiences"]],
    }


def _delete_credential(azure: Subscription, given: Given) -> None:
    del _identity(azure, given)["credentials"][given["--name"]]


NAME, GROUP, SCOPE = ("--name",), ("--resource-group",), ("--scope",)
IN_GROUP = (*NAME, *GROUP)
OPEN = ("--allow-shared-key-access", "--allow-blob-public-access")
OF_BLOBS = ("--account-name", *GROUP)
KEPT = ("--enable-versioning", "--enable-delete-retention", "--delete-retention-days")
OF_CONTAINER = (*IN_GROUP, "--storage-account")
ASSIGNED = ("--role", "--assignee-object-id", "--assignee-principal-type", *SCOPE)
OF_CREDENTIAL = (*IN_GROUP, "--identity-name")
CLAIMS = ("--subject", "--issuer", "--audiences")
BLOBS = "storage account blob-service-properties"
# The options that a command needs, those that it knows, and what it does.
VERBS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[..., Any]]] = {
    "account show": ((), (), _login),
    "group show": (NAME, (), _group),
    "group create": ((*NAME, "--location"), (), _create_group),
    "storage account list": (("--query",), (), _list_accounts),
    "storage account show": (IN_GROUP, (), _show_account),
    "storage account create": ((*IN_GROUP, "--location", "--sku"), OPEN, _create_account),
    "storage account update": (IN_GROUP, OPEN, _update_account),
    f"{BLOBS} show": (OF_BLOBS, (), _blobs),
    f"{BLOBS} update": ((*OF_BLOBS, *KEPT), (), _update_blobs),
    "storage container-rm show": (OF_CONTAINER, (), _container),
    "storage container-rm create": (OF_CONTAINER, (), _create_container),
    "role definition list": ((*SCOPE, "--custom-role-only"), (), _list_roles),
    "role definition create": (("--role-definition",), (), _create_role),
    "role definition update": (("--role-definition",), (), _update_role),
    "role assignment list": ((*SCOPE, "--include-inherited"), (), _list_assignments),
    "role assignment create": (ASSIGNED, (), _create_assignment),
    "role assignment delete": (("--ids",), (), _delete_assignment),
    "identity show": (IN_GROUP, ("--query",), _show_identity),
    "identity create": (IN_GROUP, (), _create_identity),
    "identity federated-credential list": ((*GROUP, "--identity-name"), (), _list_credentials),
    "identity federated-credential create": ((*OF_CREDENTIAL, *CLAIMS), (), _create_credential),
    "identity federated-credential delete": (OF_CREDENTIAL, ("--yes",), _delete_credential),
}
