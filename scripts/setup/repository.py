"""What is set up at GitHub, apart from the rules of branches and tags."""

from scripts.setup.deploy_keys import DEPLOY_KEY
from scripts.setup.extras import CERTIFICATES
from scripts.setup.hub import about, names, path, secrets_of, values, variables_of
from scripts.setup.step import (
    Json,
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

# Starts the workflow for reported samples.
LABEL = "curate"
ATTESTATIONS = "ATTESTATIONS"
# As secrets of the repository, every branch could read them.
OF_ENVIRONMENTS = {
    *(DEPLOY_KEY, *CERTIFICATES),
    *("GCP_RELEASE_KEY", "GCP_INGEST_KEY", "GCP_GC_KEY"),
    "HUGGINGFACE_TOKEN",
}


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


STEPS = (
    Step(
        "merge methods",
        "A rebase would put every commit on main, and each would be released unchecked.",
        lambda wanted: (about(wanted),),
        _judge_merges,
    ),
    Step(
        f"label {LABEL}",
        "Set on an issue with reported samples, it starts the workflow that proposes the change.",
        lambda wanted: (look_gh("api", path(wanted, "labels", LABEL)),),
        _judge_label,
    ),
    Step(
        "secrets of the repository",
        "Secrets of the release, ingest and garbage collection belong to their environments.",
        lambda wanted: (secrets_of(wanted),),
        _judge_secrets,
        by_hand=True,
    ),
    Step(
        "immutable releases",
        "Nobody can change the files of a published release.",
        lambda wanted: (look_gh("api", _immutable(wanted), is_admins=True),),
        _judge_immutable,
    ),
    Step(
        "attestations",
        "Consumers can verify that the workflow of this repository made the files.",
        lambda wanted: (about(wanted), variables_of(wanted)),
        _judge_attestations,
    ),
)
