"""The stand-in for `aws`: a made account."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from tests.doubles.cloud_parts import CommandError, parsed, refuse_others

ACCOUNT = "123456789012"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
Account = dict[str, Any]
Given = dict[str, str]


def new() -> Account:
    return {
        "login": True,
        "account": ACCOUNT,
        # Of these services, nothing can be seen.
        "forbidden": [],
        "buckets": {},
        "providers": {},
        "roles": {},
    }


def run(state: dict[str, Any], words: Sequence[str], _: str) -> str:
    account: Account = state["aws"]
    if not account["login"]:
        raise CommandError("Unable to locate credentials. You can configure credentials by running")
    (service, verb), options = parsed(words)
    known = VERBS.get((service, verb))
    if known is None:
        raise CommandError(f"aws: error: argument operation: Invalid choice: {verb!r}")
    if service in account["forbidden"]:
        raise _refused(verb, "AccessDenied", f"User is not authorized to perform: {service}:{verb}")
    options.pop("--output", None)
    needed, do = known
    refuse_others(options, *needed, "--create-bucket-configuration")
    given = {name: values[0] for name, values in options.items()}
    if absent := {*needed} - given.keys():
        raise CommandError(f"aws: error: the following arguments are required: {sorted(absent)}")
    made = do(account, given)
    return "" if made is None else json.dumps(made)


def _refused(verb: str, code: str, text: str) -> CommandError:
    operation = "".join(map(str.capitalize, verb.split("-")))
    return CommandError(
        f"An error occurred ({code}) when calling the {operation} operation: {text}"
    )


def _login(account: Account, _: Given) -> Any:
    who = f"arn:aws:iam::{account['account']}:user/ada"
    return {"UserId": "AIDA", "Account": account["account"], "Arn": who}


# Buckets


def _bucket(account: Account, given: Given) -> dict[str, Any]:
    name = given["--bucket"]
    if name not in account["buckets"]:
        raise _refused("bucket", "NoSuchBucket", "The specified bucket does not exist")
    found: dict[str, Any] = account["buckets"][name]
    return found


def _location(account: Account, given: Given) -> Any:
    region = _bucket(account, given)["region"]
    return {"LocationConstraint": None if region == "us-east-1" else region}


def _create_bucket(account: Account, given: Given) -> Any:
    name, region = given["--bucket"], given["--region"]
    if name in account["buckets"]:
        raise _refused("create-bucket", "BucketAlreadyOwnedByYou", "you already own it")
    there = {} if region == "us-east-1" else {"LocationConstraint": region}
    assert dict(_pairs(given.get("--create-bucket-configuration", ""))) == there
    # Access is blocked for all buckets since April 2023.
    account["buckets"][name] = {
        "region": region,
        "versioning": None,
        "ownership": given["--object-ownership"],
        "block": dict.fromkeys(BLOCK, True),
        "policy": None,
    }
    return {"Location": f"http://{name}.s3.amazonaws.com/"}


BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _pairs(text: str) -> list[tuple[str, str]]:
    return re.findall(r"(\w+)=([\w-]+)", text)


def _versioning(account: Account, given: Given) -> Any:
    status = _bucket(account, given)["versioning"]
    return {"Status": status} if status else None


def _put_versioning(account: Account, given: Given) -> None:
    ((_, status),) = _pairs(given["--versioning-configuration"])
    _bucket(account, given)["versioning"] = status


def _ownership(account: Account, given: Given) -> Any:
    found = _bucket(account, given)["ownership"]
    if not found:
        code = "OwnershipControlsNotFoundError"
        raise _refused("get", code, "The bucket ownership controls were not found")
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": found}]}}


def _put_ownership(account: Account, given: Given) -> None:
    found = re.fullmatch(r"Rules=\[\{ObjectOwnership=(\w+)\}\]", given["--ownership-controls"])
    assert found
    _bucket(account, given)["ownership"] = found[1]


def _block(account: Account, given: Given) -> Any:
    found = _bucket(account, given)["block"]
    if not found:
        code = "NoSuchPublicAccessBlockConfiguration"
        raise _refused("get", code, "The public access block configuration was not found")
    return {"PublicAccessBlockConfiguration": found}


def _put_block(account: Account, given: Given) -> None:
    pairs = _pairs(given["--public-access-block-configuration"])
    _bucket(account, given)["block"] = {name: value == "true" for name, value in pairs}


def _policy(account: Account, given: Given) -> Any:
    found = _bucket(account, given)["policy"]
    if not found:
        raise _refused("get", "NoSuchBucketPolicy", "The bucket policy does not exist")
    return {"Policy": json.dumps(found)}


def _policy_status(account: Account, given: Given) -> Any:
    policy = json.loads(_policy(account, given)["Policy"])
    return {"PolicyStatus": {"IsPublic": any(x["Principal"] == "*" for x in policy["Statement"])}}


def _put_policy(account: Account, given: Given) -> None:
    _bucket(account, given)["policy"] = json.loads(given["--policy"])


def _delete_policy(account: Account, given: Given) -> None:
    _bucket(account, given)["policy"] = None


# Providers and roles


def _provider(account: Account, given: Given) -> Any:
    arn = given["--open-id-connect-provider-arn"]
    if arn not in account["providers"]:
        raise _refused("get", "NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}")
    return account["providers"][arn]


def _create_provider(account: Account, given: Given) -> Any:
    url = given["--url"].removeprefix("https://")
    arn = f"arn:aws:iam::{account['account']}:oidc-provider/{url}"
    if arn in account["providers"]:
        raise _refused("create", "EntityAlreadyExists", "Provider already exists")
    account["providers"][arn] = {"Url": url, "ClientIDList": [given["--client-id-list"]]}
    return {"OpenIDConnectProviderArn": arn}


def _add_client(account: Account, given: Given) -> None:
    _provider(account, given)["ClientIDList"].append(given["--client-id"])


def _role(account: Account, given: Given) -> Any:
    name = given["--role-name"]
    if name not in account["roles"]:
        text = f"The role with name {name} cannot be found."
        raise _refused("get-role", "NoSuchEntity", text)
    return account["roles"][name]


def _get_role(account: Account, given: Given) -> Any:
    role = _role(account, given)
    return {
        "Role": {
            "RoleName": given["--role-name"],
            "AssumeRolePolicyDocument": role["trust"],
            "MaxSessionDuration": role["seconds"],
        }
    }


def _create_role(account: Account, given: Given) -> None:
    name = given["--role-name"]
    if name in account["roles"]:
        raise _refused("create-role", "EntityAlreadyExists", f"Role with name {name} exists.")
    account["roles"][name] = {
        "trust": json.loads(given["--assume-role-policy-document"]),
        "seconds": int(given["--max-session-duration"]),
        "inline": {},
        "attached": [],
    }


def _update_role(account: Account, given: Given) -> None:
    _role(account, given)["seconds"] = int(given["--max-session-duration"])


def _update_trust(account: Account, given: Given) -> None:
    _role(account, given)["trust"] = json.loads(given["--policy-document"])


def _put_role_policy(account: Account, given: Given) -> None:
    document = json.loads(given["--policy-document"])
    _role(account, given)["inline"][given["--policy-name"]] = document


def _delete_role_policy(account: Account, given: Given) -> None:
    del _role(account, given)["inline"][given["--policy-name"]]


def _detach(account: Account, given: Given) -> None:
    _role(account, given)["attached"].remove(given["--policy-arn"])


def _details(account: Account, given: Given) -> Any:
    assert given["--filter"] == "Role"
    roles = [
        {
            "RoleName": name,
            "RolePolicyList": [
                {"PolicyName": policy, "PolicyDocument": document}
                for policy, document in role["inline"].items()
            ],
            "AttachedManagedPolicies": [
                {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in role["attached"]
            ],
        }
        for name, role in account["roles"].items()
    ]
    return {"UserDetailList": [], "RoleDetailList": roles, "Policies": []}


BUCKET, ROLE, ARN = ("--bucket",), ("--role-name",), ("--open-id-connect-provider-arn",)
DOCUMENT, NAMED, SECONDS = "--policy-document", "--policy-name", "--max-session-duration"
VERBS: dict[tuple[str, str], tuple[tuple[str, ...], Callable[..., Any]]] = {
    ("sts", "get-caller-identity"): ((), _login),
    ("s3api", "get-bucket-location"): (BUCKET, _location),
    ("s3api", "create-bucket"): ((*BUCKET, "--region", "--object-ownership"), _create_bucket),
    ("s3api", "get-bucket-versioning"): (BUCKET, _versioning),
    ("s3api", "put-bucket-versioning"): (
        (*BUCKET, "--versioning-configuration"),
        _put_versioning,
    ),
    ("s3api", "get-bucket-ownership-controls"): (BUCKET, _ownership),
    ("s3api", "put-bucket-ownership-controls"): (
        (*BUCKET, "--ownership-controls"),
        _put_ownership,
    ),
    ("s3api", "get-public-access-block"): (BUCKET, _block),
    ("s3api", "put-public-access-block"): (
        (*BUCKET, "--public-access-block-configuration"),
        _put_block,
    ),
    ("s3api", "get-bucket-policy"): (BUCKET, _policy),
    ("s3api", "get-bucket-policy-status"): (BUCKET, _policy_status),
    ("s3api", "put-bucket-policy"): ((*BUCKET, "--policy"), _put_policy),
    ("s3api", "delete-bucket-policy"): (BUCKET, _delete_policy),
    ("iam", "get-open-id-connect-provider"): (ARN, _provider),
    ("iam", "create-open-id-connect-provider"): (("--url", "--client-id-list"), _create_provider),
    ("iam", "add-client-id-to-open-id-connect-provider"): ((*ARN, "--client-id"), _add_client),
    ("iam", "get-role"): (ROLE, _get_role),
    ("iam", "create-role"): ((*ROLE, SECONDS, "--assume-role-policy-document"), _create_role),
    ("iam", "update-role"): ((*ROLE, SECONDS), _update_role),
    ("iam", "update-assume-role-policy"): ((*ROLE, DOCUMENT), _update_trust),
    ("iam", "put-role-policy"): ((*ROLE, NAMED, DOCUMENT), _put_role_policy),
    ("iam", "delete-role-policy"): ((*ROLE, NAMED), _delete_role_policy),
    ("iam", "detach-role-policy"): ((*ROLE, "--policy-arn"), _detach),
    ("iam", "get-account-authorization-details"): (("--filter",), _details),
}
