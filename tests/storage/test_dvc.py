"""The names of DVC that are not public."""

import ast
from importlib import metadata
from pathlib import Path

from scripts.storage import dvc
from tests.repository import PROJECT

LIBRARIES = ("dvc", "dvc_data", "dvc_objects", "scmrepo")


def private_imports(file: Path) -> list[str]:
    """Return the private names of DVC's libraries that a module imports."""
    return [
        name.name
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES
        for name in node.names
        if name.name.startswith("_")
    ]


def test_private_names_of_dvc_were_checked_for_the_version_that_is_installed() -> None:
    # After an update, compare those that scripts/storage/dvc.py lists, then change the number.
    assert metadata.version("dvc") == "3.67.1"


def test_private_names_of_dvc_are_imported_in_one_module() -> None:
    found = {file.name for file in (PROJECT / "scripts").rglob("*.py") if private_imports(file)}

    assert found == {Path(dvc.__file__).name}
