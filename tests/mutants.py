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
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from tabulate import tabulate

from tests.repository import PROJECT

PACKAGES = ("dataset", "storage", "git", "releases", "publish", "curation", "review", "github")
SETTINGS = tomllib.loads((PROJECT / "tests" / "mutants.toml").read_text(encoding="utf-8"))
ENOUGH = 0.85
# Seconds. A fault that makes a test wait for ever is noticed.
TIME_LIMIT = 900
NO_TESTS = 5

OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult},
    **{ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr},
}
# A line that gives numbers a name.
NUMBERS = re.compile(rb"[A-Z_, ]+ = [0-9_.*, ()]+")
SIMILAR = {"sorted": "list", "min": "max", "max": "min", "any": "all", "all": "any"}


class Fault(NamedTuple):
    """One fault: the file, the line, and the content of the file without and with it."""

    path: str
    line: int
    before: str
    content: str

    @property
    def package(self) -> str:
        return self.path.split("/")[1]

    def diff(self) -> list[str]:
        """Return the lines that were removed and added."""
        both = self.before.splitlines(), self.content.splitlines()
        lines = difflib.unified_diff(*both, n=0, lineterm="")
        return [line for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}]

    def reason(self) -> str | None:
        """Return why no test can notice it, None where one could."""
        changed = {" ".join(line[1:].split()) for line in self.diff()}
        return next(
            (
                str(known["reason"])
                for known in SETTINGS.get("explained", [])
                if known["file"] == self.path and {known["was"], known["planted"]} <= changed
            ),
            None,
        )


def faults_of(path: str) -> Iterator[Fault]:
    """Yield every fault that can be planted in the file at `path`."""
    text = (PROJECT / path).read_bytes()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = text.splitlines()
    for node, made in _replacements(ast.parse(text)):
        if ast.dump(made) == ast.dump(node):
            continue
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        # A little more of a limit or a length that has a name is no fault.
        is_named = _is_number(made) and NUMBERS.fullmatch(lines[node.lineno - 1])
        new = "0" if is_named else ast.unparse(made)
        if isinstance(made, ast.BoolOp | ast.BinOp | ast.IfExp):
            new = f"({new})"
        content = (text[:start] + new.encode() + text[end:]).decode()
        yield Fault(path, node.lineno, text.decode(), content)


def _replacements(node: ast.AST) -> Iterator[tuple[Any, ast.AST]]:
    """Yield each part of the code that can be replaced, and what it is replaced by."""
    yield from _of_statement(node)
    yield from _of_expression(node)
    yield from _of_parts(node)
    for name, value in ast.iter_fields(node):
        # Annotations and decorators decide nothing; the wording of messages is for people.
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            is_text = isinstance(child, ast.JoinedStr) or _is_docstring(child)
            if isinstance(child, ast.AST) and not is_text:
                yield from _replacements(child)


def _of_statement(node: ast.AST) -> Iterator[tuple[Any, ast.AST]]:
    match node:
        case ast.If(test=test) | ast.IfExp(test=test):
            yield from ((test, ast.Constant(value)) for value in (True, False))
        case ast.comprehension(ifs=tests):
            yield from ((test, ast.Constant(True)) for test in tests)
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue():
            yield node, ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, ast.Pass()
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield node, ast.Return(ast.Constant(None))
        case ast.ExceptHandler(type=ast.Tuple() as kinds):
            yield from ((kinds, made) for made in _shorter(kinds, "elts", kinds.elts))


def _of_expression(node: ast.AST) -> Iterator[tuple[Any, ast.AST]]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in OPPOSITES:
            yield node, _changed(node, ops=[OPPOSITES[type(operator)]()])
        case ast.BoolOp(op=operator) | ast.BinOp(op=operator) if type(operator) in OPPOSITES:
            yield node, _changed(node, op=OPPOSITES[type(operator)]())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, operand
        case ast.Constant(value=bool() as value):
            yield node, ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield node, ast.Constant(value + 1)
        case ast.Constant(value=str() as value) if value and " " not in value:
            yield node, ast.Constant("")


def _of_parts(node: ast.AST) -> Iterator[tuple[Any, ast.AST]]:
    match node:
        case ast.Slice(lower=lower, upper=upper) if lower or upper:
            yield node, ast.Slice()
        case ast.Tuple(elts=elements) | ast.Set(elts=elements) if len(elements) > 1:
            texts = [one for one in elements if isinstance(one, ast.Constant)]
            yield from ((node, made) for made in _shorter(node, "elts", elements, texts))
        case ast.Call(func=function, args=arguments, keywords=keywords):
            if isinstance(function, ast.Name) and function.id in SIMILAR:
                yield function, ast.Name(SIMILAR[function.id])
            yield from ((node, made) for made in _shorter(node, "keywords", keywords))
            options = [one for one in arguments if ast.unparse(one).startswith("'-")]
            yield from ((node, made) for made in _shorter(node, "args", arguments, options))


def _shorter(
    node: ast.AST, field: str, parts: Sequence[ast.AST], removed: Sequence[ast.AST] | None = None
) -> Iterator[ast.AST]:
    """Yield `node` without each one of `removed`, by default each one of `parts`."""
    for part in parts if removed is None else removed:
        yield _changed(node, **{field: [one for one in parts if one is not part]})


def _changed(node: ast.AST, **fields: Any) -> ast.AST:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in {int, float}


def _is_docstring(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def tests_of(path: str) -> list[str]:
    """Return the test files for a fault in `path`, those of the module itself first."""
    module = path.removeprefix("scripts/").removesuffix(".py")
    package, name = module.split("/")
    table = SETTINGS["tests"]
    named = [f"tests/{package}/test_{name}.py", *table.get(module, table.get(package, []))]
    found: dict[str, None] = {}
    for one in map(PROJECT.joinpath, named):
        files = sorted(one.glob("test_*.py")) if one.is_dir() else [one] if one.exists() else []
        found |= dict.fromkeys(str(file.relative_to(PROJECT)) for file in files)
    return list(found)


def run_tests(folder: Path, tests: Sequence[str], output: int | None = subprocess.DEVNULL) -> int:
    """Run tests in the copy of the project in `folder` up to the first failure."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    temporary = folder.with_name(f"{folder.name}-temporary")
    process = subprocess.Popen(
        [*command, f"--basetemp={temporary}", *tests],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        return process.wait(TIME_LIMIT)
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def copy_project(folder: Path) -> Path:
    """Copy the files that git knows, and the installed GitHub emulator, to `folder`."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT
    )
    for name in filter(None, os.fsdecode(listed).split("\0")):
        if (PROJECT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    modules = "tests/doubles/node_modules"
    if (PROJECT / modules).exists():
        (folder / modules).symlink_to(PROJECT / modules)
    return folder


def is_noticed(fault: Fault, folder: Path) -> bool:
    """Return whether a test fails with `fault` planted in the copy in `folder`."""
    file = folder / fault.path
    file.write_text(fault.content, encoding="utf-8")
    try:
        code = run_tests(folder, tests_of(fault.path))
    finally:
        file.write_text(fault.before, encoding="utf-8")
    if code == NO_TESTS:
        sys.exit(f"no tests are named for {fault.path}; name them in tests/mutants.toml")
    return code != 0


def try_all(faults: Sequence[Fault]) -> list[bool]:
    """Return for each fault whether the tests notice it, with progress on standard error."""
    workers = os.cpu_count() or 1
    folders: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(workers) as pool:
        for number in range(workers):
            folders.put(copy_project(Path(place) / str(number)))
        files = sorted({test for fault in faults for test in tests_of(fault.path)})
        print(f"running {len(files)} test files without a fault", file=sys.stderr)
        folder = folders.get()
        at_once = ["-n", str(workers), "--dist", "loadfile"]
        if run_tests(folder, [*at_once, *files], output=None):
            sys.exit("the tests fail without any fault; run: make test")
        folders.put(folder)

        def attempt(fault: Fault) -> bool:
            folder = folders.get()
            try:
                noticed = is_noticed(fault, folder)
            finally:
                folders.put(folder)
            shown = "noticed" if noticed else "\n".join(["NOT NOTICED", *fault.diff()])
            print(f"{fault.path}:{fault.line}: {shown}", file=sys.stderr, flush=True)
            return noticed

        return list(pool.map(attempt, faults))


def report(faults: Sequence[Fault], noticed: Sequence[bool]) -> float:
    """Print what was not noticed, and a table by package; return the share that was noticed."""
    missed = [fault for fault, is_seen in zip(faults, noticed, strict=True) if not is_seen]
    for fault in missed:
        print("\n".join([f"{fault.path}:{fault.line}", *fault.diff()]))
        print(f"explained: {fault.reason()}\n" if fault.reason() else "")
    planted = Counter(fault.package for fault in faults)
    lost = Counter(fault.package for fault in missed)
    explained = Counter(fault.package for fault in missed if fault.reason())
    rows: list[list[Any]] = [
        [package, count, count - lost[package], lost[package], explained[package]]
        for package, count in planted.items()
    ]
    total = ["total", *(sum(row[column] for row in rows) for column in range(1, 5))]
    headers = ["package", "planted", "noticed", "not noticed", "of them explained"]
    print(tabulate([*rows, total], headers))
    return 1 - len(missed) / len(faults) if faults else 1.0


def main() -> int:
    """Plant a sample; return 1 when too few faults are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("count", help="how many faults, or all")
    parser.add_argument("paths", nargs="*", default=["scripts/"], help="only in these files")
    parser.add_argument("--seed", type=int, default=0, help="of the random sample; default: 0")
    options = parser.parse_args()
    files = sorted(file for name in PACKAGES for file in (PROJECT / "scripts" / name).glob("*.py"))
    paths = [file.relative_to(PROJECT).as_posix() for file in files]
    chosen = [path for path in paths if path.startswith(tuple(options.paths))]
    faults = [fault for path in chosen for fault in faults_of(path)]
    count = len(faults) if options.count == "all" else min(int(options.count), len(faults))
    print(f"planting {count:,} of {len(faults):,} faults, seed {options.seed}", file=sys.stderr)
    sample = sorted(random.Random(options.seed).sample(faults, count))
    share = report(sample, try_all(sample))
    print(f"\nnoticed: {share:.0%}; {ENOUGH:.0%} are wanted")
    return int(share < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
