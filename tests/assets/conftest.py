import io
import shutil
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.__main__ import main
from tests.repository import Repository, config_text, contents, create

DESCRIBED = """\
title: Is it a 3?
description: 'Digits of 8 x 8, "3" or | not: <b>3</b>'
license: CC-BY-4.0
citation: '@misc{digits, title = {Digits}}'
"""
CURATION = """\
sample,action,label,new_label,reason
60,exclude,3,,nobody can tell
1712,relabel,3,8,reads as an 8 | or not
5,test,,,"the model fails, often"
"""


class Packaged(NamedTuple):
    """A release with curated samples: its repository, the files of it, and its dataset/."""

    repository: Repository
    folder: Path
    dataset: dict[str, bytes]


def released(place: Path, *texts: str, curation: str = CURATION) -> Repository:
    """Return a repository with a release for each of `texts`."""
    repository = create(place)
    (repository.root / "curation.csv").write_text(curation)
    for text in texts:
        repository.configure(text)
        repository.git("add", "--all")
        repository.git("commit", "--quiet", "--message", "Change the dataset")
        repository.git("push", "--quiet", "origin", "HEAD:main")
        with chdir(repository.root), redirect_stdout(io.StringIO()):
            assert main(["release"]) == 0
        repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    return repository


@pytest.fixture(scope="package")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """The files of v1, and the images that they were made from."""
    place = tmp_path_factory.mktemp("packaged")
    small, large = (config_text(samples=size, test_size=30) for size in (60, 150))
    repository = released(place, small + DESCRIBED, large + DESCRIBED)
    with chdir(repository.root), redirect_stdout(io.StringIO()):
        assert main(["package", "v1", "--out", str(place / "files")]) == 0
        assert main(["build"]) == 0
    dataset = contents(repository.root / "dataset")
    shutil.rmtree(repository.root / "dataset")
    return Packaged(repository, place / "files", dataset)
