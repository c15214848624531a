"""What the steps set up is what the workflows need."""

import json
import re
import shlex
import subprocess
from typing import Any

import pytest

from scripts.setup import rules
from scripts.setup.repository import LABEL, OF_ENVIRONMENTS
from tests.doubles.cloud import Cloud
from tests.repository import PROJECT, Run
from tests.setup.conftest import EVERYTHING, OPTIONS, OTHER_STORES, Use

WORKFLOWS = "".join(
    file.read_text() for file in sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
)
# What the setup does not set is set by hand.
DOCUMENT = "".join(
    (PROJECT / "docs" / name).read_text() for name in ("setup.md", "stores.md", "run.md")
)


@pytest.fixture
def script(use: Use, run: Run) -> str:
    """All commands, as a dry run prints them."""
    use(Cloud())
    return run("setup", *OPTIONS, *EVERYTHING, "--dry-run").out


def sent(script: str) -> list[dict[str, Any]]:
    """Return what is sent to GitHub as JSON."""
    lines = (shlex.split(line) for line in script.splitlines() if line.startswith("printf "))
    return [json.loads(words[2]) for words in lines]


@pytest.fixture
def others(use: Use, run: Run) -> str:
    """All commands for the other stores."""
    made = ""
    for options in OTHER_STORES.values():
        use(Cloud())
        made += run("setup", *options, *EVERYTHING, "--dry-run").out
    return made


def test_the_commands_are_valid_shell(script: str, others: str) -> None:
    assert "gcloud iam roles create" in script
    assert '--assignee-object-id "$(az identity show' in others
    subprocess.run(["bash", "-n"], input=script + others, text=True, check=True)


def test_the_rules_require_checks_that_exist(script: str) -> None:
    rulesets = [one for one in sent(script) if "target" in one]
    assert [one["name"] for one in rulesets] == ["main", "stable", "releases"]
    assert [one["target"] for one in rulesets] == ["branch", "branch", "tag"]
    (required,) = (r for r in rulesets[0]["rules"] if r["type"] == "required_status_checks")
    checks = required["parameters"]["required_status_checks"]
    assert [check["context"] for check in checks] == ["Dataset passed", "CI passed"]
    for check in checks:
        assert f"name: {check['context']}\n" in WORKFLOWS
        # Only GitHub Actions may report it.
        assert check["integration_id"] == 15368


def test_pull_requests_can_be_merged_or_squashed_but_not_rebased(script: str) -> None:
    content = rules.content(rules.MAIN, is_alone=False)
    (changes,) = (r for r in content["rules"] if r["type"] == "pull_request")
    assert changes["parameters"]["allowed_merge_methods"] == ["merge", "squash"]
    assert "gh api repos/octo/ds --method PATCH -F allow_rebase_merge=false" in script


def test_every_variable_and_secret_that_the_workflows_read_is_set(script: str, others: str) -> None:
    read = set(re.findall(r"(?:vars|secrets)\.([A-Z_]+)", WORKFLOWS))
    written = set(re.findall(r"gh (?:variable|secret) set ([A-Z_]+)", script + others + DOCUMENT))
    assert read == written


def test_secrets_that_belong_to_an_environment_may_not_be_those_of_the_repository() -> None:
    read = set(re.findall(r"secrets\.([A-Z_]+)", WORKFLOWS))
    # Pull requests have no environment.
    assert read - {"GCP_PULL_REQUEST_KEY"} == OF_ENVIRONMENTS


def test_the_number_of_the_repository_and_the_environments_of_main_are_trusted(
    script: str,
) -> None:
    (condition,) = re.findall(r"'(--attribute-condition=.*?)' --project", script)
    assert shlex.split(f"'{condition}'") == [
        "--attribute-condition=assertion.repository_id == '4242'"
    ]
    # A name can be taken by somebody else.
    assert not re.search(r"assertion\.repository\b", script)
    members = re.findall(r"principalSet://iam\.googleapis\.com/\S+/github/(\S+)", script)
    environments = {*re.findall(r"^    environment: (\w+)$", WORKFLOWS, re.MULTILINE)}
    assert sorted(environments) == ["gc", "ingest", "release"]
    assert members == [
        "attribute.event/4242:pull_request",
        "attribute.event/4242:issues",
        "attribute.event/4242:workflow_run",
        "attribute.event/4242:schedule",
        "attribute.event/4242:workflow_dispatch",
        *(
            f"attribute.environment/4242:refs/heads/main:{environment}"
            for environment in ("release", "ingest", "gc")
        ),
    ]
    for environment in environments:
        assert f"repos/octo/ds/environments/{environment} " in script


def test_the_label_is_the_one_that_starts_a_workflow(script: str) -> None:
    assert re.findall(r"github\.event\.label\.name == '([^']+)'", WORKFLOWS) == [LABEL]
    assert f"gh label create {LABEL} " in script


def test_only_the_account_of_garbage_collection_can_delete(script: str) -> None:
    permissions = dict(re.findall(r"roles create (\w+) .*--permissions=(\S+)", script))
    assert {name for name, these in permissions.items() if "delete" in these} == {
        "datasetCollector"
    }
    assert re.findall(r"--member=serviceAccount:(\S+)@\S+ --role=\S+/datasetCollector", script) == [
        "dataset-gc"
    ]
