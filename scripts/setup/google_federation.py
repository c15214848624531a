"""How GitHub authenticates at Google Cloud: by identities of its own, so no key can leak."""

from scripts.setup.google import ACCOUNTS, Account, gcloud, grants, look
from scripts.setup.hub import variables
from scripts.setup.step import (
    FEDERATION,
    Command,
    Json,
    Look,
    Step,
    Verdict,
    Wanted,
    missing,
    wrong,
)

PROVIDER = "GCP_WORKLOAD_IDENTITY_PROVIDER"
NAME, GLOBAL = "github", "--location=global"
POOL = f"--workload-identity-pool={NAME}"
POOLS = ("iam", "workload-identity-pools")
PROVIDERS = (*POOLS, "providers")
ISSUER = "https://token.actions.githubusercontent.com"
# A name could be taken by somebody else after a rename, so the number of the repository is used.
MAPPING = {
    "google.subject": "assertion.sub",
    "attribute.event": "assertion.repository_id + ':' + assertion.event_name",
    "attribute.environment": "assertion.repository_id + ':' + assertion.ref + ':' +"
    " (has(assertion.environment) ? assertion.environment : '')",
}
USER = "roles/iam.workloadIdentityUser"


def condition(wanted: Wanted) -> str:
    """Return the condition that only tokens for runs of the repository meet."""
    return f"assertion.repository_id == '{wanted.repository_id}'"


def pool(wanted: Wanted) -> str:
    """Return the full name of the pool."""
    return f"projects/{wanted.project_number}/locations/global/workloadIdentityPools/{NAME}"


def provider(wanted: Wanted) -> str:
    """Return the full name of the provider."""
    return f"{pool(wanted)}/providers/{NAME}"


def members(account: Account, wanted: Wanted) -> list[str]:
    """Return the runs of workflows that may use an account."""
    number = wanted.repository_id
    attributes = [f"attribute.event/{number}:{event}" for event in account.events]
    if account.environment:
        place = f"{number}:refs/heads/main:{account.environment}"
        attributes.append(f"attribute.environment/{place}")
    return [f"principalSet://iam.googleapis.com/{pool(wanted)}/{one}" for one in attributes]


def _look_pool(wanted: Wanted) -> tuple[Look, ...]:
    return (look(wanted, *POOLS, "describe", NAME, GLOBAL),)


def _judge_pool(wanted: Wanted, found: Json) -> Verdict:
    if found is None:
        return missing("there is none", gcloud(wanted, *POOLS, "create", NAME, GLOBAL))
    if found.get("state") == "DELETED":
        return wrong(["it is deleted"], gcloud(wanted, *POOLS, "undelete", NAME, GLOBAL))
    enabled = gcloud(wanted, *POOLS, "update", NAME, GLOBAL, "--no-disabled")
    return wrong(["it is disabled"] if found.get("disabled") else [], enabled)


def _look_providers(wanted: Wanted) -> tuple[Look, ...]:
    return (look(wanted, *PROVIDERS, "list", GLOBAL, POOL, "--show-deleted"),)


def _judge_provider(wanted: Wanted, listed: Json) -> Verdict:
    found = next((one for one in listed or [] if one["name"].endswith(f"/{NAME}")), None)
    settings = (
        f"--issuer-uri={ISSUER}",
        f"--attribute-mapping={','.join(f'{key}={value}' for key, value in MAPPING.items())}",
        f"--attribute-condition={condition(wanted)}",
    )
    if found is None:
        made = gcloud(wanted, *PROVIDERS, "create-oidc", NAME, GLOBAL, POOL, *settings)
        return missing("there is none", made)
    mend = [gcloud(wanted, *PROVIDERS, "update-oidc", NAME, GLOBAL, POOL, *settings)]
    problems = []
    if found.get("state") == "DELETED":
        problems.append("it is deleted")
        mend.insert(0, gcloud(wanted, *PROVIDERS, "undelete", NAME, GLOBAL, POOL))
    if found.get("disabled"):
        problems.append("it is disabled")
        enabled = ("--no-disabled",)
        mend[-1] = gcloud(
            wanted, *PROVIDERS, "update-oidc", NAME, GLOBAL, POOL, *settings, *enabled
        )
    if found.get("attributeCondition") != condition(wanted):
        problems.append("its condition is not the number of this repository")
    if found.get("attributeMapping") != MAPPING:
        problems.append("its attributes differ")
    if found.get("oidc", {}).get("issuerUri") != ISSUER:
        problems.append("it does not trust GitHub's tokens, but those of another issuer")
    return wrong(problems, *mend)


def _judge_other_providers(wanted: Wanted, listed: Json) -> Verdict:
    others = [
        one["name"].rpartition("/")[2]
        for one in listed or []
        if not one["name"].endswith(f"/{NAME}") and one.get("state") != "DELETED"
    ]
    mend = (gcloud(wanted, *PROVIDERS, "delete", one, GLOBAL, POOL) for one in others)
    return wrong((f"{one} can say that it is this repository" for one in others), *mend)


def _impersonation_step(account: Account) -> Step:
    def looks(wanted: Wanted) -> tuple[Look, ...]:
        email = account.email(wanted)
        return (look(wanted, "iam", "service-accounts", "get-iam-policy", email),)

    def judge(wanted: Wanted, policy: Json) -> Verdict:
        due = [(member, USER) for member in members(account, wanted)]
        found = set(grants(policy))
        absent = [one for one in due if one not in found]
        others = sorted(found - set(due))
        mend = (
            *(_binding(wanted, account, "add", *one) for one in absent),
            *(_binding(wanted, account, "remove", *one) for one in others),
        )
        if not others and absent:
            return missing(f"not allowed: {', '.join(_short(one) for one, _ in absent)}", *mend)
        problems = [f"{_short(member)} has {role}" for member, role in others]
        return wrong([*problems, *(f"{_short(one)} may not use it" for one, _ in absent)], *mend)

    runs = "the environment " + account.environment if account.environment else "these events"
    why = f"Only runs of this repository for {runs} may use {account.name}."
    name = f"users of {account.name}"
    return Step(name, why, looks, judge, (*account.needs, FEDERATION))


def _short(member: str) -> str:
    return member.rpartition("/")[2]


def _binding(wanted: Wanted, account: Account, verb: str, member: str, role: str) -> Command:
    words = ("iam", "service-accounts", f"{verb}-iam-policy-binding", account.email(wanted))
    every = ("--all",) if verb == "remove" else ()
    return gcloud(wanted, *words, f"--role={role}", f"--member={member}", *every)


def _variables_step(account: Account) -> Step:
    return variables(
        f"variable {account.variable}",
        f"The workflows find the account {account.name} by it.",
        lambda wanted: {account.variable: account.email(wanted)},
        *account.needs,
        FEDERATION,
    )


STEPS = (
    Step(
        "identity pool",
        "It holds the identities of workflow runs.",
        _look_pool,
        _judge_pool,
        (FEDERATION,),
    ),
    Step(
        "identity provider",
        "It accepts GitHub's tokens for the number of this repository only.",
        _look_providers,
        _judge_provider,
        (FEDERATION,),
    ),
    Step(
        "other identity providers",
        "Another provider in the pool could claim the identities of this repository.",
        _look_providers,
        _judge_other_providers,
        (FEDERATION,),
        by_hand=True,
    ),
    *map(_impersonation_step, ACCOUNTS),
    variables(
        f"variable {PROVIDER}",
        "The workflows find the provider by it.",
        lambda wanted: {PROVIDER: provider(wanted)},
        FEDERATION,
    ),
    *map(_variables_step, ACCOUNTS),
)
