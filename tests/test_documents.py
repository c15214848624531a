"""The documents name what exists, and their examples are what the code gives."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.__main__ import main
from scripts.dataset.selection import RULE
from scripts.inputs import config_file
from scripts.inputs.config import TEST, TRAIN
from scripts.releases import lock
from scripts.releases.comparison import Comparison
from scripts.releases.diff import Diff
from scripts.releases.index import Index
from scripts.releases.lock import Lock, LockedOutput, Meta, SourceRecord
from scripts.releases.releases import Release
from scripts.review import plan, render
from tests.repository import PROJECT

README = PROJECT / "README.md"
needs_readme = pytest.mark.skipif(
    "\n## Change the dataset\n" not in README.read_text(),
    reason="a team's own README has other sections",
)
SETUP = PROJECT / "docs" / "setup.md"
STORES = PROJECT / "docs" / "stores.md"
# Only a request that creates an object has this header.
CONDITIONAL = {"Null": {"s3:if-none-match": "false"}}
DOCUMENTS = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").glob("*.md"))]
# What the README's example asks for, and what its comment shows.
FOLDERS = ("3", "no3")
TRAIN_COUNT, TEST_COUNT = 80, 20


def commands(file: Path) -> str:
    """Return the indented blocks of a document: what a reader types."""
    blocks = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", file.read_text(), flags=re.MULTILINE)
    return "\n".join(re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks)


def workflows() -> str:
    return "".join(
        file.read_text() for file in sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
    )


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_verb_in_a_document_exists(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verbs = set(re.findall(r"python3? -m scripts ((?:workflow )?[a-z-]+)", file.read_text()))
    for verb in verbs:
        with pytest.raises(SystemExit) as stopped:
            main([*verb.split(), "--help"])
        assert stopped.value.code == 0, verb
    if file == README and not needs_readme.args[0]:
        assert {"validate", "plan", "build", "push", "release", "verify", "remote"} <= verbs


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_link_between_documents_has_a_target(file: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", file.read_text()):
        assert (file.parent / target).exists(), target


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_make_target_in_a_document_exists(file: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text()
    in_blocks = re.findall(r"^make ([.a-z0-9-]+)", commands(file), flags=re.MULTILINE)
    in_text = re.findall(r"`make ([.a-z0-9-]+)", file.read_text())
    for target in {*in_blocks, *in_text}:
        assert re.search(rf"^{re.escape(target)}:", makefile, flags=re.MULTILINE), target


@needs_readme
def test_the_example_in_the_readme_is_a_valid_config() -> None:
    example = re.search(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    assert example
    parsed = config_file.parse(example.group(1).encode())
    assert parsed.record().keys() == {"source", "class", "samples", "test_size", "seed"}
    for folder in FOLDERS:
        assert parsed.sizes(folder) == (TRAIN_COUNT, 0, TEST_COUNT)


def recorded(md5: str, factor: int) -> Lock:
    """Return the lock of the README's example, with `factor` times as many samples."""
    counts: dict[str, dict[str, int]] = {
        TRAIN: dict.fromkeys(FOLDERS, factor * TRAIN_COUNT),
        TEST: dict.fromkeys(FOLDERS, factor * TEST_COUNT),
    }
    images = sum(sum(by_folder.values()) for by_folder in counts.values())
    return Lock(
        outs=[LockedOutput(md5=md5, size=276 * images, nfiles=images)],
        meta=Meta(
            schema_=lock.SCHEMA,
            config={},
            source=SourceRecord(name="mnist_784", sha256="0" * 64, rows=70_000),
            selection=RULE,
            counts=counts,
            samples="0" * 64,
        ),
    )


def indexed(count: int) -> Index:
    """Return the index of a version with `count` images, which has those of a smaller one."""
    return Index({number.to_bytes(32): (TRAIN, "3") for number in range(count)})


def test_the_places_that_the_design_names_exist() -> None:
    text = (PROJECT / "docs" / "design.md").read_text(encoding="utf-8")
    named = {*re.findall(r"`((?:scripts|tests|docs|\.github)/[\w./-]*)`", text)}
    assert len(named) > 50
    assert [path for path in sorted(named) if not (PROJECT / path).exists()] == []


@needs_readme
def test_the_comment_in_the_readme_is_that_of_doubling_the_dataset() -> None:
    first, second = (recorded(f"{factor}" * 32 + ".dir", factor) for factor in (1, 2))
    doubled = Diff(
        before=Release("v0", "0" * 40, first),
        after=second,
        version="v1",
        comparison=Comparison(comparable=["v0"]),
        old=indexed(first.nfiles),
        new=indexed(second.nfiles),
        new_bytes=0,
    )

    quoted = [line for line in README.read_text().splitlines() if line.startswith(">")]
    shown = "\n".join(re.sub("^> ?", "", line) for line in quoted)

    assert "### dataset v1: +200 samples, 2 classes" in shown
    assert "| total | 320 (+160) | 80 (+40) | 400 (+200) |" in shown
    assert render.plan_markdown(plan.plan_of_diff(doubled)).startswith(shown)


def test_the_commands_of_the_setup_are_valid_shell() -> None:
    text = commands(SETUP)
    assert "gcloud iam roles create" in text
    assert "gh api" in text
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def stand_in(folder: Path, name: str, answer: str) -> None:
    """Write a program that answers, and keeps what it was called with, an argument a line."""
    file = folder / name
    file.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {folder}/{name}.txt\necho "{answer}"\n')
    file.chmod(0o755)


def policies(file: Path) -> list[dict[str, Any]]:
    """Return the JSON that a stand-in was called with."""
    found = re.findall(r"^\{\n.*?\](?:\}\}\}\])?\}$", file.read_text(), re.DOTALL | re.MULTILINE)
    return [json.loads(one) for one in found]


def test_the_commands_for_other_stores_give_valid_policies(tmp_path: Path) -> None:
    subject = "repo:octo@1/ds@2"
    for name, answer in (("aws", "123"), ("az", "id"), ("gh", subject)):
        stand_in(tmp_path, name, answer)
    text = re.sub(r"^(pip|python) .*\n", "", commands(STORES), flags=re.MULTILINE)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "REPOSITORY": "octo/ds"}
    subprocess.run(["bash", "-eu"], input=text.encode(), check=True, env=environment)

    made = [one["Statement"] for one in policies(tmp_path / "aws.txt")]
    subjects = [
        one["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
        for one, *_ in made
        if "Principal" in one
    ]
    assert subjects == [
        [f"{subject}:pull_request", f"{subject}:ref:refs/heads/main"],
        *([f"{subject}:environment:{name}"] for name in ("release", "ingest", "gc")),
    ]
    allowed = [statements for statements in made if "Principal" not in statements[0]]
    # Only the last one can delete, and nobody can overwrite.
    assert ["s3:DeleteObject" in repr(one) for one in allowed] == [False] * 4 + [True]
    for statement in (one for statements in allowed for one in statements):
        assert ("s3:PutObject" in statement["Action"]) is ("Condition" in statement)
        assert statement.get("Condition", CONDITIONAL) == CONDITIONAL
    roles = policies(tmp_path / "az.txt")
    assert [[one.split("/blobs/")[1] for one in role["DataActions"]] for role in roles] == [
        ["read", "add/action"],
        ["read", "delete"],
    ]


def test_the_rules_of_the_setup_are_valid_and_require_checks_that_exist() -> None:
    rules = [
        json.loads(text)
        for text in re.findall(r"<<'JSON'\n(.*?)\nJSON\n", commands(SETUP), re.DOTALL)
    ]
    rules = [rule for rule in rules if "target" in rule]
    assert [rule["name"] for rule in rules] == ["main", "stable", "releases"]
    assert [rule["target"] for rule in rules] == ["branch", "branch", "tag"]
    (required,) = (r for r in rules[0]["rules"] if r["type"] == "required_status_checks")
    checks = required["parameters"]["required_status_checks"]
    assert [check["context"] for check in checks] == ["Dataset passed", "CI passed"]
    for check in checks:
        assert f"name: {check['context']}\n" in workflows()
        # Only GitHub Actions may report it.
        assert check["integration_id"] == 15368


def test_the_setup_sets_every_variable_and_secret_that_the_workflows_read() -> None:
    read = set(re.findall(r"(?:vars|secrets)\.([A-Z_]+)", workflows()))
    text = commands(SETUP) + commands(STORES)
    assert read == set(re.findall(r"gh (?:variable|secret) set ([A-Z_]+)", text))


def test_the_setup_lets_pull_requests_be_merged_or_squashed_but_not_rebased() -> None:
    (rules,) = re.findall(
        r"^{\n  \"name\": \"main\".*?^}$", commands(SETUP), re.DOTALL | re.MULTILINE
    )
    (changes,) = (r for r in json.loads(rules)["rules"] if r["type"] == "pull_request")
    assert changes["parameters"]["allowed_merge_methods"] == ["merge", "squash"]
    assert 'gh api "repos/$REPOSITORY" --method PATCH -F allow_rebase_merge=false' in commands(
        SETUP
    )


def test_the_setup_names_every_action_that_is_used() -> None:
    files = (PROJECT / ".github").rglob("*.yml")
    used = {name for f in files for name in re.findall(r"uses: ([\w/-]+)@", f.read_text())}
    (named,) = re.findall(r"must allow these: (.*?)\.\n", SETUP.read_text(), re.DOTALL)
    assert set(re.findall(r"`([^`]+)`", named)) == used


def test_the_setup_trusts_the_number_of_the_repository_and_the_environments_of_main() -> None:
    text = commands(SETUP)
    assert "--attribute-condition=\"assertion.repository_id == '$REPOSITORY_ID'\"" in text
    # A name can be taken by somebody else.
    assert not re.search(r"assertion\.repository\b", text)
    members = re.findall(r'"principalSet://iam\.googleapis\.com/\$POOL/(.*)"', text)
    environments = {*re.findall(r"^    environment: (\w+)$", workflows(), re.MULTILINE)}
    assert sorted(environments) == ["gc", "ingest", "release"]
    assert members == [
        "attribute.event/$REPOSITORY_ID:pull_request",
        "attribute.event/$REPOSITORY_ID:issues",
        "attribute.event/$REPOSITORY_ID:workflow_run",
        "attribute.event/$REPOSITORY_ID:schedule",
        "attribute.event/$REPOSITORY_ID:workflow_dispatch",
        *(
            f"attribute.environment/$REPOSITORY_ID:refs/heads/main:{environment}"
            for environment in sorted(environments, reverse=True)
        ),
    ]


def test_the_setup_makes_the_label_that_starts_a_workflow() -> None:
    (label,) = re.findall(r"github\.event\.label\.name == '([^']+)'", workflows())
    assert f"gh label create {label} " in commands(SETUP)
    assert f"the label `{label}`" in SETUP.read_text()
    if not needs_readme.args[0]:
        assert f"the label `{label}`" in README.read_text()


def test_the_setup_sends_forks_of_private_repositories_no_write_token_and_no_secrets() -> None:
    text = commands(SETUP)
    assert "-F send_write_tokens_to_workflows=false" in text
    assert "-F send_secrets_and_variables=false" in text


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_no_document_has_two_empty_lines_in_a_row(file: Path) -> None:
    # Python code has them.
    text = re.sub(
        r"^```python$.*?^```$", "(code)", file.read_text(), flags=re.MULTILINE | re.DOTALL
    )
    assert "\n\n\n" not in text
