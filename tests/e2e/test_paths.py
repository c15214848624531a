"""Repositories in folders whose names have letters other than those of ASCII."""

from pathlib import Path

import pytest

from tests.repository import config_text, create, objects, process


@pytest.mark.parametrize("utf8", ["0", "1"])
def test_a_path_with_other_letters_works_in_every_locale(tmp_path: Path, utf8: str) -> None:
    place = tmp_path / "Größe 数"
    place.mkdir()
    repository = create(place)
    env = {"PYTHONUTF8": utf8, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    verbs = ("validate", "plan", "build", "release", "verify")

    done = process(repository.root, *verbs, **env)

    assert done.returncode == 0, done.stderr.decode()
    repository.configure(config_text(samples=0))
    failed = process(repository.root, "validate", **env)
    assert failed.returncode == 1
    assert b"Traceback" not in failed.stderr


def test_paths_need_not_be_ascii(tmp_path: Path) -> None:
    place = tmp_path / "größe 日本"
    place.mkdir()
    repository = create(place)
    verbs = ("remote ../andere-Größe", "build", "push", "release", "verify")

    done = process(repository.root, *verbs, PYTHONUTF8="0", LC_ALL="C.UTF-8")

    assert done.returncode == 0, done.stderr.decode()
    config = repository.root / ".dvc" / "config"
    assert f"url = {place}/andere-Größe\n" in config.read_text(encoding="utf-8")
    assert len(objects(place / "andere-Größe")) == len(objects(place / "bucket")) == 11
