import itertools
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.__main__ import main
from scripts.github import reported_samples
from tests.github.expressions import Values, evaluate, interpolate, runs
from tests.repository import PROJECT, TEMPLATE

FOLDER = PROJECT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
SETUP = PROJECT / ".github" / "actions" / "setup" / "action.yml"
ACTION_FILES = [*FILES, *sorted((PROJECT / ".github" / "actions").rglob("action.yml"))]
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
RESULTS = ("success", "failure", "cancelled", "skipped")
OWN = {
    "github.event_name": "pull_request",
    "github.repository": "octo/ds",
    "github.ref": "refs/pull/7/merge",
    "github.event.pull_request.number": "7",
    "github.event.pull_request.head.repo.full_name": "octo/ds",
    "github.event.pull_request.user.login": "octo",
}
FORK = {**OWN, "github.event.pull_request.head.repo.full_name": "contributor/ds"}
DEPENDABOT = {**OWN, "github.event.pull_request.user.login": "dependabot[bot]"}
MERGE_GROUP = {
    "github.event_name": "merge_group",
    "github.repository": "octo/ds",
    "github.ref": "refs/heads/gh-readonly-queue/main/pr-7-1111111111111111111111111111111111111111",
    "github.event.merge_group.base_sha": "2" * 40,
}
# Whatever could be set in the repository, and whatever a run could find.
EVERYTHING_SET = {
    "vars.GCP_WORKLOAD_IDENTITY_PROVIDER": "provider",
    "secrets.GCP_PULL_REQUEST_KEY": "key",
    "secrets.GCP_RELEASE_KEY": "key",
    "secrets.GCP_INGEST_KEY": "key",
    "needs.changes.outputs.dataset": "true",
    "needs.changes.outputs.machinery": "true",
    "hashFiles": "hash",
}
# What gives a step credentials, or lets it show or leave something.
PRIVILEGED = re.compile(
    r"secrets\.|github\.token|actions/login|upload-artifact"
    r"|scripts (workflow )?"
    r"(push|check|report|comment|ingest|release|promote|publish-|update-comments|mirror-hub)"
)


@cache
def workflow(name: str) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(FOLDER / name)
    return content


@cache
def steps(file: Path) -> list[dict[str, Any]]:
    content = YAML(typ="safe", pure=True).load(file)
    jobs = content["jobs"].values() if "jobs" in content else [content["runs"]]
    return [step for job in jobs for step in job["steps"]]


def steps_that_run(job: dict[str, Any], values: Values) -> list[dict[str, Any]]:
    """Return the steps of `job` that run, whether those before them succeed or fail."""
    env = {f"env.{key}": interpolate(text, values) for key, text in job.get("env", {}).items()}
    return [
        step
        for step in job["steps"]
        if any(runs(step, {**values, **env, "status": now}) for now in ("success", "failure"))
    ]


def uses(step: dict[str, Any], action: str) -> bool:
    used: str = step.get("uses", "")
    return used.partition("@")[0] == action


def is_privileged(step: dict[str, Any]) -> bool:
    return bool(PRIVILEGED.search(repr(step)))


def test_each_workflow_has_its_triggers() -> None:
    assert workflow("pull-request.yml")["on"] == {"pull_request": None, "merge_group": None}
    for name in ("comment.yml", "candidate.yml"):
        assert workflow(name)["on"] == {
            "workflow_run": {
                "workflows": [workflow("pull-request.yml")["name"]],
                "types": ["completed"],
            }
        }
    assert workflow("release.yml")["on"] == {
        "push": {"branches": ["main"]},
        # Once a day: nothing starts for a merge whose message has [skip ci].
        "schedule": [{"cron": "23 4 * * *"}],
        "workflow_dispatch": None,
        "workflow_run": {
            "workflows": [workflow("gc.yml")["name"]],
            "types": ["completed"],
        },
    }
    assert workflow("update-comments.yml")["on"] == {
        "workflow_run": {
            "workflows": [workflow("release.yml")["name"]],
            "types": ["completed"],
        },
        "workflow_dispatch": None,
    }
    assert workflow("gc.yml")["on"].keys() == {"workflow_dispatch"}
    assert workflow("ingest.yml")["on"].keys() == {"workflow_dispatch"}
    assert workflow("ci.yml")["on"] == {
        "pull_request": None,
        "push": {"branches": ["main"]},
        "merge_group": None,
    }
    assert workflow("machinery.yml")["on"] == {"push": {"tags": ["machinery-*"]}}
    scorecard = workflow("scorecard.yml")["on"]
    # Those that it supports.
    assert scorecard.keys() == {"schedule", "push"}
    assert workflow("reported-samples.yml")["on"] == {"issues": {"types": ["labeled"]}}
    docs = workflow("docs.yml")["on"]
    assert docs.keys() == {"pull_request", "push"}
    assert docs["push"]["branches"] == ["main"]
    # It is not required, so it may have a filter.
    assert docs["pull_request"]["paths"] == docs["push"]["paths"]
    for name in ("drift.yml", "health.yml", "soak.yml"):
        weekly = workflow(name)["on"]
        assert weekly.keys() == {"schedule", "workflow_dispatch"}
        assert re.fullmatch(r"\d+ \d+ \* \* \d", weekly["schedule"][0]["cron"])
    monthly = workflow("suspects.yml")["on"]
    assert monthly.keys() == {"schedule", "workflow_dispatch"}
    assert re.fullmatch(r"\d+ \d+ \d \* \*", monthly["schedule"][0]["cron"])
    assert workflow("suspects.yml")["jobs"]["suspects"]["if"] == "vars.SUSPECTS != ''"
    assert {file.name for file in FILES} == {
        "candidate.yml",
        "ci.yml",
        "comment.yml",
        "docs.yml",
        "drift.yml",
        "gc.yml",
        "health.yml",
        "ingest.yml",
        "machinery.yml",
        "pull-request.yml",
        "release.yml",
        "reported-samples.yml",
        "scorecard.yml",
        "soak.yml",
        "suspects.yml",
        "update-comments.yml",
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_job_has_permissions_and_a_time_limit_of_its_own(file: Path) -> None:
    assert workflow(file.name)["permissions"] == {}
    for job in workflow(file.name)["jobs"].values():
        assert "permissions" in job
        assert job["timeout-minutes"]


def test_no_job_has_more_permissions_than_these() -> None:
    permissions = {
        f"{file.stem}/{name}": job["permissions"]
        for file in FILES
        for name, job in workflow(file.name)["jobs"].items()
    }
    assert permissions == {
        "candidate/candidate": {
            "contents": "write",
            "id-token": "write",
            "pull-requests": "write",
        },
        "ci/changes": {"contents": "read"},
        "ci/lint": {"contents": "read"},
        "ci/test": {"contents": "read"},
        "ci/e2e": {"contents": "read"},
        "ci/platforms": {"contents": "read"},
        "ci/passed": {},
        "comment/comment": {"contents": "read", "actions": "read", "pull-requests": "write"},
        "comment/preview": {"contents": "write", "pull-requests": "write"},
        "docs/docs": {"contents": "read"},
        "drift/drift": {"contents": "write", "id-token": "write", "issues": "write"},
        "gc/gc": {"contents": "read", "id-token": "write", "pull-requests": "read"},
        "health/health": {
            "actions": "read",
            "contents": "read",
            "id-token": "write",
            "issues": "write",
        },
        "ingest/ingest": {"contents": "write", "id-token": "write"},
        "machinery/machinery": {"contents": "write"},
        "pull-request/changes": {"contents": "read"},
        "pull-request/dataset": {
            "contents": "read",
            "id-token": "write",
            "pull-requests": "write",
        },
        "pull-request/merge-group": {"contents": "read"},
        "pull-request/passed": {},
        "release/release": {
            "contents": "write",
            "id-token": "write",
            "pull-requests": "read",
        },
        "update-comments/update-comments": {
            "contents": "write",
            "id-token": "write",
            "pull-requests": "write",
        },
        "reported-samples/curate": {
            "contents": "write",
            "id-token": "write",
            "issues": "write",
        },
        "release/attest": {"id-token": "write", "attestations": "write"},
        "release/catalogue": {"contents": "read", "id-token": "write"},
        "release/mirror": {"contents": "read", "id-token": "write"},
        "release/publish-catalogue": {"pages": "write", "id-token": "write"},
        "scorecard/scorecard": {"contents": "read", "security-events": "write"},
        "soak/soak": {"contents": "read"},
        "suspects/suspects": {"contents": "read", "id-token": "write", "issues": "write"},
    }


@pytest.mark.parametrize("file", ACTION_FILES, ids=lambda file: str(file.relative_to(PROJECT)))
def test_every_action_is_pinned_by_its_hash_with_the_version_as_a_comment(file: Path) -> None:
    for reference in re.findall(r"uses: (.*)", file.read_text()):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", reference) or (
            reference.startswith("./.github/actions/")
        )


@pytest.mark.parametrize("file", ACTION_FILES, ids=lambda file: str(file.relative_to(PROJECT)))
def test_values_reach_a_script_through_its_environment_only(file: Path) -> None:
    for step in steps(file):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_step_runs_one_command(file: Path) -> None:
    commands = (
        r"python -m scripts [a-z-]+( .*)?",
        r"python3 -m scripts\.github\.changed_paths",
        r"make [a-z0-9]+( SITE=[a-z/]+)?",
        r"python -m pytest [a-z0-9/ -]+",
        r"printenv [A-Z]+ > [A-Z0-9]+",
        r"exit 1",
    )
    for step in steps(file):
        if "run" in step:
            assert any(re.fullmatch(command, step["run"]) for command in commands)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_verb_in_a_workflow_exists(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in re.findall(r"python -m scripts ((?:workflow )?[a-z-]+)", file.read_text()):
        with pytest.raises(SystemExit) as ended:
            main([*verb.split(), "--help"])
        assert ended.value.code == 0


def planned(*arguments: str) -> str:
    """Return the commands that make would run."""
    command = ["make", "--dry-run", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return done.stdout


def installs(script: str) -> list[str]:
    """Return the commands of `script` that install something."""
    lines = script.replace("; \\\n", "\n").replace("\\\n", " ").splitlines()
    return [line for line in lines if " install " in line]


def test_all_that_is_installed_is_pinned_with_hashes() -> None:
    (step,) = (step for step in steps(SETUP) if "run" in step)
    first, second = installs(step["run"])
    assert first.endswith("-r requirements-install.txt")
    assert ' -r "$REQUIREMENTS" ' in second
    assert step["env"] == {"REQUIREMENTS": "${{ inputs.requirements }}"}
    setup = YAML(typ="safe", pure=True).load(SETUP)
    assert setup["inputs"]["requirements"]["default"] == "requirements.txt"
    for line in (first, second):
        assert "--require-hashes" in line
        assert "--only-binary :all:" in line


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://bucket/mnist", "-r requirements.txt -r requirements-s3.txt"),
        ("azure://container/mnist", "-r requirements.txt -r requirements-azure.txt"),
        ("gs://bucket/mnist", "-r requirements.txt"),
        ("storage", "-r requirements.txt"),
        (None, "-r requirements.txt"),
    ],
)
def test_the_client_that_the_remote_needs_is_installed(
    tmp_path: Path, url: str | None, expected: str
) -> None:
    (step,) = (step for step in steps(SETUP) if "run" in step)
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "python").chmod(0o755)
    if url:
        (tmp_path / ".dvc").mkdir()
        text = TEMPLATE[".dvc/config"].replace("url = storage", f"url = {url}")
        (tmp_path / ".dvc" / "config").write_text(text)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "REQUIREMENTS": "requirements.txt"}
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]

    done = subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, check=True)

    assert done.stdout.decode().splitlines()[-1].endswith(f"antlr4-python3-runtime {expected}")
    for name in re.findall(r"-r (\S+)", expected):
        assert (PROJECT / name).is_file()


@needs_make
@pytest.mark.parametrize(
    ("target", "count"), [(".venv/complete", 2), (".docs/complete", 1), (".sbom/complete", 1)]
)
def test_what_make_installs_is_pinned_with_hashes(target: str, count: int) -> None:
    lines = installs(planned(target, "--always-make"))
    assert len(lines) == count
    for line in lines:
        assert "--require-hashes" in line
        assert "--only-binary :all:" in line


@needs_make
def test_what_is_built_from_source_is_built_with_pinned_packages_only() -> None:
    scripts = [step["run"] for step in steps(SETUP) if "run" in step]
    scripts.append(planned(".venv/complete", "--always-make"))
    building = [line for script in scripts for line in installs(script) if "--no-binary" in line]
    assert len(building) == 2
    for line in building:
        assert "--no-build-isolation" in line
    built = [re.findall(r"--no-binary (\S+)", line) for line in building]
    # A workflow's job builds one package; the tests need another one.
    assert built == [["antlr4-python3-runtime"], ["antlr4-python3-runtime", "jsonpath-rw"]]


def test_dependencies_are_installed_by_the_setup_action_or_make_only() -> None:
    for file in FILES:
        for step in steps(file):
            assert "install" not in step.get("run", "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_checkout_keeps_its_credentials_but_the_last_one_of_a_job_that_pushes_or_fetches(
    file: Path,
) -> None:
    for name, job in workflow(file.name)["jobs"].items():
        checkouts = [step for step in job["steps"] if uses(step, "actions/checkout")]
        kept = [step["with"]["persist-credentials"] for step in checkouts]
        uses_git = name in {
            *("release", "candidate", "curate", "drift", "ingest", "gc", "preview"),
            "update-comments",
        }
        assert kept == ([False, True] if uses_git else [False] * len(kept))


def test_the_key_that_pushes_is_checked_out_last_right_before_the_release() -> None:
    job = workflow("release.yml")["jobs"]["release"]
    (key,) = (n for n, step in enumerate(job["steps"]) if "RELEASE_DEPLOY_KEY" in repr(step))
    assert "RELEASE_DEPLOY_KEY" not in repr({**job, "steps": []})
    checkout, release = job["steps"][key : key + 2]
    assert checkout["with"]["ssh-key"] == "${{ secrets.RELEASE_DEPLOY_KEY }}"
    assert release["run"] == "python -m scripts release"
    # Nothing is installed, and no other action runs, once the key is there.
    assert not [step for step in job["steps"][key + 1 :] if "uses" in step]


@pytest.mark.parametrize(
    ("name", "count"),
    [("release", 3), ("candidate", 2), ("drift", 1), ("gc", 2), ("update-comments", 1)],
)
def test_the_checkout_that_pushes_has_a_folder_of_its_own_in_which_the_verbs_run(
    name: str, count: int
) -> None:
    # actions/checkout empties a folder whose origin has another address, as SSH and HTTPS have.
    # What the login has left there would be lost.
    steps_ = workflow(f"{name}.yml")["jobs"][name]["steps"]
    first, *_, last = (step for step in steps_ if uses(step, "actions/checkout"))
    assert "path" not in first["with"]
    assert first["with"]["ref"] == last["with"]["ref"] == "main"
    # Tags, and all of main.
    assert last["with"]["fetch-depth"] == 0
    folders = {step["run"]: step["working-directory"] for step in steps_ if "run" in step}
    assert len(folders) == count
    assert set(folders.values()) == {last["with"]["path"]}


def test_only_the_job_of_a_pull_request_restores_a_cache() -> None:
    caching = {
        f"{file.stem}/{name}"
        for file in FILES
        for name, job in workflow(file.name)["jobs"].items()
        if "cache" in repr(job)
    }
    assert caching == {"pull-request/dataset"}
    job = workflow("pull-request.yml")["jobs"]["dataset"]
    for event in ("push", "merge_group", "workflow_dispatch", "workflow_run"):
        values = {**EVERYTHING_SET, "github.event_name": event, "status": "success"}
        assert not runs(job, values)
    # All jobs use this one.
    assert "cache" not in repr(steps(SETUP))


# Who gets credentials.


def test_a_pull_request_from_the_repository_itself_gets_credentials_and_a_comment() -> None:
    job = workflow("pull-request.yml")["jobs"]["dataset"]
    values = {**OWN, **EVERYTHING_SET}
    assert runs(job, {**values, "status": "success"})
    ran = repr(steps_that_run(job, values))
    for part in (
        "actions/login",
        "scripts workflow check",
        "scripts workflow comment",
        "samples.png",
    ):
        assert part in ran
    assert "dataset-report" not in ran


def test_only_a_pull_request_knows_from_when_on_a_change_is_only_planned() -> None:
    assert "PLAN_ONLY_ABOVE" in workflow("pull-request.yml")["jobs"]["dataset"]["env"]


def test_only_the_release_knows_a_cluster() -> None:
    for file in FOLDER.glob("*.yml"):
        knowing = [step for step in steps(file) if "DASK" in repr(step)]
        if file.name != "release.yml":
            assert not knowing, file.name
        for step in knowing:
            assert "uses" in step or step["run"] == "python -m scripts release"
            assert "PLAN_ONLY_ABOVE" not in repr(step)


@pytest.mark.parametrize("event", [FORK, DEPENDABOT], ids=["fork", "Dependabot"])
def test_a_fork_and_dependabot_get_no_credentials_and_leave_a_report(event: Values) -> None:
    ran = [
        step
        for job in workflow("pull-request.yml")["jobs"].values()
        if runs(job, {**event, **EVERYTHING_SET, "status": "success"})
        for step in steps_that_run(job, {**event, **EVERYTHING_SET})
    ]
    text = repr(ran)
    for part in ("secrets.", "github.token", "actions/login"):
        assert part not in text
    assert 'scripts workflow check --store "$TRUSTED" report' in text.replace("\\", "")
    env = workflow("pull-request.yml")["jobs"]["dataset"]["env"]
    assert interpolate(env["TRUSTED"], event) == "false"
    assert interpolate(env["TRUSTED"], OWN) == "true"
    assert "dataset-report" in text


@pytest.mark.parametrize(
    ("name", "job", "verbs"),
    [
        ("pull-request.yml", "dataset", ["check"]),
        ("release.yml", "release", ["release"]),
        ("release.yml", "catalogue", ["site"]),
        ("release.yml", "mirror", ["mirror-hub"]),
        ("reported-samples.yml", "curate", ["curate-issue"]),
        ("ingest.yml", "ingest", ["ingest"]),
        ("candidate.yml", "candidate", ["publish-candidate"]),
        ("update-comments.yml", "update-comments", ["update-comments"]),
        ("health.yml", "health", ["report-health"]),
        ("suspects.yml", "suspects", ["report-suspects"]),
        ("drift.yml", "drift", ["report-drift"]),
        ("gc.yml", "gc", ["gc"]),
    ],
)
def test_what_reads_the_bucket_comes_after_the_credentials(
    name: str, job: str, verbs: list[str]
) -> None:
    steps_ = workflow(name)["jobs"][job]["steps"]
    (auth,) = (n for n, step in enumerate(steps_) if uses(step, "./.github/actions/login"))
    found = re.findall(r"python -m scripts (?:workflow )?([a-z-]+)", repr(steps_[auth:]))
    assert found[: len(verbs)] == verbs
    assert "python -m scripts" not in repr(steps_[:auth])


LOGIN = PROJECT / ".github" / "actions" / "login" / "action.yml"
STORES = {
    "google-github-actions/auth": ("provider", "key"),
    "aws-actions/configure-aws-credentials": ("role",),
    "azure/login": ("client",),
}


@pytest.mark.parametrize("action", STORES)
def test_one_action_logs_in_to_the_remote(action: str) -> None:
    having = [file for file in ACTION_FILES if f"uses: {action}@" in file.read_text()]
    assert having == [LOGIN]


def test_nobody_logs_in_where_nothing_is_set() -> None:
    for step in steps(LOGIN):
        (needed,) = (names for action, names in STORES.items() if uses(step, action))
        assert not runs(step, {"status": "success"})
        for one in needed:
            assert runs(step, {"status": "success", f"inputs.{one}": "x"})
        # Nothing else decides.
        others = {f"inputs.{name}": "x" for names in STORES.values() for name in names}
        assert not runs(step, {"status": "success", **others} | {f"inputs.{n}": "" for n in needed})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_login_has_one_name_in_all_stores(file: Path) -> None:
    inputs = YAML(typ="safe", pure=True).load(LOGIN)["inputs"].keys()
    for step in steps(file):
        if uses(step, "./.github/actions/login"):
            assert step["with"].keys() == inputs
            names = r"(?:GCP|AWS|AZURE)_([A-Z_]+)_(?:ACCOUNT|KEY|ROLE|CLIENT)\b"
            found = re.findall(names, repr(step["with"]))
            assert len(found) == 4
            assert len(set(found)) == 1


def test_only_these_jobs_use_a_secret() -> None:
    using = {
        f"{file.stem}/{name}"
        for file in FILES
        for name, job in workflow(file.name)["jobs"].items()
        if "secrets" in repr(job)
    }
    assert using == {
        "candidate/candidate",
        "drift/drift",
        "gc/gc",
        "health/health",
        "ingest/ingest",
        "pull-request/dataset",
        "release/catalogue",
        "release/mirror",
        "release/release",
        "reported-samples/curate",
        "suspects/suspects",
        "update-comments/update-comments",
    }
    # The account of pull requests, which cannot overwrite or delete.
    for name in ("candidate", "health", "suspects", "update-comments"):
        assert "RELEASE" not in repr(workflow(f"{name}.yml"))


def test_the_secrets_of_release_ingest_and_gc_belong_to_their_environments() -> None:
    environments = {
        name: job["environment"]
        for file in FILES
        for name, job in workflow(file.name)["jobs"].items()
        if "environment" in job
    }
    pages = environments.pop("publish-catalogue")
    assert environments == {
        **{"release": "release", "catalogue": "release", "mirror": "release"},
        **{"ingest": "ingest", "drift": "ingest", "gc": "gc"},
    }
    assert pages["name"] == "github-pages"


@pytest.mark.parametrize("address", ["gs://photos/today", ""])
def test_drift_is_checked_only_where_the_team_says_where_production_is(address: str) -> None:
    job = workflow("drift.yml")["jobs"]["drift"]
    assert runs(job, {"vars.PRODUCTION": address, "status": "success"}) is bool(address)
    assert job["steps"][-1]["env"]["PRODUCTION"] == "${{ vars.PRODUCTION }}"
    # The account that may read other buckets, and no other one.
    accounts = set(re.findall(r"GCP_[A-Z_]+_(?:KEY|ACCOUNT)", (FOLDER / "drift.yml").read_text()))
    assert accounts == {"GCP_INGEST_KEY", "GCP_INGEST_ACCOUNT"}


def test_only_one_job_has_the_account_that_can_delete() -> None:
    of_gc = re.compile(r"(?:GCP|AWS|AZURE)_GC_|gc --yes")
    assert [file.name for file in FILES if of_gc.search(file.read_text())] == ["gc.yml"]
    # And no other account.
    text = (FOLDER / "gc.yml").read_text()
    accounts = set(re.findall(r"(?:GCP|AWS|AZURE)_\w+_(?:KEY|ACCOUNT|ROLE|CLIENT)\b", text))
    assert accounts == {"GCP_GC_KEY", "GCP_GC_ACCOUNT", "AWS_GC_ROLE", "AZURE_GC_CLIENT"}


@pytest.mark.parametrize(
    ("delete", "command"),
    [("true", "python -m scripts gc --yes"), ("", "python -m scripts gc")],
)
def test_objects_are_deleted_only_where_it_was_asked_for(delete: str, command: str) -> None:
    (job,) = workflow("gc.yml")["jobs"].values()
    assert workflow("gc.yml")["on"]["workflow_dispatch"]["inputs"]["delete"]["default"] is False
    values = {"inputs.delete": delete, "status": "success"}
    ran = [step["run"] for step in job["steps"] if "run" in step and runs(step, values)]
    assert ran == [command]


def test_an_ingest_runs_the_code_of_main_and_gets_its_inputs_from_the_environment() -> None:
    job = workflow("ingest.yml")["jobs"]["ingest"]
    checkouts = [step for step in job["steps"] if uses(step, "actions/checkout")]
    assert [step["with"]["ref"] for step in checkouts] == ["main", "main"]
    *_, last = job["steps"]
    # Each value is one word of the shell, and none names a file of the machine.
    words = shlex.split(last["run"])
    assert words[-3:] == ["--", "$NAME", "$LOCATION"]
    assert words[:5] == ["python", "-m", "scripts", "ingest", "--branch"]
    assert not {"table", "file"} & last["env"].keys()
    expressions = {f"${{{{ inputs.{name.lower()} }}}}" for name in last["env"]}
    assert {*last["env"].values()} <= expressions | {"${{ inputs.skip_invalid || '' }}"}
    options = {"LABEL": "a b", "SPLIT": "$(id)", "GROUP": "", "SKIP_INVALID": ""}
    shown = subprocess.run(
        ["bash", "-c", last["run"].replace("python -m scripts", "printf '<%s>'")],
        env={"PATH": os.environ["PATH"], "NAME": "x", "LOCATION": "gs://b/*", **options},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "<ingest><--branch><--label=a b><--split=$(id)><--><x><gs://b/*>"


@pytest.mark.parametrize("name", ["ci.yml", "pull-request.yml"])
def test_a_merge_group_gets_no_credentials_and_leaves_no_comment_or_artifact(name: str) -> None:
    values = {**MERGE_GROUP, **EVERYTHING_SET}
    running = {
        key: job
        for key, job in workflow(name)["jobs"].items()
        if runs(job, {**values, "status": "success"})
    }
    assert "passed" in running
    assert len(running) > 2
    for job in running.values():
        assert job["permissions"].items() <= {"contents": "read"}.items()
        for step in steps_that_run(job, values):
            assert not is_privileged(step)


def test_a_merge_group_is_validated_and_planned_against_its_base() -> None:
    job = workflow("pull-request.yml")["jobs"]["merge-group"]
    values = {**MERGE_GROUP, **EVERYTHING_SET}
    ran = [step for step in steps_that_run(job, values) if "run" in step]
    assert [step["run"] for step in ran] == [
        "python -m scripts validate",
        'python -m scripts plan --against "$BASE"',
    ]
    assert interpolate(ran[1]["env"]["BASE"], values) == "2" * 40


def workflow_run(event: str, repository: str, branch: str) -> Values:
    return {
        "github.repository": "octo/ds",
        "github.event.workflow_run.event": event,
        "github.event.workflow_run.head_repository.full_name": repository,
        "github.event.workflow_run.head_branch": branch,
        "status": "success",
    }


def test_only_pull_requests_of_forks_and_dependabot_are_commented_by_the_other_workflow() -> None:
    jobs = workflow("comment.yml")["jobs"]
    # The picture follows the comment, and is skipped with it.
    assert (jobs["preview"]["needs"], "if" in jobs["preview"]) == ("comment", False)
    job = jobs["comment"]
    assert runs(job, workflow_run("pull_request", "contributor/ds", "patch"))
    assert runs(job, workflow_run("pull_request", "octo/ds", "dependabot/pip/x"))
    # These post their own comment.
    assert not runs(job, workflow_run("pull_request", "octo/ds", "patch"))
    for event in ("push", "merge_group", "workflow_dispatch", "schedule"):
        assert not runs(job, workflow_run(event, "contributor/ds", "patch"))
        assert not runs(job, workflow_run(event, "octo/ds", "dependabot/pip/x"))


def test_only_pull_requests_of_the_repository_itself_have_a_candidate() -> None:
    (job,) = workflow("candidate.yml")["jobs"].values()
    assert runs(job, workflow_run("pull_request", "octo/ds", "patch"))
    assert not runs(job, workflow_run("pull_request", "contributor/ds", "patch"))
    assert not runs(job, workflow_run("pull_request", "octo/ds", "dependabot/pip/x"))
    for event in ("push", "merge_group", "workflow_dispatch", "schedule"):
        assert not runs(job, workflow_run(event, "octo/ds", "patch"))


@pytest.mark.parametrize(
    ("conclusion", "expected"), [("success", True), ("failure", True), ("cancelled", False)]
)
def test_a_candidate_is_made_or_removed_unless_a_newer_run_follows(
    conclusion: str, expected: bool
) -> None:
    (job,) = workflow("candidate.yml")["jobs"].values()
    run = workflow_run("pull_request", "octo/ds", "patch")
    values = {**run, "github.event.workflow_run.conclusion": conclusion}
    assert runs(job, values) is expected


def test_a_candidate_is_made_by_the_code_of_main_only() -> None:
    (job,) = workflow("candidate.yml")["jobs"].values()
    used = [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step]
    assert used == [
        "actions/checkout",
        "./.github/actions/setup",
        "./.github/actions/login",
        "actions/checkout",
    ]
    refs = [step["with"]["ref"] for step in job["steps"] if uses(step, "actions/checkout")]
    assert refs == ["main", "main"]
    *_, candidate, preview = job["steps"]
    assert candidate["run"] == "python -m scripts workflow publish-candidate"
    assert preview["run"] == "python -m scripts workflow publish-preview"
    # Also where there is no candidate.
    assert preview["if"] == "success() || failure()"


def test_the_comment_for_a_fork_uses_the_code_of_main_only() -> None:
    job = workflow("comment.yml")["jobs"]["comment"]
    used = [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step]
    assert used == ["actions/checkout", "./.github/actions/setup"]
    # Without a ref, a workflow_run checks out the default branch.
    assert "ref" not in job["steps"][0]["with"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        "python -m scripts workflow comment-fork"
    ]


def test_the_preview_of_a_fork_is_drawn_by_the_code_of_main_without_what_its_run_left() -> None:
    job = workflow("comment.yml")["jobs"]["preview"]
    checkouts = [step for step in job["steps"] if uses(step, "actions/checkout")]
    assert [step["with"]["ref"] for step in checkouts] == ["main", "main"]
    *_, last, command = job["steps"]
    assert last == checkouts[1]
    assert command["run"] == "python -m scripts workflow publish-preview"
    assert command["working-directory"] == last["with"]["path"]
    # It cannot read artifacts, and has no credentials for the bucket.
    assert "actions" not in job["permissions"]
    assert "secrets" not in repr(job)


# What an issue can start.


def labeled(label: str, sender: str = "octo") -> Values:
    return {
        "github.event.sender.login": sender,
        "github.event_name": "issues",
        "github.event.issue.number": "7",
        "github.event.label.name": label,
        "status": "success",
    }


def test_only_one_label_starts_the_job_for_reported_samples() -> None:
    (job,) = workflow("reported-samples.yml")["jobs"].values()
    assert runs(job, labeled(reported_samples.LABEL))
    for label in ("bug", "", "curate-later"):
        assert not runs(job, labeled(label))


def test_nothing_of_an_issue_but_its_number_label_and_sender_is_in_the_workflow() -> None:
    used = re.findall(r"github\.event[\w.]*", (FOLDER / "reported-samples.yml").read_text())
    assert {*used} == {
        *("github.event.issue.number", "github.event.label.name", "github.event.sender.login")
    }
    # Nothing of them reaches a step.
    (job,) = workflow("reported-samples.yml")["jobs"].values()
    assert "github.event" not in repr(job["steps"])


def test_reported_samples_are_curated_by_the_code_of_main_only() -> None:
    (job,) = workflow("reported-samples.yml")["jobs"].values()
    checkouts = [step for step in job["steps"] if uses(step, "actions/checkout")]
    assert [step["with"]["ref"] for step in checkouts] == ["main", "main"]
    *_, last, command = job["steps"]
    # Nothing is installed, and no other action runs, once the token that pushes is there.
    assert last == checkouts[1]
    assert command["run"] == "python -m scripts workflow curate-issue"
    assert command["working-directory"] == last["with"]["path"]
    assert last["with"]["fetch-depth"] == 0


def test_a_run_for_another_label_or_of_somebody_else_replaces_no_pending_one() -> None:
    concurrency = workflow("reported-samples.yml")["concurrency"]
    other = {**labeled("curate"), "github.event.issue.number": "8"}
    events = (labeled("curate"), labeled("bug"), labeled("curate", "triager"), other)
    assert len({interpolate(concurrency["group"], event) for event in events}) == 4
    assert "cancel-in-progress" not in concurrency


# When a job or a step runs.


def test_reviewers_get_a_report_also_when_the_config_is_invalid_or_the_push_failed() -> None:
    job = workflow("pull-request.yml")["jobs"]["dataset"]
    for event in (OWN, FORK):
        env = {"env.TRUSTED": "true" if event is OWN else "false"}
        failed = {**event, **EVERYTHING_SET, **env, "status": "failure"}
        ran = repr([step for step in job["steps"] if runs(step, failed)])
        assert "scripts workflow check" in ran
        assert ("scripts workflow comment" in ran) is (event is OWN)
        assert ("dataset-report" in ran) is (event is FORK)
        cancelled = {**failed, "status": "cancelled"}
        assert not [step for step in job["steps"] if runs(step, cancelled)]


def test_notes_and_comments_are_updated_also_when_the_release_failed() -> None:
    job = workflow("release.yml")["jobs"]["release"]
    *_, release, promote, notes = job["steps"]
    assert release["run"] == "python -m scripts release"
    assert promote["run"] == "python -m scripts promote"
    assert notes["run"] == "python -m scripts workflow publish-notes"
    assert "if" not in release
    for step in (promote, notes):
        assert step["if"] == "success() || failure()"


@pytest.mark.parametrize(
    ("visibility", "variable", "checksums", "expected"),
    [
        ("public", "", "x", True),
        ("private", "true", "x", True),
        ("private", "", "x", False),
        ("public", "true", "", False),
    ],
)
@pytest.mark.parametrize("status", ["success", "failure", "cancelled"])
def test_what_was_published_is_attested_where_the_plan_allows_it(
    visibility: str, variable: str, checksums: str, expected: bool, status: str
) -> None:
    job = workflow("release.yml")["jobs"]["attest"]
    values = {
        "github.event.repository.visibility": visibility,
        "vars.ATTESTATIONS": variable,
        "needs.release.outputs.checksums": checksums,
        "status": status,
    }
    # What was published before the release job failed is attested too.
    assert runs(job, values) is (expected and status != "cancelled")


def test_the_job_that_attests_reads_nothing_but_the_checksums() -> None:
    jobs = workflow("release.yml")["jobs"]
    (notes,) = (n for n in jobs["release"]["steps"] if n.get("id") == "notes")
    assert notes["run"] == "python -m scripts workflow publish-notes"
    assert jobs["release"]["outputs"] == {"checksums": "${{ steps.notes.outputs.checksums }}"}
    write, attest = jobs["attest"]["steps"]
    assert write["env"] == {"CHECKSUMS": "${{ needs.release.outputs.checksums }}"}
    assert write["run"] == "printenv CHECKSUMS > SHA256SUMS"
    assert uses(attest, "actions/attest")
    assert attest["with"] == {"subject-checksums": "SHA256SUMS"}


@pytest.mark.parametrize("variable", ["public", "", "private", "true"])
@pytest.mark.parametrize("written", ["true", ""])
def test_the_catalogue_is_public_only_where_the_team_says_so(variable: str, written: str) -> None:
    jobs = workflow("release.yml")["jobs"]
    values = {
        **EVERYTHING_SET,
        "vars.CATALOGUE": variable,
        "steps.site.outputs.written": written,
        "needs.catalogue.outputs.written": written,
        "status": "success",
    }
    ran = repr(steps_that_run(jobs["catalogue"], values))

    assert ("actions/upload-artifact" in ran) is (bool(written) and variable != "public")
    assert ("actions/upload-pages-artifact" in ran) is (bool(written) and variable == "public")
    assert runs(jobs["publish-catalogue"], values) is (bool(written) and variable == "public")


@pytest.mark.parametrize("catalogue", ["public", ""])
@pytest.mark.parametrize("docs", ["public", ""])
@pytest.mark.parametrize("written", ["true", ""])
def test_the_documentation_is_published_beside_the_catalogue_where_the_team_says_so(
    catalogue: str, docs: str, written: str
) -> None:
    values = {
        **EVERYTHING_SET,
        "vars.CATALOGUE": catalogue,
        "vars.DOCS": docs,
        "steps.site.outputs.written": written,
        "status": "success",
    }
    ran = [
        step.get("run")
        for step in steps_that_run(workflow("release.yml")["jobs"]["catalogue"], values)
    ]

    assert ("make docs SITE=catalogue/docs" in ran) is bool(catalogue and docs and written)


def test_the_job_that_publishes_the_catalogue_runs_nothing_else() -> None:
    (deploy,) = workflow("release.yml")["jobs"]["publish-catalogue"]["steps"]

    assert uses(deploy, "actions/deploy-pages")
    assert "DEPLOY_KEY" not in repr(workflow("release.yml")["jobs"]["catalogue"])


@pytest.mark.parametrize("variable", ["our-team/mnist", ""])
@pytest.mark.parametrize("status", ["success", "failure", "cancelled"])
def test_releases_are_mirrored_only_where_the_team_names_a_repository(
    variable: str, status: str
) -> None:
    jobs = workflow("release.yml")["jobs"]
    values = {"vars.HUGGINGFACE_REPOSITORY": variable, "status": status}

    # What is released already is mirrored also when a release failed.
    assert runs(jobs["mirror"], values) is (bool(variable) and status != "cancelled")
    # Nothing fails with it.
    assert [name for name, job in jobs.items() if job.get("needs") == "mirror"] == []


def test_only_the_command_that_mirrors_has_the_token_of_the_hub() -> None:
    having = [
        (file.name, step["run"])
        for file in FILES
        for step in steps(file)
        if "HUGGINGFACE_TOKEN" in repr(step)
    ]
    assert having == [("release.yml", "python -m scripts workflow mirror-hub")]
    assert (FOLDER / "release.yml").read_text().count("HUGGINGFACE_TOKEN }}") == 1
    assert "DEPLOY_KEY" not in repr(workflow("release.yml")["jobs"]["mirror"])
    installed = [
        name for name, job in workflow("release.yml")["jobs"].items() if "-hub.txt" in repr(job)
    ]
    assert installed == ["mirror"]


@pytest.mark.parametrize("name", ["pull-request.yml", "ci.yml"])
def test_no_path_filter_keeps_a_required_check_from_reporting(name: str) -> None:
    for event in ("pull_request", "merge_group"):
        assert workflow(name)["on"][event] is None
    jobs = workflow(name)["jobs"]
    assert jobs["passed"]["if"] == "always()"
    assert set(jobs["passed"]["needs"]) == set(jobs) - {"passed", "platforms"}
    assert "if" not in jobs["changes"]
    assert "needs" not in jobs["changes"]


@pytest.mark.parametrize(
    ("event", "changed", "expected"),
    [
        (OWN, "true", {"dataset"}),
        (FORK, "true", {"dataset"}),
        (MERGE_GROUP, "true", {"merge-group"}),
        (OWN, "false", set()),
        (MERGE_GROUP, "false", set()),
    ],
)
def test_a_change_of_the_dataset_is_checked(
    event: Values, changed: str, expected: set[str]
) -> None:
    jobs = workflow("pull-request.yml")["jobs"]
    values = {**event, "needs.changes.outputs.dataset": changed, "status": "success"}
    assert {name for name, job in jobs.items() if runs(job, values)} == {
        "changes",
        "passed",
        *expected,
    }


@pytest.mark.parametrize("event", ["pull_request", "merge_group", "push"])
@pytest.mark.parametrize("changed", ["true", "false"])
def test_a_change_of_the_machinery_is_checked(event: str, changed: str) -> None:
    jobs = workflow("ci.yml")["jobs"]
    values = {
        "github.event_name": event,
        "needs.changes.outputs.machinery": changed,
        "status": "success",
    }
    due = {"lint", "test", "e2e", "platforms"} if changed == "true" else set()
    assert {name for name, job in jobs.items() if runs(job, values)} == {"changes", "passed", *due}


def test_the_tests_run_on_windows_and_macos_outside_of_the_required_check() -> None:
    job = workflow("ci.yml")["jobs"]["platforms"]
    assert job["runs-on"] == "${{ matrix.platform }}"
    assert job["strategy"] == {
        "fail-fast": False,
        "matrix": {"platform": ["windows-latest", "macos-latest"]},
    }
    _, setup, test = job["steps"]
    assert setup["uses"] == "./.github/actions/setup"
    assert setup["with"] == {"requirements": "requirements-dev.txt"}
    assert (
        test["run"]
        == "python -m pytest -n auto --dist loadfile --ignore tests/e2e --ignore tests/soak"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_failure_counts_as_success_but_on_windows_and_macos(file: Path) -> None:
    for name, job in workflow(file.name)["jobs"].items():
        tolerant = [part for part in (job, *job["steps"]) if "continue-on-error" in part]
        assert tolerant == ([job] if name == "platforms" else [])


@needs_make
@pytest.mark.parametrize(("system", "folder"), [("Windows_NT", "Scripts"), ("", "bin")])
def test_make_finds_the_programs_of_the_virtual_environment(system: str, folder: str) -> None:
    assert f".venv/{folder}/python -m pytest " in planned("test", f"OS={system}")


def outcomes(name: str, output: str, event: str) -> Iterator[tuple[dict[str, str], str, bool]]:
    """Yield each combination of results and of the output of `changes`, and whether it passes."""
    jobs = workflow(name)["jobs"]
    (step,) = jobs["passed"]["steps"]
    assert step["run"] == "exit 1"
    needed = jobs["passed"]["needs"]
    for changed in ("true", "false", ""):
        for results in itertools.product(RESULTS, repeat=len(needed)):
            values = {f"needs.{job}.result": r for job, r in zip(needed, results, strict=True)}
            values |= {f"needs.changes.outputs.{output}": changed, "github.event_name": event}
            fails = runs(step, {**values, "status": "success"})
            yield dict(zip(needed, results, strict=True)), changed, not fails


@pytest.mark.parametrize(
    ("event", "due", "other"),
    [("pull_request", "dataset", "merge-group"), ("merge_group", "merge-group", "dataset")],
)
def test_dataset_passed_demands_every_check_that_was_due(event: str, due: str, other: str) -> None:
    for results, changed, passes in outcomes("pull-request.yml", "dataset", event):
        allowed = {"success", "skipped"} if changed == "false" else {"success"}
        assert passes is (
            results["changes"] == "success"
            and results[due] in allowed
            # It never runs for this event.
            and results[other] in {"success", "skipped"}
        ), (results, changed)


@pytest.mark.parametrize("event", ["pull_request", "merge_group", "push"])
def test_ci_passed_demands_every_check_that_was_due(event: str) -> None:
    for results, changed, passes in outcomes("ci.yml", "machinery", event):
        checks = [results["lint"], results["test"], results["e2e"]]
        allowed = {"success", "skipped"} if changed == "false" else {"success"}
        assert passes is (results["changes"] == "success" and set(checks) <= allowed), results


def test_the_release_of_the_machinery_has_its_bill_of_materials() -> None:
    (job,) = workflow("machinery.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        "make sbom",
        "python -m scripts workflow publish-machinery sbom.cdx.json",
    ]


@pytest.mark.parametrize(("visibility", "expected"), [("public", True), ("private", False)])
def test_the_scorecard_is_made_for_public_repositories(visibility: str, expected: bool) -> None:
    (job,) = workflow("scorecard.yml")["jobs"].values()
    values = {"github.event.repository.visibility": visibility, "status": "success"}
    assert runs(job, values) is expected
    # Its results stay in the repository.
    (scorecard,) = (step for step in job["steps"] if uses(step, "ossf/scorecard-action"))
    assert scorecard["with"]["publish_results"] is False


def test_each_soak_lives_other_histories_of_main_without_credentials() -> None:
    (job,) = workflow("soak.yml")["jobs"].values()
    checkout, _, soak = job["steps"]
    assert checkout["with"]["ref"] == "main"
    assert soak == {"env": {"SOAK_SEED": "${{ github.run_id }}"}, "run": "make soak"}
    assert "secrets" not in repr(job)


# Which runs replace others.


@pytest.mark.parametrize("name", ["candidate.yml", "comment.yml"])
def test_a_branch_of_a_fork_with_the_same_name_replaces_no_pending_run(name: str) -> None:
    group = workflow(name)["concurrency"]["group"]
    runs_ = [("octo/ds", "x"), ("contributor/ds", "x"), ("octo/ds", "y")]
    groups = {interpolate(group, workflow_run("pull_request", *run)) for run in runs_}
    assert len(groups) == 3


def test_what_pull_requests_make_slow_is_no_part_of_the_release() -> None:
    assert "update-comments" not in (FOLDER / "release.yml").read_text()
    (job,) = workflow("update-comments.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        "python -m scripts workflow update-comments"
    ]
    # Neither the key that pushes to main, nor the release's role, nor its turn.
    assert "environment" not in job
    assert "ssh-key" not in repr(job)
    group = workflow("update-comments.yml")["concurrency"]
    assert group != workflow("release.yml")["concurrency"]
    refs = [step["with"]["ref"] for step in job["steps"] if uses(step, "actions/checkout")]
    assert refs == ["main", "main"]


def test_one_check_of_the_releases_runs_at_a_time_by_the_code_of_main() -> None:
    assert workflow("health.yml")["concurrency"] == {"group": "health"}
    (job,) = workflow("health.yml")["jobs"].values()
    (checkout,) = (step for step in job["steps"] if uses(step, "actions/checkout"))
    # With the tags, and all of main.
    assert (checkout["with"]["ref"], checkout["with"]["fetch-depth"]) == ("main", 0)
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        "python -m scripts workflow report-health"
    ]


def test_one_release_runs_at_a_time_and_none_is_cancelled() -> None:
    assert workflow("release.yml")["concurrency"] == {"group": "release"}


def test_no_garbage_is_collected_while_a_release_runs_and_a_release_follows() -> None:
    assert workflow("gc.yml")["concurrency"] == workflow("release.yml")["concurrency"]
    # Whatever became of the run: it may have replaced a pending release.
    assert "if" not in workflow("release.yml")["jobs"]["release"]


@pytest.mark.parametrize("name", ["pull-request.yml", "ci.yml"])
def test_a_newer_push_to_a_pull_request_replaces_its_older_run_only(name: str) -> None:
    concurrency = workflow(name)["concurrency"]
    other = {**OWN, "github.ref": "refs/pull/8/merge", "github.event.pull_request.number": "8"}
    group, other_group = (interpolate(concurrency["group"], event) for event in (OWN, other))
    assert group != other_group
    assert interpolate(str(concurrency["cancel-in-progress"]).lower(), OWN) == "true"


@pytest.mark.parametrize("name", ["pull-request.yml", "ci.yml"])
def test_each_merge_group_has_its_own_run(name: str) -> None:
    group = workflow(name)["concurrency"]["group"]
    other = {**MERGE_GROUP, "github.ref": MERGE_GROUP["github.ref"].replace("1", "3")}
    main_ = {"github.event_name": "push", "github.ref": "refs/heads/main"}
    groups = {interpolate(group, event) for event in (OWN, MERGE_GROUP, other, main_)}
    assert len(groups) == 4


def test_a_run_of_ci_on_main_is_not_cancelled() -> None:
    cancel = workflow("ci.yml")["concurrency"]["cancel-in-progress"]
    assert interpolate(cancel, {"github.event_name": "push"}) == "false"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a' == 'A' && 'b' || 'c'", "b"),
        ("!('a' == 'a') || x.y", ""),
        ("'it''s'", "it's"),
        ("contains(needs.*.result, 'failure')", True),
        ("startsWith(a-b.c_d, 'dependabot/')", True),
        ("success() && !cancelled()", True),
        ("failure() || ('a' != 'a' && always())", False),
    ],
)
def test_expressions_are_evaluated_as_github_does(expression: str, expected: object) -> None:
    values = {"needs.x.result": "failure", "a-b.c_d": "Dependabot/pip", "status": "success"}
    assert evaluate(expression, values) == expected
