"""The environments whose secrets and accounts only runs on main can use."""

from scripts.git.git import MAIN
from scripts.setup.hub import RELEASE, path, send
from scripts.setup.step import (
    GC,
    INGEST,
    Json,
    Look,
    Step,
    Verdict,
    Wanted,
    gh,
    look_gh,
    missing,
    wrong,
)

MAIN_ONLY = {
    "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}
}


def environment(name: str, why: str, *needs: str) -> Step:
    """Return the step that makes an environment which only runs on main can use."""

    def looks(wanted: Wanted) -> tuple[Look, ...]:
        here = path(wanted, "environments")
        return (
            look_gh("api", f"{here}?per_page=100"),
            look_gh("api", f"{here}/{name}/deployment-branch-policies?per_page=100"),
        )

    def judge(wanted: Wanted, listed: Json, policies: Json) -> Verdict:
        made = (listed or {}).get("environments", [])
        found = next((one for one in made if one["name"] == name), None)
        here = path(wanted, "environments", name)
        below = f"{here}/deployment-branch-policies"
        add = gh("api", below, "--method", "POST", "-f", f"name={MAIN}")
        if found is None:
            return missing("there is none", send(here, "PUT", MAIN_ONLY), add)
        mend, problems = [], []
        if found["deployment_branch_policy"] != MAIN_ONLY["deployment_branch_policy"]:
            problems.append("every branch can use it")
            mend.append(send(here, "PUT", {**_protection(found), **MAIN_ONLY}))
        allowed = (policies or {}).get("branch_policies", [])
        other = [one for one in allowed if not _is_main(one)]
        if other:
            problems.append(f"it can also be used by {', '.join(one['name'] for one in other)}")
            mend += [gh("api", f"{below}/{one['id']}", "--method", "DELETE") for one in other]
        if not any(map(_is_main, allowed)):
            problems.append("main cannot use it")
            mend.append(add)
        return wrong(problems, *mend)

    return Step(f"environment {name}", why, looks, judge, needs)


def _is_main(policy: Json) -> bool:
    return bool(policy["name"] == MAIN and policy.get("type", "branch") == "branch")


def _protection(found: Json) -> dict[str, Json]:
    """Return the protection of an environment that a change of its branches must repeat."""
    kept: dict[str, Json] = {}
    for rule in found.get("protection_rules", []):
        if rule["type"] == "wait_timer":
            kept["wait_timer"] = rule["wait_timer"]
        if rule["type"] == "required_reviewers":
            people = rule["reviewers"]
            kept["reviewers"] = [{"type": x["type"], "id": x["reviewer"]["id"]} for x in people]
            kept["prevent_self_review"] = rule.get("prevent_self_review", False)
    return kept


STEPS = (
    environment(
        RELEASE,
        "Only runs on main can read the secrets of the release; otherwise any branch could.",
    ),
    environment(INGEST, "Only runs on main can read your images and write to the bucket.", INGEST),
    environment(GC, "Only runs on main can delete objects in the bucket.", GC),
)
