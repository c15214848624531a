"""The documents name what exists, and their examples are what the code gives."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from scripts.__main__ import main
from scripts.build.selection import TEST, TRAIN
from scripts.inputs import config
from scripts.review import plan, render
from scripts.versions import lock
from scripts.versions.diff import Diff, SampleDiff
from scripts.versions.lock import Lock, Meta, Output, SourceRecord
from scripts.versions.releases import Release
from tests.repository import PROJECT

README = PROJECT / "README.md"
SETUP = PROJECT / "docs" / "setup.md"
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
    verbs = set(re.findall(r"python3? -m scripts ([a-z-]+)", file.read_text()))
    for verb in verbs:
        with pytest.raises(SystemExit) as stopped:
            main([verb, "--help"])
        assert stopped.value.code == 0, verb
    if file == README:
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


def test_the_example_in_the_readme_is_a_valid_config() -> None:
    example = re.search(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    assert example
    parsed = config.parse(example.group(1).encode())
    assert parsed.record().keys() == {"source", "class", "samples", "test_size", "seed"}
    for folder in FOLDERS:
        assert parsed.train_and_test(folder) == (TRAIN_COUNT, TEST_COUNT)


def recorded(md5: str, factor: int) -> Lock:
    """Return the lock of the README's example, with `factor` times as many samples."""
    counts: dict[str, dict[str, int]] = {
        TRAIN: dict.fromkeys(FOLDERS, factor * TRAIN_COUNT),
        TEST: dict.fromkeys(FOLDERS, factor * TEST_COUNT),
    }
    images = sum(sum(by_folder.values()) for by_folder in counts.values())
    return Lock(
        outs=[Output(md5=md5, size=276 * images, nfiles=images)],
        meta=Meta(
            schema_=lock.SCHEMA,
            config={},
            source=SourceRecord(name="mnist_784", sha256="0" * 64, rows=70_000),
            counts=counts,
            samples="0" * 64,
        ),
    )


def test_the_comment_in_the_readme_is_that_of_doubling_the_dataset() -> None:
    first, second = (recorded(f"{factor}" * 32 + ".dir", factor) for factor in (1, 2))
    doubled = Diff(
        before=Release("v0", "0" * 40, first),
        after=second,
        version="v1",
        samples=SampleDiff(added=second.nfiles - first.nfiles, removed=0),
        new_bytes=0,
        leaks={},
    )

    quoted = [line for line in README.read_text().splitlines() if line.startswith(">")]
    shown = "\n".join(re.sub("^> ?", "", line) for line in quoted)

    assert "### dataset v1: +200 samples, 2 classes" in shown
    assert "| total |  | 200 | 400 | +200 |" in shown
    assert render.plan_markdown(plan.of(doubled, [])).startswith(shown)


def test_the_commands_of_the_setup_are_valid_shell() -> None:
    text = commands(SETUP)
    assert "gcloud iam roles create" in text
    assert "gh api" in text
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_the_rules_of_the_setup_are_valid_and_require_checks_that_exist() -> None:
    rules = [
        json.loads(text)
        for text in re.findall(r"<<'JSON'\n(.*?)\nJSON\n", commands(SETUP), re.DOTALL)
    ]
    rules = [rule for rule in rules if "target" in rule]
    assert [rule["target"] for rule in rules] == ["branch", "tag"]
    (required,) = (r for r in rules[0]["rules"] if r["type"] == "required_status_checks")
    checks = required["parameters"]["required_status_checks"]
    assert checks
    for check in checks:
        assert f"name: {check['context']}\n" in workflows()


def test_the_setup_sets_every_variable_and_secret_that_the_workflows_read() -> None:
    read = set(re.findall(r"(?:vars|secrets)\.([A-Z_]+)", workflows()))
    written = set(re.findall(r"gh (?:variable|secret) set ([A-Z_]+)", commands(SETUP)))
    assert read == written
