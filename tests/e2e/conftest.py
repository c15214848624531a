from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets.conftest import packaged
from tests.e2e import forge as forge_
from tests.e2e.forge import Forge
from tests.site.conftest import _catalogued, catalogued, described, large, photographed

__all__ = ["_catalogued", "catalogued", "described", "large", "packaged", "photographed"]


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    """A GitHub with one repository, which has a bucket but no release yet."""
    if forge_.MISSING:
        pytest.skip(forge_.MISSING)
    with forge_.running(tmp_path) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Forge]:
    """A GitHub with a fresh copy of the template: no bucket, no variables, no release."""
    if forge_.MISSING:
        pytest.skip(forge_.MISSING)
    with forge_.running(tmp_path, fresh=True) as made:
        yield made
