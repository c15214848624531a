"""What is set up at GitHub, apart from the rules of branches and tags."""

import json
from collections.abc import Callable
from dataclasses import replace

from scripts.git.git import MAIN
from scripts.setup.step import (
    CATALOGUE,
    CLUSTER,
    GC,
    INGEST,
    Command,
    Half,
    Json,
    Look,
    State,
    Step,
    Verdict,
    Wanted,
    gh,
    look_gh,
    missing,
    right,
    wrong,
)

RELEASE = "release"
# Starts the workflow for reported samples.
LABEL = "curate"
MAIN_ONLY = {
    "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}
}
DEPLOY_KEY = "RELEASE_DEPLOY_KEY"
ATTESTATIONS = "ATTESTATIONS"
CATALOGUE_VARIABLE, PUBLIC = "CATALOGUE", "public"
SCHEDULER = "DASK_SCHEDULER_ADDRESS"
CERTIFICATES = {
    "DASK_CA": "ca.pem",
    "DASK_CERTIFICATE": "release.pem",
    "DASK_KEY": "release-key.pem",
}
# As secrets of the repository, every branch could read them.
OF_ENVIRONMENTS = {
    *(DEPLOY_KEY, *CERTIFICATES),
    *("GCP_RELEASE_KEY", "GCP_INGEST_KEY", "GCP_GC_KEY"),
}


def path(wanted: Wanted, *parts: str) -> str:
    """Return the path of something of the repository in GitHub's API."""
    return "/".join(("repos", wanted.repository, *parts))


def about(wanted: Wanted) -> Look:
    """Return the look at the repository itself."""
    return look_gh("api", path(wanted))


def variables_of(wanted: Wanted) -> Look:
    """Return the look at the variables of the repository."""
    return look_gh("variable", "list", "--repo", wanted.repository, "--json", "name,value")


def secrets_of(wanted: Wanted, environment: str = "") -> Look:
    """Return the look at the names of the secrets of the repository, or of an environment."""
    where = ("--env", environment) if environment else ()
    words = ("secret", "list", "--repo", wanted.repository, *where, "--json", "name")
    return look_gh(*words, is_admins=True)


def send(where: str, method: str, content: Json) -> Command:
    """Return the request to GitHub's API that sends `content`."""
    text = json.dumps(content, separators=(",", ":"))
    return gh("api", where, "--method", method, "--input", "-", stdin=text)


def values(variables: Json) -> dict[str, str]:
    """Return the values of variables by name."""
    return {one["name"]: one["value"] for one in variables or []}


def names(listed: Json) -> set[str]:
    """Return the names of what is listed."""
    return {one["name"] for one in listed or []}


def variables(
    name: str, why: str, expected: Callable[[Wanted], dict[str, str]], *needs: str
) -> Step:
    """Return the step that sets variables of the repository; none of them is secret."""

    def judge(wanted: Wanted, listed: Json) -> Verdict:
        found, due = values(listed), expected(wanted)
        absent = [key for key in due if key not in found]
        other = [key for key, value in due.items() if key in found and found[key] != value]
        mend = (
            gh("variable", "set", key, "--body", due[key], "--repo", wanted.repository)
            for key in due
            if key in {*absent, *other}
        )
        if not other and absent:
            return missing(f"not set: {', '.join(absent)}", *mend)
        problems = [f"{key} is {found[key]!r}, not {due[key]!r}" for key in other]
        return wrong([*problems, *(f"{key} is not set" for key in absent)], *mend)

    return Step(name, why, lambda wanted: (variables_of(wanted),), judge, needs)


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
            return missing("there is none", _put(here, MAIN_ONLY), add)
        mend, problems = [], []
        if found["deployment_branch_policy"] != MAIN_ONLY["deployment_branch_policy"]:
            problems.append("every branch can use it")
            mend.append(_put(here, {**_protection(found), **MAIN_ONLY}))
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


def _put(where: str, content: Json) -> Command:
    return send(where, "PUT", content)


def _judge_merges(wanted: Wanted, found: Json) -> Verdict:
    if "allow_rebase_merge" not in found:
        return Verdict(State.UNKNOWN, "only those who may write to the repository see them")
    mend = ["-F", "allow_rebase_merge=false"]
    problems = ["pull requests can be rebased"] if found["allow_rebase_merge"] else []
    if not found["allow_squash_merge"] and not found["allow_merge_commit"]:
        problems.append("pull requests can be neither merged nor squashed")
        mend += ["-F", "allow_squash_merge=true"]
    return wrong(problems, gh("api", path(wanted), "--method", "PATCH", *mend))


def _judge_label(wanted: Wanted, found: Json) -> Verdict:
    about_it = ("--repo", wanted.repository, "--description", "Propose what this issue reports")
    made = gh("label", "create", LABEL, *about_it)
    return right() if found else missing("there is none", made)


def _judge_deploy_key(wanted: Wanted, keys: Json, secrets: Json) -> Verdict:
    ours = [key for key in keys or [] if key["title"] == RELEASE]
    has_secret = DEPLOY_KEY in names(secrets)
    problems = []
    if ours and any(key["read_only"] for key in ours):
        problems.append("it cannot write")
    if len(ours) > 1:
        problems.append(f"there are {len(ours)}")
    if not ours:
        problems.append("the repository has none")
    if not has_secret:
        problems.append(f"the environment has no secret {DEPLOY_KEY}")
    # In this order, whatever fails leaves a secret that is missing, not one of another key.
    mend = (
        *([_secret(wanted, "delete")] if has_secret else ()),
        *(_without_key(wanted, key) for key in ours),
        Command(
            send(path(wanted, "keys"), "POST", {}).words,
            json.dumps({"title": RELEASE, "key": "{}", "read_only": False}),
            Half.PUBLIC,
        ),
        replace(_secret(wanted, "set"), stdin="{}", half=Half.PRIVATE),
    )
    if not ours and not has_secret:
        return missing("there is none", *mend)
    return wrong(problems, *mend)


def _secret(wanted: Wanted, verb: str) -> Command:
    return gh("secret", verb, DEPLOY_KEY, "--env", RELEASE, "--repo", wanted.repository)


def _without_key(wanted: Wanted, key: Json) -> Command:
    return gh("repo", "deploy-key", "delete", str(key["id"]), "--repo", wanted.repository)


def _judge_other_keys(wanted: Wanted, keys: Json) -> Verdict:
    other = [key for key in keys or [] if key["title"] != RELEASE and not key["read_only"]]
    problems = (f"{key['title']!r} can push to main and move tags" for key in other)
    return wrong(problems, *(_without_key(wanted, key) for key in other))


def _judge_secrets(wanted: Wanted, secrets: Json) -> Verdict:
    exposed = sorted(names(secrets) & OF_ENVIRONMENTS)
    mend = (gh("secret", "delete", name, "--repo", wanted.repository) for name in exposed)
    return wrong((f"every branch can read {name}" for name in exposed), *mend)


def _judge_immutable(wanted: Wanted, found: Json) -> Verdict:
    if found and found["enabled"]:
        return right()
    return missing("they are off", gh("api", _immutable(wanted), "--method", "PUT"))


def _immutable(wanted: Wanted) -> str:
    return path(wanted, "immutable-releases")


def _judge_attestations(wanted: Wanted, found: Json, listed: Json) -> Verdict:
    if found["visibility"] == "public" or values(listed).get(ATTESTATIONS) == "true":
        return right()
    turn_on = gh("variable", "set", ATTESTATIONS, "--body", "true", "--repo", wanted.repository)
    return right(f"none in a private repository; with GitHub Enterprise Cloud: {turn_on}")


def _judge_pages(wanted: Wanted, found: Json) -> Verdict:
    def with_workflow(method: str) -> Command:
        return gh("api", path(wanted, "pages"), "--method", method, "-f", "build_type=workflow")

    if found is None:
        return missing("they are off", with_workflow("POST"))
    problems = ["they are built from a branch"] if found["build_type"] != "workflow" else []
    return wrong(problems, with_workflow("PUT"))


def _judge_certificates(wanted: Wanted, secrets: Json) -> Verdict:
    absent = [name for name in CERTIFICATES if name not in names(secrets)]
    mend = (
        # The file is read by the shell of the person who has it.
        Command(
            ("gh", "secret", "set", name, "--env", RELEASE, "--repo", wanted.repository),
            file=CERTIFICATES[name],
        )
        for name in absent
    )
    return missing(f"not set: {', '.join(absent)}", *mend) if absent else right()


ENVIRONMENT_RELEASE = environment(
    RELEASE, "Only runs on main can read the secrets of the release; otherwise any branch could."
)
ENVIRONMENTS_OF_EXTRAS = (
    environment(INGEST, "Only runs on main can read your images and write to the bucket.", INGEST),
    environment(GC, "Only runs on main can delete objects in the bucket.", GC),
)
MERGES = Step(
    "merge methods",
    "A rebase would put every commit on main, and each would be released unchecked.",
    lambda wanted: (about(wanted),),
    _judge_merges,
)
LABEL_STEP = Step(
    f"label {LABEL}",
    "Set on an issue with reported samples, it starts the workflow that proposes the change.",
    lambda wanted: (look_gh("api", path(wanted, "labels", LABEL)),),
    _judge_label,
)
KEY = Step(
    "deploy key",
    "The release pushes tags, main and stable with it; the built-in token cannot bypass rules.",
    lambda wanted: (_keys(wanted), secrets_of(wanted, RELEASE)),
    _judge_deploy_key,
)
OTHER_KEYS = Step(
    "other deploy keys",
    "Every deploy key that can write bypasses the rules.",
    lambda wanted: (_keys(wanted),),
    _judge_other_keys,
    by_hand=True,
)
SECRETS = Step(
    "secrets of the repository",
    "Secrets of the release, ingest and garbage collection belong to their environments.",
    lambda wanted: (secrets_of(wanted),),
    _judge_secrets,
    by_hand=True,
)
IMMUTABLE = Step(
    "immutable releases",
    "Nobody can change the files of a published release.",
    lambda wanted: (look_gh("api", _immutable(wanted), is_admins=True),),
    _judge_immutable,
)
ATTEST = Step(
    "attestations",
    "Consumers can verify that the workflow of this repository made the files.",
    lambda wanted: (about(wanted), variables_of(wanted)),
    _judge_attestations,
)
PAGES = Step(
    "pages",
    "They show the catalogue. PAGES OF A PRIVATE REPOSITORY ARE PUBLIC on most plans.",
    lambda wanted: (look_gh("api", path(wanted, "pages"), is_admins=True),),
    _judge_pages,
    (CATALOGUE,),
)
PUBLISHED = variables(
    "variable of the catalogue",
    "The release publishes the catalogue, with every image, only where it is set.",
    lambda _: {CATALOGUE_VARIABLE: PUBLIC},
    CATALOGUE,
)
CLUSTER_STEPS = (
    variables(
        "variable of the cluster",
        "The release makes the files on this Dask cluster.",
        lambda wanted: {SCHEDULER: wanted.scheduler},
        CLUSTER,
    ),
    Step(
        "secrets of the cluster",
        "The certificate identifies the release; the authority of the cluster signs it.",
        lambda wanted: (secrets_of(wanted, RELEASE),),
        _judge_certificates,
        (CLUSTER,),
        by_hand=True,
    ),
)


def _keys(wanted: Wanted) -> Look:
    return look_gh("api", f"{path(wanted, 'keys')}?per_page=100", is_admins=True)
