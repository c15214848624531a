"""Who may do what with the container at Azure: roles, identities of workflows, and all others."""

import json
import re
from dataclasses import dataclass

from scripts.setup.azure import command, container_scope, group_scope, in_group, look
from scripts.setup.google_federation import ISSUER
from scripts.setup.hub import values, variables_of
from scripts.setup.identities import IDENTITIES, Identity
from scripts.setup.step import (
    CREATES,
    DELETES,
    GC,
    Command,
    Json,
    Look,
    Step,
    Verdict,
    Wanted,
    gh,
    missing,
    right,
    wrong,
)

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
AUDIENCE = "api://AzureADTokenExchange"
# Roles of Azure that can overwrite or delete.
WRITERS = {"Storage Blob Data Owner", "Storage Blob Data Contributor"}
READING = f"{BLOBS}/read"
PEOPLE = {"User", "Group"}


@dataclass(frozen=True)
class CustomRole:
    """A role with just the data actions that an identity needs."""

    title: str
    actions: frozenset[str]
    why: str
    needs: tuple[str, ...] = ()

    def name(self, wanted: Wanted) -> str:
        """Return a name that no other repository uses: a tenant has each name once."""
        return f"{self.title} {wanted.repository_id}"


# `blobs/write` could overwrite, so it is not one of them.
WRITER = CustomRole(
    "Dataset writer",
    frozenset({READING, f"{BLOBS}/add/action"}),
    CREATES,
)
COLLECTOR = CustomRole(
    "Dataset collector",
    frozenset({READING, f"{BLOBS}/delete"}),
    DELETES,
    (GC,),
)


def variable(identity: Identity) -> str:
    """Return the name of the variable with the client of an identity."""
    return identity.variable("AZURE", "CLIENT")


def _role(identity: Identity) -> CustomRole:
    return COLLECTOR if identity.deletes else WRITER


def _roles(wanted: Wanted) -> Look:
    custom = ("--custom-role-only", "true", "--scope", group_scope(wanted))
    return look(wanted, "role", "definition", "list", *custom)


def _assignments(wanted: Wanted) -> Look:
    there = ("--scope", container_scope(wanted), "--include-inherited")
    return look(wanted, "role", "assignment", "list", *there)


def _allowed(role: Json) -> set[str]:
    """Return the actions of a role, also those on the account itself."""
    permissions = role["permissions"]
    return {
        one for x in permissions for kind in ("actions", "dataActions") for one in x[kind] or []
    }


def _role_step(role: CustomRole) -> Step:
    def judge(wanted: Wanted, listed: Json) -> Verdict:
        name = role.name(wanted)
        content = {
            "Name": name,
            "AssignableScopes": [group_scope(wanted)],
            "Actions": [],
            "DataActions": sorted(role.actions),
        }
        text = ("--role-definition", json.dumps(content, separators=(",", ":")))
        found = next((one for one in listed or [] if one["roleName"] == name), None)
        if found is None:
            return missing("there is none", command(wanted, "role", "definition", "create", *text))
        has = _allowed(found)
        more, less = sorted(has - role.actions), sorted(role.actions - has)
        problems = (
            *([f"it also has {', '.join(more)}"] if more else ()),
            *([f"it lacks {', '.join(less)}"] if less else ()),
        )
        return wrong(problems, command(wanted, "role", "definition", "update", *text))

    name = f"role {role.title}"
    return Step(name, role.why, lambda wanted: (_roles(wanted),), judge, role.needs)


def _named(identity: Identity, wanted: Wanted, option: str = "--name") -> tuple[str, ...]:
    return option, identity.full_name(wanted), *in_group(wanted)


def _identity(identity: Identity, wanted: Wanted) -> Look:
    return look(wanted, "identity", "show", *_named(identity, wanted))


def _asked(identity: Identity, wanted: Wanted, what: str) -> tuple[str, ...]:
    """Return the command that prints what Azure chooses when it makes an identity."""
    named = _named(identity, wanted)
    return command(wanted, "identity", "show", *named, "--query", what, "--output", "tsv").words


def _identity_step(identity: Identity) -> Step:
    def judge(wanted: Wanted, found: Json) -> Verdict:
        made = command(wanted, "identity", "create", *_named(identity, wanted))
        return right() if found else missing("there is none", made)

    name = f"identity {identity.name}"
    return Step(name, identity.why, lambda x: (_identity(identity, x),), judge, identity.needs)


def _users_step(identity: Identity) -> Step:
    of_identity = ("identity", "federated-credential")

    def looks(wanted: Wanted) -> tuple[Look, ...]:
        return (look(wanted, *of_identity, "list", *_named(identity, wanted, "--identity-name")),)

    def change(wanted: Wanted, verb: str, name: str, *words: str) -> Command:
        named = _named(identity, wanted, "--identity-name")
        return command(wanted, *of_identity, verb, "--name", name, *named, *words)

    def judge(wanted: Wanted, listed: Json) -> Verdict:
        due = {_credential(subject): subject for subject in identity.subjects(wanted)}
        found = {one["name"]: one for one in listed or []}
        good = {name for name, one in found.items() if _is_due(one, due.get(name))}
        others = [one for name, one in found.items() if name not in good]
        absent = [name for name in due if name not in good]
        mend = [change(wanted, "delete", one["name"], "--yes") for one in others]
        for name in absent:
            what = ("--subject", due[name], "--issuer", ISSUER, "--audiences", AUDIENCE)
            mend.append(change(wanted, "create", name, *what))
        if absent and not others:
            return missing(f"not allowed: {', '.join(due[name] for name in absent)}", *mend)
        problems = [f"{_who(one)} may use it" for one in others]
        return wrong([*problems, *(f"{due[name]} may not use it" for name in absent)], *mend)

    why = f"Only certain runs of this repository may use the identity {identity.name}."
    return Step(f"users of {identity.name}", why, looks, judge, identity.needs)


def _credential(subject: str) -> str:
    """Return the name of the credential for a subject, which needs at least three characters."""
    return re.sub(r"\W", "-", subject.split(":", 2)[2])


def _is_due(credential: Json, subject: str | None) -> bool:
    has = (credential.get("subject"), credential["issuer"], credential["audiences"])
    return subject is not None and has == (subject, ISSUER, [AUDIENCE])


def _who(credential: Json) -> str:
    # In place of one subject, a credential can have an expression that fits several.
    expression = (credential.get("claimsMatchingExpression") or {}).get("value")
    return f"{credential.get('subject') or expression} of {credential['issuer']}"


def _access_step(identity: Identity) -> Step:
    role = _role(identity)

    def judge(wanted: Wanted, found: Json, listed: Json) -> Verdict:
        scope, name = container_scope(wanted), role.name(wanted)
        principal = (found or {}).get("principalId")
        its = [one for one in listed or [] if one["principalId"] == principal]
        due = [one for one in its if _is(one, name, scope)]
        others = [one for one in its if one not in due]
        who = ("--assignee-object-id", "{}", "--assignee-principal-type", "ServicePrincipal")
        words = ("role", "assignment", "create", "--role", name, *who, "--scope", scope)
        add = command(wanted, *words, given=_asked(identity, wanted, "principalId"))
        mend = [*([] if due else [add]), *(_without(wanted, one) for one in others)]
        if not due and not others:
            return missing(f"it does not have {role.title}", *mend)
        problems = [f"it also has {one['roleDefinitionName']} on {one['scope']}" for one in others]
        return wrong([*problems, *([] if due else [f"it does not have {role.title}"])], *mend)

    return Step(
        f"access of {identity.name}",
        f"It has {role.title} on the container, and nothing else.",
        lambda wanted: (_identity(identity, wanted), _assignments(wanted)),
        judge,
        identity.needs,
    )


def _is(assignment: Json, role: str, scope: str) -> bool:
    # Azure does not distinguish upper and lower case in the names of scopes.
    has = (assignment["roleDefinitionName"], assignment["scope"].lower())
    return has == (role, scope.lower())


def _without(wanted: Wanted, assignment: Json) -> Command:
    return command(wanted, "role", "assignment", "delete", "--ids", assignment["id"])


def _judge_others(wanted: Wanted, roles: Json, assignments: Json, *identities: Json) -> Verdict:
    ours = {one["principalId"] for one in identities if one}
    wide = {one["roleName"] for one in roles or [] if _allowed(one) - {READING}} | WRITERS
    others = [
        one
        for one in assignments or []
        if one["principalId"] not in ours
        and one["roleDefinitionName"] in wide
        # People who ingest on their own machine.
        and not (
            one.get("principalType") in PEOPLE and one["roleDefinitionName"] == WRITER.name(wanted)
        )
    ]
    problems = (
        f"{one.get('principalName') or one['principalId']} has {one['roleDefinitionName']}"
        for one in others
    )
    return wrong(problems, *(_without(wanted, one) for one in others))


def _variable_step(identity: Identity) -> Step:
    name = variable(identity)

    def judge(wanted: Wanted, listed: Json, found: Json) -> Verdict:
        has = values(listed).get(name)
        words = ("variable", "set", name, "--body", "{}", "--repo", wanted.repository)
        mend = Command(gh(*words).words, given=_asked(identity, wanted, "clientId"))
        if has is None:
            return missing(f"not set: {name}", mend)
        due = (found or {}).get("clientId")
        return wrong([f"{name} is {has!r}, not {due!r}"] if has != due else [], mend)

    return Step(
        f"variable {name}",
        f"The workflows find the identity {identity.name} by it.",
        lambda wanted: (variables_of(wanted), _identity(identity, wanted)),
        judge,
        identity.needs,
    )


STEPS = (
    *map(_role_step, (WRITER, COLLECTOR)),
    *map(_identity_step, IDENTITIES),
    *map(_users_step, IDENTITIES),
    *map(_access_step, IDENTITIES),
    Step(
        "others who can write",
        "What somebody else writes to the container or deletes there is not checked by anything.",
        lambda wanted: (
            _roles(wanted),
            _assignments(wanted),
            *(_identity(one, wanted) for one in IDENTITIES),
        ),
        _judge_others,
        by_hand=True,
    ),
    *map(_variable_step, IDENTITIES),
)
