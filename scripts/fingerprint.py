"""A fingerprint of this project's code, so that nothing is used that other code has kept."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def of(*packages: str, endings: tuple[str, ...] = (".py",)) -> str:
    """Return the SHA-256 of all files in `packages` whose names have one of `endings`, in hex."""
    total = hashlib.sha256()
    for package in packages:
        files = (file for file in (FOLDER / package).rglob("*") if file.suffix in endings)
        for file in sorted(files):
            content = file.read_bytes()
            total.update(f"{file.relative_to(FOLDER).as_posix()} {len(content)}\n".encode())
            total.update(content)
    return total.hexdigest()
