"""The roles of the workflows at Amazon Web Services: who may use them, and what they may do."""

import json

from scripts.setup.aws import AUDIENCE, CREATES_ONLY, command, listed, look, provider, too_much
from scripts.setup.hub import variables
from scripts.setup.identities import HOST, IDENTITIES, Identity
from scripts.setup.step import (
    CREATES,
    DELETES,
    Command,
    Json,
    Look,
    Step,
    Verdict,
    Wanted,
    missing,
    wrong,
)

# As long as the longest job.
SESSION_SECONDS = 6 * 60 * 60
SUBJECT = f"{HOST}:sub"
POLICY = "dataset"


def trust(identity: Identity, wanted: Wanted) -> Json:
    """Return the policy that lets only certain runs of the repository use a role."""
    due = {f"{HOST}:aud": AUDIENCE, SUBJECT: identity.subjects(wanted)}
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider(wanted)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": due},
        }
    )


def policy(identity: Identity, wanted: Wanted) -> Json:
    """Return the policy of a role: to create and read objects, or to read and delete them."""
    bucket = f"arn:aws:s3:::{wanted.bucket}"
    objects = f"{bucket}/*"
    change: dict[str, Json] = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": objects}
    change |= {"Action": "s3:DeleteObject"} if identity.deletes else {"Condition": CREATES_ONLY}
    return _document(
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects},
        change,
    )


def _document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def _arn(identity: Identity, wanted: Wanted) -> str:
    return f"arn:aws:iam::{wanted.account}:role/{identity.full_name(wanted)}"


def _of_role(identity: Identity, wanted: Wanted, verb: str, *words: str) -> Command:
    return command("iam", verb, "--role-name", identity.full_name(wanted), *words)


def _text(document: Json) -> str:
    return json.dumps(document, separators=(",", ":"))


def _plain(value: Json) -> Json:
    """Return a part of a policy in one form: a list of one is the same as the one."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key != "Sid"}
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else sorted(map(_plain, value), key=repr)
    return value


def _different(found: Json, due: Json) -> tuple[list[Json], list[Json]]:
    """Return the statements that only one, and only the other of two policies has."""
    ours, theirs = (
        [_plain(one) for one in listed(document["Statement"])] for document in (due, found)
    )
    more = [one for one in theirs if one not in ours]
    return more, [one for one in ours if one not in theirs]


def _role_step(identity: Identity) -> Step:
    def looks(wanted: Wanted) -> tuple[Look, ...]:
        return (look("iam", "get-role", "--role-name", identity.full_name(wanted)),)

    def judge(wanted: Wanted, found: Json) -> Verdict:
        text = _text(trust(identity, wanted))
        lasts = ("--max-session-duration", str(SESSION_SECONDS))
        if found is None:
            trusts = ("--assume-role-policy-document", text)
            return missing(
                "there is none", _of_role(identity, wanted, "create-role", *lasts, *trusts)
            )
        role, problems, mend = found["Role"], [], []
        if role["MaxSessionDuration"] < SESSION_SECONDS:
            problems.append("a login ends before the longest job")
            mend.append(_of_role(identity, wanted, "update-role", *lasts))
        more, less = _different(role["AssumeRolePolicyDocument"], trust(identity, wanted))
        problems += [f"it trusts {_trusted(one)}" for one in more]
        problems += ["it does not trust its runs"] if less else []
        if more or less:
            words = ("--policy-document", text)
            mend.append(_of_role(identity, wanted, "update-assume-role-policy", *words))
        return wrong(problems, *mend)

    why = f"Only certain runs of this repository may use it. {identity.why}"
    return Step(f"role {identity.name}", why, looks, judge, identity.needs)


def _trusted(statement: Json) -> str:
    """Return whom a statement trusts."""
    principal = statement.get("Principal")
    if HOST not in str(principal):
        return json.dumps(principal)
    conditions = statement.get("Condition", {})
    found = [one[SUBJECT] for one in conditions.values() if SUBJECT in one]
    return ", ".join(str(name) for one in found for name in listed(one)) or "every repository"


def _access_step(identity: Identity) -> Step:
    def looks(_: Wanted) -> tuple[Look, ...]:
        return (look("iam", "get-account-authorization-details", "--filter", "Role"),)

    def judge(wanted: Wanted, found: Json) -> Verdict:
        name, due = identity.full_name(wanted), policy(identity, wanted)
        put = ("--policy-name", POLICY, "--policy-document", _text(due))
        set_due = _of_role(identity, wanted, "put-role-policy", *put)
        roles = (found or {}).get("RoleDetailList", [])
        role: Json = next((one for one in roles if one["RoleName"] == name), {})
        inline = {
            one["PolicyName"]: one["PolicyDocument"] for one in role.get("RolePolicyList", [])
        }
        problems, mend = [], []
        for other, document in inline.items():
            # Another policy may read the images that are ingested.
            wide = [action for one in listed(document["Statement"]) for action in too_much(one)]
            if other != POLICY and wide:
                problems.append(f"its policy {other} allows {', '.join(wide)}")
                mend.append(
                    _of_role(identity, wanted, "delete-role-policy", "--policy-name", other)
                )
        for one in role.get("AttachedManagedPolicies", []):
            problems.append(f"it also has {one['PolicyName']}")
            words = ("--policy-arn", one["PolicyArn"])
            mend.append(_of_role(identity, wanted, "detach-role-policy", *words))
        if POLICY not in inline and not problems:
            return missing("it may do nothing", set_due)
        differences = _problems(inline.get(POLICY, _document()), due)
        return wrong(problems + differences, *([set_due] if differences else ()), *mend)

    why = DELETES if identity.deletes else CREATES
    return Step(f"access of {identity.name}", why, looks, judge, identity.needs)


def _problems(found: Json, due: Json) -> list[str]:
    """Return how a policy differs from what it should be."""
    more, less = _different(found, due)
    wide = [action for one in more for action in too_much(one)]
    if wide:
        return [f"it allows {', '.join(wide)}"]
    return ["its rights are not those it should have"] if more or less else []


def _variable_step(identity: Identity) -> Step:
    name = variable(identity)
    why = f"The workflows find the role {identity.name} by it."
    return variables(
        f"variable {name}", why, lambda wanted: {name: _arn(identity, wanted)}, *identity.needs
    )


def variable(identity: Identity) -> str:
    """Return the name of the variable with the role of an identity."""
    return identity.variable("AWS", "ROLE")


STEPS = (
    *map(_role_step, IDENTITIES),
    *map(_access_step, IDENTITIES),
    *map(_variable_step, IDENTITIES),
)
