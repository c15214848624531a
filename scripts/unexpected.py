"""Reports an unexpected error: a message, and a file with the details."""

import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from scripts import __version__
from scripts.errors import printable
from scripts.git.address import without_credentials
from scripts.storage import files


def message(error: BaseException, folder: Path | None) -> str:
    """Return the message for `error`, after writing its details below `folder`.

    If no file can be written, the message contains the details. Credentials in addresses are left
    out.
    """
    details = without_credentials(printable("".join(_details(error))))
    said = without_credentials(" ".join(f"{type(error).__name__}: {error}".split()))
    first = f"unexpected error: {said}\nThis is a bug in the machinery, version {__version__}."
    name = f"errors/{datetime.now(UTC):%Y-%m-%dT%H%M%S.%f}.txt"
    written = files.keep(folder, name, details) if folder else None
    if written is None:
        return f"{first} Please report it with these details:\n{details}"
    return f"{first} Please report it with the details in {written}"


def _details(error: BaseException) -> Iterator[str]:
    yield f"machinery {__version__}\nPython {sys.version}\n{sys.platform}\n"
    for library in ("dvc", "dvc-gs", "numpy", "pillow", "pyarrow", "scikit-learn"):
        yield f"{library} {version(library)}\n"
    with suppress(OSError):
        yield subprocess.check_output(["git", "--version"], text=True)
    yield f"python -m scripts {' '.join(sys.argv[1:])}\n\n"
    yield from traceback.format_exception(error)
