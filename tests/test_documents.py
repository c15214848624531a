"""The documents name what exists, and their examples are what the code gives."""

import json
import os
import re
import subprocess
from pathlib import Path

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
from scripts.setup import text as steps
from scripts.setup.repository import LABEL
from scripts.setup.steps import STEPS
from tests.repository import PROJECT

README = PROJECT / "README.md"
needs_readme = pytest.mark.skipif(
    "\n## Change the dataset\n" not in README.read_text(),
    reason="a team's own README has other sections",
)
CONFIG = PROJECT / "docs" / "config.md"
SETUP = PROJECT / "docs" / "setup.md"
STORES = PROJECT / "docs" / "stores.md"
DOCUMENTS = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").glob("*.md"))]
# What the README's example asks for, and what its comment shows.
FOLDERS = ("3", "no3")
TRAIN_COUNT, TEST_COUNT = 80, 20


def commands(file: Path) -> str:
    """Return the indented blocks of a document: what a reader types."""
    blocks = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", file.read_text(), flags=re.MULTILINE)
    return "\n".join(re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_verb_in_a_document_exists(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verbs = set(re.findall(r"python3? -m scripts ((?:workflow )?[a-z-]+)", file.read_text()))
    for verb in verbs:
        with pytest.raises(SystemExit) as stopped:
            main([*verb.split(), "--help"])
        assert stopped.value.code == 0, verb


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_link_between_documents_has_a_target(file: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", file.read_text()):
        # Below the repository's address at GitHub: a badge with the file of its workflow, and the
        # page that makes a copy of the template.
        path = target.replace("../../actions/", ".github/").removesuffix("/badge.svg?branch=main")
        path = path.replace("../../generate", ".github")
        assert (file.parent / path).exists(), target


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_make_target_in_a_document_exists(file: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text()
    in_blocks = re.findall(r"^make ([.a-z0-9-]+)", commands(file), flags=re.MULTILINE)
    in_text = re.findall(r"`make ([.a-z0-9-]+)", file.read_text())
    for target in {*in_blocks, *in_text}:
        assert re.search(rf"^{re.escape(target)}:", makefile, flags=re.MULTILINE), target


@needs_readme
def test_the_readme_takes_two_minutes_and_shows_a_comment() -> None:
    text = README.read_text()

    assert len(text.split()) < 1_000
    assert len(text.splitlines()) <= 120
    # Above the first section: how to begin, and what it looks like.
    first = text[: text.index("\n## ")]
    assert "[Use this template](../../generate)" in first
    assert "](docs/comment.png)" in first
    for name in ("[DVC by hand]", "[DVC with CML]", "[lakeFS]", "[Hugging Face Hub]", "[Roboflow]"):
        assert f"| {name}(https://" in text


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


def test_the_comment_in_a_document_is_that_of_doubling_the_dataset() -> None:
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

    quoted = [line for line in CONFIG.read_text().splitlines() if line.startswith(">")]
    shown = "\n".join(re.sub("^> ?", "", line) for line in quoted)

    assert "### dataset v1: +200 samples, 2 classes" in shown
    assert "| total | 320 (+160) | 80 (+40) | 400 (+200) |" in shown
    assert render.plan_markdown(plan.plan_of_diff(doubled)).startswith(shown)


def test_the_commands_of_the_setup_are_valid_shell() -> None:
    text = commands(SETUP)
    assert "python -m scripts setup" in text
    assert "gcloud iam service-accounts keys create" in text
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def stand_in(folder: Path, name: str, answer: str) -> None:
    """Write a program that answers, and keeps what it was called with, an argument a line."""
    file = folder / name
    file.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {folder}/{name}.txt\necho "{answer}"\n')
    file.chmod(0o755)


def test_the_commands_for_other_stores_are_valid(tmp_path: Path) -> None:
    for name in ("aws", "az", "gh"):
        stand_in(tmp_path, name, "arn:aws:iam::1:role/dataset-1-ingest")
    text = re.sub(r"^(pip|python) .*\n", "", commands(STORES), flags=re.MULTILINE)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "IMAGES": "images"}
    subprocess.run(["bash", "-eu"], input=text.encode(), check=True, env=environment)
    given = (tmp_path / "aws.txt").read_text()
    assert "--role-name\ndataset-1-ingest\n" in given
    (policy,) = re.findall(r"^\{\n.*\}$", given, re.DOTALL | re.MULTILINE)
    (statement,) = json.loads(policy)["Statement"]
    # The roles themselves are made by the setup.
    assert statement["Action"] == ["s3:ListBucket", "s3:GetObject"]


def test_the_table_of_the_setup_has_every_step() -> None:
    """`make setup-table` writes it."""
    assert steps.with_table(SETUP.read_text()) == SETUP.read_text()
    for step in STEPS:
        assert f"| {step.name} |" in SETUP.read_text()


def test_the_setup_names_every_action_that_is_used() -> None:
    files = (PROJECT / ".github").rglob("*.yml")
    used = {name for f in files for name in re.findall(r"uses: ([\w/-]+)@", f.read_text())}
    (named,) = re.findall(r"must allow these: (.*?)\.\n", SETUP.read_text(), re.DOTALL)
    assert set(re.findall(r"`([^`]+)`", named)) == used


def test_the_label_for_reported_samples_is_named() -> None:
    for file in (SETUP, PROJECT / "docs" / "report.md"):
        assert f"the label `{LABEL}`" in file.read_text()


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
