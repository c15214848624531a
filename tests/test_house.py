"""Rules of the house: one name for each thing, and nothing too long to read."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository import PROJECT

SCRIPTS = PROJECT / "scripts"
MODULES = sorted(path.relative_to(PROJECT).as_posix() for path in SCRIPTS.rglob("*.py"))
MAX_LINES_OF_MODULE, MAX_LINES_OF_FUNCTION = 300, 40
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def tree_of(module: str) -> ast.Module:
    return ast.parse((PROJECT / module).read_text(encoding="utf-8"))


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree_of(module)) if isinstance(node, FUNCTIONS))


def imported_modules(module: str) -> set[str]:
    found = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found |= {(one.asname or one.name).partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            folder = PROJECT / Path(*node.module.split("."))
            found |= {
                one.asname or one.name
                for one in node.names
                if (folder / f"{one.name}.py").exists() or (folder / one.name).is_dir()
            }
    return found


def local_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    given = (*function.args.args, *function.args.kwonlyargs)
    stored = (
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    return {one.arg for one in given} | {*stored}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_and_its_functions_can_be_read_in_one_go(module: str) -> None:
    assert len((PROJECT / module).read_text(encoding="utf-8").splitlines()) <= MAX_LINES_OF_MODULE
    for function in functions(module):
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= MAX_LINES_OF_FUNCTION, function.name


@pytest.mark.parametrize("module", MODULES)
def test_a_local_name_never_hides_a_module(module: str) -> None:
    modules = imported_modules(module)
    for function in functions(module):
        assert not local_names(function) & modules, function.name


def test_one_name_means_one_type() -> None:
    names = Counter(
        node.name
        for module in MODULES
        for node in tree_of(module).body
        if isinstance(node, ast.ClassDef)
    )

    assert [name for name, count in names.items() if count > 1] == []


def test_the_environment_is_read_at_the_edge() -> None:
    """Verbs read it through `github/actions.py`; the others start processes or print."""
    reads = {module for module in MODULES if "os.environ" in (PROJECT / module).read_text("utf-8")}

    assert reads == {
        "scripts/git/commits.py",
        "scripts/git/git_process.py",
        "scripts/github/actions.py",
        "scripts/github/client.py",
        "scripts/output.py",
        "scripts/sources/openml.py",
        "scripts/storage/consumer.py",
    }
