from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import forge as forge_
from tests.e2e.forge import Forge


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    """A forge with one repository, whose main has a config but no release yet."""
    if forge_.MISSING:
        pytest.skip(forge_.MISSING)
    with forge_.running(tmp_path) as made:
        yield made
