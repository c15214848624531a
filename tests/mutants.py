"""Plant small faults in the code, one at a time, and report which of them the tests notice.

Run as `python -m tests.mutants COUNT [PATH ...]`: a random sample of COUNT faults, or `all`, in the
files that begin with one of the paths. Works in copies of the project. `tests/mutants.toml` names
the tests of each module, and the faults that no test can notice, with the reason.
"""

import argparse
import ast
import copy
import difflib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tests.repository import PROJECT

PACKAGES = (
    "dataset",
    "storage",
    "git",
    "releases",
    "publish",
    "curation",
    "review",
    "github",
    "setup",
)
SETTINGS = tomllib.loads((PROJECT / "tests" / "mutants.toml").read_text(encoding="utf-8"))
ENOUGH = 0.85
# Seconds. A fault that makes a test wait for ever is noticed.
TIME_LIMIT = 600
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".tools", ".dvc", "__pycache__", ".*_cache")

OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult},
    **{ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr},
}
# A line that gives numbers a name.
NUMBERS = re.compile(rb"[A-Z_, ]+ = [0-9_.*, ()]+\s*")
SIMILAR = {"sorted": "list", "min": "max", "max": "min", "any": "all", "all": "any"}

# What is assigned to one of these is needed by the next line, most often.
NAMES = (ast.Name, ast.Tuple, ast.List, ast.Starred)

# A part of the code, and what it is replaced by.
Change = tuple[Any, ast.AST]


class Fault(NamedTuple):
    """One fault: the file, the line, and the content of the file without and with it."""

    path: str
    line: int
    before: str
    content: str

    def diff(self) -> list[str]:
        """Return the lines that were removed and added."""
        both = self.before.splitlines(), self.content.splitlines()
        return [x for x in difflib.unified_diff(*both, n=0, lineterm="") if x[:2] != "@@"][2:]

    def reason(self) -> str | None:
        """Return why no test can notice it, None where one could."""
        changed = {" ".join(line[1:].split()) for line in self.diff()}
        for known in SETTINGS["explained"]:
            if known["file"] == self.path and {known["was"], known["planted"]} <= changed:
                return str(known["reason"])
        return None


def faults_of(path: str) -> Iterator[Fault]:
    """Yield every fault that can be planted in the file at `path`."""
    text = (PROJECT / path).read_bytes()
    lines = text.splitlines(keepends=True)
    for node, made in _changes(ast.parse(text)):
        start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
        end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
        # A little more of a limit or a length that has a name is no fault.
        is_number = isinstance(made, ast.Constant) and type(made.value) in {int, float}
        new = "0" if is_number and NUMBERS.fullmatch(lines[node.lineno - 1]) else ast.unparse(made)
        if isinstance(made, ast.BoolOp | ast.BinOp | ast.IfExp):
            new = f"({new})"
        if ast.dump(made) != ast.dump(node):
            content = text[:start] + new.encode() + text[end:]
            yield Fault(path, node.lineno, text.decode(), content.decode())


def _changes(node: ast.AST) -> Iterator[Change]:
    """Yield each change of `node` and of what is in it."""
    if rule := RULES.get(type(node)):
        yield from rule(node)
    for name, value in ast.iter_fields(node):
        # Annotations and decorators decide nothing; the wording of messages is for people.
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not (
                is_docstring or isinstance(child, ast.JoinedStr)
            ):
                yield from _changes(child)


def _changed(node: Any, **fields: object) -> list[Change]:
    made = copy.copy(node)
    vars(made).update(fields)
    return [(node, made)]


def _opposite(node: Any, field: str, operator: ast.AST) -> list[Change]:
    if type(operator) not in OPPOSITES:
        return []
    made = OPPOSITES[type(operator)]()
    return _changed(node, **{field: [made] if field == "ops" else made})


def _shorter(node: Any, field: str, removed: Sequence[ast.AST]) -> list[Change]:
    """Return `node` without each one of `removed`."""
    parts = getattr(node, field, [])
    left = ([one for one in parts if one is not part] for part in removed)
    return [change for some in left for change in _changed(node, **{field: some})]


def _of_constant(node: ast.Constant) -> list[Change]:
    match node.value:
        case bool() as value:
            return _changed(node, value=not value)
        case int() | float() as value:
            return _changed(node, value=value + 1)
        case str() as value if value and " " not in value:
            return _changed(node, value="")
    return []


def _of_elements(node: ast.Tuple | ast.Set) -> list[Change]:
    constants = [one for one in node.elts if isinstance(one, ast.Constant)]
    return _shorter(node, "elts", constants) if len(node.elts) > 1 else []


def _of_call(node: ast.Call) -> list[Change]:
    similar = SIMILAR.get(ast.unparse(node.func))
    options = [one for one in node.args if ast.unparse(one).startswith("'-")]
    return [
        *([(node.func, ast.Name(similar))] if similar else []),
        *_shorter(node, "keywords", node.keywords),
        *_shorter(node, "args", options),
    ]


RULES: dict[type[ast.AST], Callable[[Any], list[Change]]] = {
    **dict.fromkeys(
        (ast.If, ast.IfExp), lambda x: [(x.test, ast.Constant(value)) for value in (True, False)]
    ),
    ast.comprehension: lambda x: [(test, ast.Constant(True)) for test in x.ifs],
    ast.Expr: lambda x: [(x, ast.Pass())] if isinstance(x.value, ast.Call) else [],
    ast.Assign: lambda x: [] if isinstance(x.targets[0], NAMES) else [(x, ast.Pass())],
    **dict.fromkeys((ast.Raise, ast.Continue), lambda x: [(x, ast.Pass())]),
    ast.Return: lambda x: _changed(x, value=ast.Constant(None)) if x.value else [],
    ast.ExceptHandler: lambda x: _shorter(x.type, "elts", getattr(x.type, "elts", [])),
    ast.Compare: lambda x: _opposite(x, "ops", x.ops[0]) if len(x.ops) == 1 else [],
    **dict.fromkeys((ast.BoolOp, ast.BinOp), lambda x: _opposite(x, "op", x.op)),
    ast.UnaryOp: lambda x: [(x, x.operand)] if isinstance(x.op, ast.Not) else [],
    ast.Constant: _of_constant,
    ast.Slice: lambda x: [(x, ast.Slice())],
    **dict.fromkeys((ast.Tuple, ast.Set), _of_elements),
    ast.Call: _of_call,
}


def tests_of(path: str) -> list[str]:
    """Return the test files for a fault in `path`, those of the module itself first."""
    module = path.removeprefix("scripts/").removesuffix(".py")
    package, name = module.split("/")
    table = SETTINGS["tests"]
    named = [f"tests/{package}/test_{name}.py", *table.get(module, table.get(package, []))]
    files = [sorted(PROJECT.glob(f"{one}/test_*.py")) or [PROJECT / one] for one in named]
    found = [str(file.relative_to(PROJECT)) for part in files for file in part if file.exists()]
    return list(dict.fromkeys(found))


def tests_pass(folder: Path, tests: Sequence[str]) -> bool:
    """Run tests in the copy of the project in `folder` up to the first failure."""
    limits = [f"faulthandler_timeout={TIME_LIMIT}", "faulthandler_exit_on_timeout=true"]
    options = ["-x", f"--basetemp={folder}-temporary", *(f"-o{limit}" for limit in limits)]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    return done.returncode == 0


def try_all(faults: Sequence[Fault]) -> list[bool]:
    """Return for each fault whether the tests notice it, with progress on standard error."""
    place, local = tempfile.TemporaryDirectory(), threading.local()

    def copy_project() -> None:
        local.folder = Path(tempfile.mkdtemp(dir=place.name), "project")
        shutil.copytree(PROJECT, local.folder, symlinks=True, ignore=NOT_COPIED)

    def attempt(fault: Fault) -> bool:
        file = local.folder / fault.path
        file.write_text(fault.content, encoding="utf-8")
        try:
            noticed = not tests_pass(local.folder, tests_of(fault.path))
        finally:
            file.write_text(fault.before, encoding="utf-8")
        shown = "noticed" if noticed else "\n".join(["NOT NOTICED", *fault.diff()])
        print(f"{fault.path}:{fault.line}: {shown}", file=sys.stderr, flush=True)
        return noticed

    with place, ThreadPoolExecutor(os.cpu_count(), initializer=copy_project) as pool:
        files = sorted({test for fault in faults for test in tests_of(fault.path)})
        print(f"running {len(files)} test files without a fault", file=sys.stderr)
        if not pool.submit(lambda: tests_pass(local.folder, files)).result():
            sys.exit("the tests fail without any fault; run: make test")
        return list(pool.map(attempt, faults))


def report(faults: Sequence[Fault], noticed: Sequence[bool]) -> float:
    """Print what was not noticed; return the share that was noticed."""
    missed = [fault for fault, is_seen in zip(faults, noticed, strict=True) if not is_seen]
    for fault in missed:
        print("\n".join([f"{fault.path}:{fault.line}", *fault.diff()]))
        print(f"explained: {fault.reason()}\n" if fault.reason() else "")
    share = 1 - len(missed) / len(faults) if faults else 1.0
    explained = sum(fault.reason() is not None for fault in missed)
    print(f"planted: {len(faults)}; not noticed: {len(missed)}, of them explained: {explained}")
    print(f"noticed: {share:.0%}; {ENOUGH:.0%} are wanted")
    return share


def main() -> int:
    """Plant a sample; return 1 when too few faults are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("count", help="how many faults, or all")
    parser.add_argument("paths", nargs="*", default=["scripts/"], help="only in these files")
    parser.add_argument("--seed", type=int, default=0, help="of the random sample; default: 0")
    options = parser.parse_args()
    files = sorted(file for name in PACKAGES for file in (PROJECT / "scripts" / name).glob("*.py"))
    paths = [file.relative_to(PROJECT).as_posix() for file in files]
    faults = [x for p in paths if p.startswith(tuple(options.paths)) for x in faults_of(p)]
    count = len(faults) if options.count == "all" else min(int(options.count), len(faults))
    print(f"planting {count:,} of {len(faults):,} faults, seed {options.seed}", file=sys.stderr)
    sample = sorted(random.Random(options.seed).sample(faults, count))
    return int(report(sample, try_all(sample)) < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
