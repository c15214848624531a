from collections.abc import Iterator

import pytest
from huggingface_hub import constants

from tests.doubles import hub as double
from tests.doubles.hub import NAME, TOKEN, Hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A new dataset repository at the Hub, for which the environment has a token."""
    monkeypatch.setenv("HUGGINGFACE_REPOSITORY", NAME)
    monkeypatch.setenv("HUGGINGFACE_TOKEN", TOKEN)
    with double.running() as made:
        # The client has read HF_ENDPOINT and HF_HUB_DISABLE_XET when it was imported.
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, made.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", made.url)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield made
