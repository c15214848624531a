"""DVC, used as a library."""

import logging
import sqlite3
from pathlib import Path
from typing import Any

from configobj import ConfigObjError
from dvc.exceptions import DvcException
from dvc.repo import Repo
from voluptuous import Invalid

from scripts.errors import UserError

# What DVC raises for a configuration that is not valid, besides errors of its own.
MALFORMED = (ConfigObjError, Invalid, ValueError, TypeError, AttributeError)


def silence() -> None:
    """Keep DVC and its clients from logging each failed file; one message reports them all."""
    for name in ("dvc", "dvc_data", "dvc_objects", "gcsfs"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def open_repo(root: Path) -> Any:
    """Return DVC's view of the repository at `root`; raises `UserError` when it is not one."""
    silence()
    try:
        return Repo(str(root))
    except (DvcException, sqlite3.Error, *MALFORMED) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"DVC cannot open this repository: {reason}") from None
