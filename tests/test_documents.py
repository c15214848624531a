"""The documents are run where they can be, and held to what there is where they cannot."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from scripts import config, lock, report
from scripts.__main__ import main
from scripts.diff import Diff, Samples
from scripts.releases import Release
from tests.repository import PROJECT

DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
SETUP = PROJECT / "docs" / "setup.md"


def commands(file: Path) -> str:
    """Return the indented blocks of a document, which are what a reader types."""
    blocks = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", file.read_text(), flags=re.MULTILINE)
    return "\n".join(re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_each_verb_that_is_named_exists(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verbs = set(re.findall(r"python -m scripts ([a-z]+)", file.read_text()))
    for verb in verbs:
        with pytest.raises(SystemExit) as stopped:
            main([verb, "--help"])
        assert stopped.value.code == 0
    if file.name == "README.md":
        assert {"validate", "plan", "build", "push", "release", "verify", "remote"} <= verbs


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_each_link_leads_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", file.read_text()):
        assert (file.parent / target).exists(), target


def test_each_make_target_that_is_named_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    for file in DOCUMENTS:
        for target in re.findall(r"`?make ([a-z0-9]+)(?: |`|\n)", commands(file)):
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_readmes_example_is_the_repositorys_own_config() -> None:
    example = re.search(r"```yaml\n(.*?)```", (PROJECT / "README.md").read_text(), re.DOTALL)
    assert example
    shown = config.parse(example.group(1).encode())
    assert shown.record() == config.read(PROJECT / config.CONFIG_FILE).record()


def test_the_readmes_comment_is_what_doubling_the_dataset_gives() -> None:
    first = lock.parse((PROJECT / "dataset.dvc").read_bytes())
    counts = {
        split: {folder: 2 * count for folder, count in by_folder.items()}
        for split, by_folder in first.meta.counts.items()
    }
    second = first.model_copy(
        update={
            "outs": [first.outs[0].model_copy(update={"md5": "0" * 32 + ".dir"})],
            "meta": first.meta.model_copy(update={"counts": counts}),
        }
    )
    change = Diff(
        before=Release("v0", "0" * 40, first),
        after=second,
        version="v1",
        samples=Samples(added=200, removed=0),
        new_bytes=0,
        retrained={},
    )
    readme = (PROJECT / "README.md").read_text()
    shown = "\n".join(re.sub("^> ?", "", x) for x in readme.splitlines() if x.startswith(">"))
    assert "### dataset v1" in shown
    assert report.markdown(report.of(change)).startswith(shown)


def test_the_commands_of_the_setup_are_valid_shell() -> None:
    text = commands(SETUP)
    assert "gcloud iam roles create" in text
    assert "gh api" in text
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_the_rules_of_the_setup_are_valid_and_require_the_checks_that_there_are() -> None:
    rules = [
        json.loads(text)
        for text in re.findall(r"<<'JSON'\n(.*?)\nJSON\n", commands(SETUP), re.DOTALL)
    ]
    rules = [rule for rule in rules if "target" in rule]
    assert [rule["target"] for rule in rules] == ["branch", "tag"]
    (required,) = (r for r in rules[0]["rules"] if r["type"] == "required_status_checks")
    workflows = "".join(file.read_text() for file in (PROJECT / ".github/workflows").glob("*.yml"))
    for check in required["parameters"]["required_status_checks"]:
        assert f"name: {check['context']}\n" in workflows


def test_the_setup_sets_each_variable_and_secret_that_the_workflows_read() -> None:
    workflows = "".join(file.read_text() for file in (PROJECT / ".github/workflows").glob("*.yml"))
    read = set(re.findall(r"(?:vars|secrets)\.([A-Z_]+)", workflows))
    written = set(re.findall(r"gh (?:variable|secret) set ([A-Z_]+)", commands(SETUP)))
    assert read == written
