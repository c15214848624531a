"""What is set up at Amazon Web Services for every workflow: the bucket and GitHub's tokens."""

import json

from scripts.setup.google_federation import ISSUER
from scripts.setup.hub import variables
from scripts.setup.identities import HOST
from scripts.setup.step import Command, Json, Look, Step, Verdict, Wanted, missing, right, wrong

REGION = "AWS_REGION"
AUDIENCE = "sts.amazonaws.com"
# The one region that cannot be named when a bucket is made.
DEFAULT_REGION = "us-east-1"
OWNER_ONLY = "BucketOwnerEnforced"
PRIVATE = (
    *("BlockPublicAcls", "IgnorePublicAcls"),
    *("BlockPublicPolicy", "RestrictPublicBuckets"),
)
LOGIN = Look(("aws", "sts", "get-caller-identity", "--output", "json"))
# Without these conditions, an object could be overwritten.
CREATES_ONLY = {"Null": {"s3:if-none-match": "false"}}
READS = ("s3:get", "s3:list")


def command(*words: str) -> Command:
    """Return a command of Amazon's command line."""
    return Command(("aws", *words))


def look(*words: str) -> Look:
    """Return what reads something with Amazon's command line."""
    return Look((*command(*words).words, "--output", "json"))


def of_bucket(wanted: Wanted, verb: str) -> Look:
    """Return the look at a setting of the bucket."""
    return look("s3api", verb, "--bucket", wanted.bucket)


def location(wanted: Wanted) -> Look:
    """Return the look at where the bucket is."""
    return of_bucket(wanted, "get-bucket-location")


def region_of(found: Json) -> str:
    """Return the region of a bucket; none is named for the oldest one."""
    return found["LocationConstraint"] or DEFAULT_REGION


def listed(value: Json) -> list[Json]:
    """Return one value, or several, as a list."""
    return value if isinstance(value, list) else [value]


def too_much(statement: Json) -> list[str]:
    """Return the actions that a statement allows beyond reading and creating objects."""
    if statement["Effect"] != "Allow":
        return []
    creates = statement.get("Condition") == CREATES_ONLY
    return [
        f"{action} without its condition" if action == "s3:PutObject" else action
        for action in listed(statement.get("Action", "*"))
        if not action.lower().startswith(READS)
        and not (action == "s3:PutObject" and creates)
        # An encrypted bucket needs them.
        and action not in {"kms:Decrypt", "kms:GenerateDataKey"}
    ]


def _set(wanted: Wanted, verb: str, *words: str) -> Command:
    return command("s3api", verb, "--bucket", wanted.bucket, *words)


def _judge_bucket(wanted: Wanted, where: Json, versioning: Json, ownership: Json) -> Verdict:
    version = _set(wanted, "put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
    if where is None:
        where_to = ["--region", wanted.location]
        if wanted.location != DEFAULT_REGION:
            place = f"LocationConstraint={wanted.location}"
            where_to += ["--create-bucket-configuration", place]
        made = _set(wanted, "create-bucket", "--object-ownership", OWNER_ONLY, *where_to)
        return missing("there is none", made, version)
    problems, mend = [], []
    if (versioning or {}).get("Status") != "Enabled":
        problems.append("it keeps no older versions of objects")
        mend.append(version)
    rules = (ownership or {}).get("OwnershipControls", {}).get("Rules", [])
    if [one["ObjectOwnership"] for one in rules] != [OWNER_ONLY]:
        problems.append("objects have permissions of their own")
        rule = f"Rules=[{{ObjectOwnership={OWNER_ONLY}}}]"
        mend.append(_set(wanted, "put-bucket-ownership-controls", "--ownership-controls", rule))
    return wrong(problems, *mend)


def _judge_public(wanted: Wanted, where: Json, block: Json, status: Json) -> Verdict:
    if where is None:
        return missing("there is no bucket", _private(wanted))
    if (status or {}).get("PolicyStatus", {}).get("IsPublic"):
        return right("everybody can read the bucket")
    has = (block or {}).get("PublicAccessBlockConfiguration", {})
    problems = [] if all(map(has.get, PRIVATE)) else ["the bucket could be made public by mistake"]
    return wrong(problems, _private(wanted))


def _private(wanted: Wanted) -> Command:
    settings = ",".join(f"{one}=true" for one in PRIVATE)
    verb = "put-public-access-block"
    return _set(wanted, verb, "--public-access-block-configuration", settings)


def _judge_others(wanted: Wanted, found: Json) -> Verdict:
    policy = json.loads(found["Policy"]) if found else {"Statement": []}
    statements = listed(policy["Statement"])
    wide = [one for one in statements if too_much(one)]
    kept = [one for one in statements if one not in wide]
    text = json.dumps({**policy, "Statement": kept}, separators=(",", ":"))
    narrow = _set(wanted, "put-bucket-policy", "--policy", text)
    problems = (
        f"its policy allows {', '.join(too_much(one))} for {json.dumps(one.get('Principal'))}"
        for one in wide
    )
    return wrong(problems, narrow if kept else _set(wanted, "delete-bucket-policy"))


def provider(wanted: Wanted) -> str:
    """Return the full name of the provider of GitHub's tokens."""
    return f"arn:aws:iam::{wanted.account}:oidc-provider/{HOST}"


def _look_provider(wanted: Wanted) -> tuple[Look, ...]:
    name = ("--open-id-connect-provider-arn", provider(wanted))
    return (look("iam", "get-open-id-connect-provider", *name),)


def _judge_provider(wanted: Wanted, found: Json) -> Verdict:
    if found is None:
        what = ("--url", ISSUER, "--client-id-list", AUDIENCE)
        return missing("there is none", command("iam", "create-open-id-connect-provider", *what))
    name = ("--open-id-connect-provider-arn", provider(wanted), "--client-id", AUDIENCE)
    add = command("iam", "add-client-id-to-open-id-connect-provider", *name)
    known = AUDIENCE in found.get("ClientIDList", [])
    return wrong([] if known else [f"it does not accept tokens for {AUDIENCE}"], add)


STEPS = (
    Step(
        "bucket",
        "It keeps the objects of all releases; older versions of them can be restored.",
        lambda wanted: (
            location(wanted),
            of_bucket(wanted, "get-bucket-versioning"),
            of_bucket(wanted, "get-bucket-ownership-controls"),
        ),
        _judge_bucket,
    ),
    Step(
        "public access",
        "The bucket is private, unless you made it public.",
        lambda wanted: (
            location(wanted),
            of_bucket(wanted, "get-public-access-block"),
            of_bucket(wanted, "get-bucket-policy-status"),
        ),
        _judge_public,
    ),
    Step(
        "others who can write",
        "What somebody else writes to the bucket or deletes there is not checked by anything.",
        lambda wanted: (of_bucket(wanted, "get-bucket-policy"),),
        _judge_others,
        by_hand=True,
    ),
    Step(
        "identity provider",
        "With it, roles can trust GitHub's tokens, so there is no key that could leak.",
        _look_provider,
        _judge_provider,
    ),
    variables(
        f"variable {REGION}",
        "The workflows find the bucket by it.",
        lambda wanted: {REGION: wanted.location},
    ),
)
