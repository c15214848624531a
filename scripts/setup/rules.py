"""The rules of main, of the branch stable, and of the tags of releases."""

from collections.abc import Iterator
from typing import NamedTuple

from scripts.setup.hub import path, send
from scripts.setup.step import Json, Look, State, Step, Verdict, Wanted, look_gh, missing, wrong

CHECKS = ("Dataset passed", "CI passed")
# GitHub Actions: no other app can report the required checks.
ACTIONS_APP = 15368
METHODS = ["merge", "squash"]
DEPLOY_KEYS = [{"actor_type": "DeployKey", "bypass_mode": "always"}]
PULL_REQUEST, STATUS_CHECKS = "pull_request", "required_status_checks"


class Ruleset(NamedTuple):
    """A set of rules: its name, what it protects, and from what."""

    name: str
    target: str
    ref: str
    rules: tuple[str, ...]


UNTOUCHED = ("creation", "update", "deletion")
MAIN = Ruleset(
    "main",
    "branch",
    "~DEFAULT_BRANCH",
    ("deletion", "non_fast_forward", PULL_REQUEST, STATUS_CHECKS),
)
STABLE = Ruleset("stable", "branch", "refs/heads/stable", UNTOUCHED)
RELEASES = Ruleset("releases", "tag", "refs/tags/v*", UNTOUCHED)


def content(ruleset: Ruleset, *, is_alone: bool) -> dict[str, Json]:
    """Return a ruleset as GitHub's API takes it.

    Who works alone needs no approval: otherwise nobody could merge their pull requests.
    """
    return {
        "name": ruleset.name,
        "target": ruleset.target,
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [ruleset.ref], "exclude": []}},
        "bypass_actors": DEPLOY_KEYS,
        "rules": [_rule(kind, is_alone=is_alone) for kind in ruleset.rules],
    }


def _rule(kind: str, *, is_alone: bool) -> dict[str, Json]:
    parameters: dict[str, dict[str, Json]] = {
        PULL_REQUEST: {
            "allowed_merge_methods": METHODS,
            "required_approving_review_count": 0 if is_alone else 1,
            "require_code_owner_review": not is_alone,
            "dismiss_stale_reviews_on_push": True,
            "require_last_push_approval": False,
            "required_review_thread_resolution": False,
        },
        STATUS_CHECKS: {
            "strict_required_status_checks_policy": False,
            "required_status_checks": [
                {"context": check, "integration_id": ACTIONS_APP} for check in CHECKS
            ],
        },
    }
    return {"type": kind, **({"parameters": parameters[kind]} if kind in parameters else {})}


def step(ruleset: Ruleset, why: str) -> Step:
    """Return the step that makes a ruleset."""

    def judge(wanted: Wanted, rulesets: Json) -> Verdict:
        found = _named(rulesets, ruleset.name)
        if found is None:
            due = content(ruleset, is_alone=wanted.is_alone)
            return missing("there are none", send(path(wanted, "rulesets"), "POST", due))
        problems = [*_problems(ruleset, wanted, found)]
        where = path(wanted, "rulesets", str(found["id"]))
        if problems:
            return wrong(problems, send(where, "PUT", _mended(ruleset, wanted, found)))
        if "bypass_actors" not in found:
            return Verdict(State.UNKNOWN, "they are right, but only owners see who bypasses them")
        needs_nobody = ruleset is MAIN and _is_without_approval(found)
        return Verdict(State.RIGHT, "nobody has to approve" if needs_nobody else "")

    return Step(f"rules of {ruleset.name}", why, lambda wanted: (look(wanted),), judge)


def look(wanted: Wanted) -> Look:
    """Return the look at all sets of rules of the repository itself."""
    query = "includes_parents=false&per_page=100"
    return look_gh("api", f"{path(wanted, 'rulesets')}?{query}", each=True)


def of_main(rulesets: Json) -> Json:
    """Return the rules of main among all, None without them."""
    return _named(rulesets, MAIN.name)


def _named(rulesets: Json, name: str) -> Json:
    return next((one for one in rulesets or [] if one["name"] == name), None)


def _problems(ruleset: Ruleset, wanted: Wanted, found: Json) -> Iterator[str]:
    if found["enforcement"] != "active":
        yield f"they are not enforced ({found['enforcement']})"
    named = found["conditions"]["ref_name"]
    if found["target"] != ruleset.target or ruleset.ref not in named["include"]:
        yield f"they are not about {ruleset.ref}"
    if named["exclude"]:
        yield f"they leave out {', '.join(named['exclude'])}"
    yield from _problems_of_bypassing(found.get("bypass_actors", DEPLOY_KEYS))
    rules = _by_type(found)
    for kind in ruleset.rules:
        if kind not in rules:
            yield f"the rule {kind} is missing"
    if PULL_REQUEST in ruleset.rules and PULL_REQUEST in rules:
        yield from _problems_of_pulls(rules[PULL_REQUEST], wanted, found)
    if STATUS_CHECKS in ruleset.rules and STATUS_CHECKS in rules:
        yield from _problems_of_checks(rules[STATUS_CHECKS])


def _problems_of_bypassing(actors: Json) -> Iterator[str]:
    allowed = [_actor(one) for one in DEPLOY_KEYS]
    for one in actors:
        if _actor(one) not in allowed:
            yield f"they can be bypassed by {one['actor_type']} {one.get('actor_id') or ''}".strip()
    if not any(_actor(one) in allowed for one in actors):
        yield "the deploy key cannot bypass them"


def _problems_of_pulls(parameters: Json, wanted: Wanted, found: Json) -> Iterator[str]:
    methods = parameters.get("allowed_merge_methods", [*METHODS, "rebase"])
    if not methods or not {*methods} <= {*METHODS}:
        yield f"pull requests can be merged by {', '.join(methods) or 'no method'}"
    if not parameters["dismiss_stale_reviews_on_push"]:
        yield "an approval stays after a push"
    if wanted.is_alone and not _is_without_approval(found):
        yield "who works alone has nobody who approves"
    if (
        not parameters["required_approving_review_count"]
        and parameters["require_code_owner_review"]
    ):
        yield "no approval is required"
    if (
        parameters["required_approving_review_count"]
        and not parameters["require_code_owner_review"]
    ):
        yield "the approval of a code owner is not required"


def _problems_of_checks(parameters: Json) -> Iterator[str]:
    required = {
        one["context"]: one.get("integration_id") for one in parameters["required_status_checks"]
    }
    for check in CHECKS:
        if check not in required:
            yield f"the check {check!r} is not required"
        elif required[check] != ACTIONS_APP:
            yield f"other apps can report the check {check!r}"


def _mended(ruleset: Ruleset, wanted: Wanted, found: Json) -> dict[str, Json]:
    """Return the content of a ruleset whose own additions are kept."""
    is_alone = wanted.is_alone or (ruleset is MAIN and _is_without_approval(found))
    due = content(ruleset, is_alone=is_alone)
    ours, theirs = _by_type(due), _by_type(found)
    if STATUS_CHECKS in ours:
        listed = theirs.get(STATUS_CHECKS, {}).get("required_status_checks", [])
        more = [one for one in listed if one["context"] not in CHECKS]
        ours[STATUS_CHECKS]["required_status_checks"] += more
    if PULL_REQUEST in ours and not is_alone:
        count = theirs.get(PULL_REQUEST, {}).get("required_approving_review_count", 0)
        ours[PULL_REQUEST]["required_approving_review_count"] = max(1, count)
    return {**due, "rules": [*due["rules"], *(r for r in found["rules"] if r["type"] not in ours)]}


def _by_type(found: Json) -> dict[str, Json]:
    return {rule["type"]: rule.get("parameters", {}) for rule in found["rules"]}


def _is_without_approval(found: Json) -> bool:
    parameters = _by_type(found).get(PULL_REQUEST)
    return parameters is not None and not (
        parameters["required_approving_review_count"] or parameters["require_code_owner_review"]
    )


def _actor(one: Json) -> tuple[str, str]:
    return one["actor_type"], one["bypass_mode"]


STEPS = (
    step(MAIN, "Main is changed only by pull requests that pass both checks and are approved."),
    step(STABLE, "Only the release moves the branch stable."),
    step(RELEASES, "Only the release creates tags, and nobody moves or deletes them."),
)
