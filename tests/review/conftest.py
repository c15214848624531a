import pytest

from tests.repository import Repository, config_text

LARGER = config_text(samples=8, test_size=3)


@pytest.fixture
def released(released: Repository) -> Repository:
    """A repository with v0, and a work tree that asks for more."""
    released.configure(LARGER)
    return released
