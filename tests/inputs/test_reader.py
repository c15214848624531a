from pathlib import Path

import pytest

from scripts.inputs import config, reader
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Tree, WorkTree
from scripts.versions.git import Git, GitTree
from tests.repository import Repository, config_text


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
