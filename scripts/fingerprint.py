"""A fingerprint of this project's code, so that nothing is used that other code has kept."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def of(*packages: str) -> str:
    """Return the SHA-256 of all modules in `packages`, in hex."""
    total = hashlib.sha256()
    for package in packages:
        for file in sorted((FOLDER / package).rglob("*.py")):
            content = file.read_bytes()
            total.update(f"{file.relative_to(FOLDER).as_posix()} {len(content)}\n".encode())
            total.update(content)
    return total.hexdigest()
