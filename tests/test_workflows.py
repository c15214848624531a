import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.repository import PROJECT

FOLDER = PROJECT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
ACTION_FILES = [*FILES, *sorted((PROJECT / ".github" / "actions").rglob("action.yml"))]


def workflow(name: str) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(FOLDER / name)
    return content


def steps(file: Path) -> list[dict[str, Any]]:
    content = YAML(typ="safe", pure=True).load(file)
    jobs = content["jobs"].values() if "jobs" in content else [content["runs"]]
    return [step for job in jobs for step in job["steps"]]


def test_each_workflow_starts_when_it_should() -> None:
    assert workflow("pull-request.yml")["on"] == {"pull_request": None}
    assert workflow("comment.yml")["on"] == {
        "workflow_run": {
            "workflows": [workflow("pull-request.yml")["name"]],
            "types": ["completed"],
        }
    }
    assert workflow("release.yml")["on"] == {
        "push": {"branches": ["main"]},
        "workflow_dispatch": None,
    }
    assert workflow("ci.yml")["on"] == {"pull_request": None, "push": {"branches": ["main"]}}


def test_no_path_filter_keeps_a_required_check_from_reporting() -> None:
    for name in ("pull-request.yml", "ci.yml"):
        assert workflow(name)["on"]["pull_request"] is None
        assert workflow(name)["jobs"]["passed"]["if"] == "always()"
        others = set(workflow(name)["jobs"]) - {"passed"}
        assert set(workflow(name)["jobs"]["passed"]["needs"]) == others


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_is_permitted_but_what_each_job_asks_for(file: Path) -> None:
    assert workflow(file.name)["permissions"] == {}
    for job in workflow(file.name)["jobs"].values():
        assert "permissions" in job
        assert job["timeout-minutes"]


def test_each_job_asks_for_no_more_than_this() -> None:
    permissions = {
        f"{file.stem}/{name}": job["permissions"]
        for file in FILES
        for name, job in workflow(file.name)["jobs"].items()
    }
    assert permissions == {
        "ci/lint": {"contents": "read"},
        "ci/test": {"contents": "read"},
        "ci/e2e": {"contents": "read"},
        "ci/passed": {},
        "comment/comment": {"contents": "read", "actions": "read", "pull-requests": "write"},
        "pull-request/touched": {"contents": "read"},
        "pull-request/dataset": {
            "contents": "read",
            "id-token": "write",
            "pull-requests": "write",
        },
        "pull-request/passed": {},
        "release/release": {
            "contents": "write",
            "id-token": "write",
            "pull-requests": "write",
        },
    }


@pytest.mark.parametrize("file", ACTION_FILES, ids=lambda file: str(file.relative_to(PROJECT)))
def test_every_action_is_pinned_by_its_hash_with_the_version_beside_it(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text())
    assert used
    for reference in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", reference) or (
            reference.startswith("./.github/actions/")
        )


@pytest.mark.parametrize("file", ACTION_FILES, ids=lambda file: str(file.relative_to(PROJECT)))
def test_no_value_reaches_a_script_but_through_the_environment(file: Path) -> None:
    for step in steps(file):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_step_calls_one_verb(file: Path) -> None:
    for step in steps(file):
        if "run" in step:
            assert re.fullmatch(
                r"python3? -m scripts[. ][a-z]+( .*)?|make [a-z0-9]+|exit 1", step["run"]
            )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_the_release_keeps_the_credentials_of_its_checkout(file: Path) -> None:
    for step in steps(file):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is (file.stem == "release")


def test_no_secret_is_reachable_from_a_run_for_a_fork() -> None:
    job = workflow("pull-request.yml")["jobs"]["dataset"]
    trusted = job["env"]["TRUSTED"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in trusted
    assert "github.event.pull_request.user.login != 'dependabot[bot]'" in trusted
    for step in job["steps"]:
        text = repr(step)
        if "secrets." in text or "github.token" in text or "scripts push" in text:
            assert "env.TRUSTED == 'true'" in step["if"]
    # The whole file mentions secrets in these steps, and to know whether one is set.
    assert "secrets" not in repr(workflow("pull-request.yml")["jobs"]["touched"])
    assert "secrets" not in repr(workflow("ci.yml"))
    assert "secrets" not in repr(workflow("comment.yml"))


def test_what_follows_a_forks_run_never_checks_out_or_downloads_anything_of_it() -> None:
    (job,) = workflow("comment.yml")["jobs"].values()
    used = [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step]
    assert used == ["actions/checkout", "./.github/actions/setup"]
    # Without a ref it is the default branch that a workflow_run checks out.
    assert "ref" not in job["steps"][0]["with"]
    condition = " ".join(job["if"].split())
    assert "github.event.workflow_run.head_repository.full_name != github.repository" in condition


def test_one_release_runs_at_a_time_and_none_is_broken_off() -> None:
    assert workflow("release.yml")["concurrency"] == {"group": "release"}


def test_a_newer_push_to_a_pull_request_replaces_the_run_for_the_older() -> None:
    concurrency = workflow("pull-request.yml")["concurrency"]
    assert "github.event.pull_request.number" in concurrency["group"]
    assert concurrency["cancel-in-progress"] is True
