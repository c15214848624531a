"""Work that tests do in a process of its own, in a module that takes little time to import."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scripts.errors import UserError

if TYPE_CHECKING:
    from scripts.git.limited import LimitedGit


def product(first: int, second: int) -> tuple[int, int]:
    return first * second, os.getpid()


def fill(size: int) -> int:
    return len(b"1" * size)


def refuse() -> NoReturn:
    raise UserError("the config is wrong")


def refuse_in_the_config() -> NoReturn:
    from scripts.inputs.problems import START, InputError, Problem  # noqa: PLC0415

    raise InputError([Problem("dataset_config.yaml", START, "no such class")])


def divide(number: int) -> float:
    return number / 0


def end_by(number: int) -> None:
    os.kill(os.getpid(), number)


def leave() -> NoReturn:
    sys.exit(7)


def wait_with_others(pids: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    pids.write_text(f"{os.getpid()} {child.pid}")
    time.sleep(60)


def wait_for_git(git: "LimitedGit", pids: Path) -> None:
    command = f"!echo $$ {os.getpid()} > {pids}; exec sleep 60"
    git("-c", f"alias.wait={command}", "wait")
