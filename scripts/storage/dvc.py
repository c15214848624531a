"""DVC, used as a library."""

import logging
import sqlite3
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo

from scripts.errors import UserError


def silence() -> None:
    """Keep DVC and its clients from logging each failed file; one message reports them all."""
    for name in ("dvc", "dvc_data", "dvc_objects", "gcsfs"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def open_repo(root: Path) -> Any:
    """Return DVC's view of the repository at `root`; raises `UserError` when it is not one."""
    silence()
    try:
        return Repo(str(root))
    except (DvcException, sqlite3.Error) as error:
        raise UserError(f"DVC cannot open this repository: {error}") from None
