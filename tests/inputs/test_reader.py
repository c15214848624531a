import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.inputs import config, reader
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Tree, WorkTree
from scripts.versions.git import Git, GitTree
from tests.repository import Repository, Run, config_text


def test_a_config_is_the_same_from_a_work_tree_and_from_a_git_tree(repository: Repository) -> None:
    repository.merge(config_text(samples=9))
    committed = GitTree(Git(repository.root), "HEAD")
    inputs = reader.read(WorkTree(repository.root))
    assert inputs.config == config.parse(config_text(samples=9).encode())
    assert reader.read(committed) == inputs

    repository.configure(config_text(samples=8))

    assert reader.read(WorkTree(repository.root)) != inputs
    assert reader.read(committed) == inputs


def test_a_missing_config_is_the_same_problem_in_both(
    untouched: Repository, tmp_path: Path
) -> None:
    empty = untouched.git("hash-object", "-t", "tree", "/dev/null")
    trees: list[Tree] = [WorkTree(tmp_path), GitTree(Git(untouched.root), empty)]
    for tree in trees:
        with pytest.raises(
            InputError, match=r"^dataset_config\.yaml:1:1: the file is missing\. Run this in a "
        ):
            reader.read(tree)


def test_a_config_that_cannot_be_parsed_is_the_same_problem_in_both(
    repository: Repository,
) -> None:
    repository.merge("samples: -1\n")
    messages = []
    for tree in (WorkTree(repository.root), GitTree(Git(repository.root), "HEAD")):
        with pytest.raises(InputError) as caught:
            reader.read(tree)
        messages.append(str(caught.value))

    assert messages[0] == messages[1]


def link(file: Path) -> None:
    (file.parent / "other.yaml").write_text(config_text())
    file.symlink_to("other.yaml")


def link_to_a_device(file: Path) -> None:
    file.symlink_to("/dev/zero")


def folder(file: Path) -> None:
    file.mkdir()
    (file / "config.yaml").write_text(config_text())


@pytest.mark.parametrize("kind", [link, link_to_a_device, folder, os.mkfifo])
@pytest.mark.parametrize("verb", ["validate", "plan", "build"])
def test_a_config_that_is_no_regular_file_is_not_read(
    repository: Repository, run: Run, kind: Callable[[Path], None], verb: str
) -> None:
    file = repository.root / "dataset_config.yaml"
    file.unlink()
    kind(file)

    assert run(verb) == (
        *(1, ""),
        "dataset_config.yaml:1:1: not a regular file; links, folders and devices are not read\n",
    )


@pytest.mark.parametrize("kind", [link, link_to_a_device, folder])
def test_a_merged_config_that_is_no_regular_file_is_skipped_once_it_is_fixed(
    repository: Repository, run: Run, kind: Callable[[Path], None]
) -> None:
    file = repository.root / "dataset_config.yaml"
    file.unlink()
    kind(file)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Use a link")
    repository.git("push", "--quiet", "origin", "main")

    result = run("release")

    assert result.code == 1
    assert result.err.endswith(
        "dataset_config.yaml:1:1: not a regular file; links, folders and devices are not read\n"
    )
    repository.git("rm", "--quiet", "-r", "dataset_config.yaml")
    repository.merge(config_text())
    assert run("release").code == 0
