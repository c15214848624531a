from collections.abc import Iterator

import pytest

from tests.doubles import storage
from tests.doubles.storage import Storage


@pytest.fixture(scope="session")
def emulator() -> Iterator[Storage]:
    """An emulated bucket. Tests share it, and each uses a path of its own."""
    with storage.running() as made:
        yield made
