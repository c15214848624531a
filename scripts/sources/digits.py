"""The digits that are bundled with scikit-learn: 1,797 images of 8 x 8, available offline."""

from scripts.sources import table
from scripts.sources.source import SourceRequest
from scripts.sources.table import Table

NAME = "digits"
# The bundled values are 0 to 16; times 15 the images are visible.
SCALE = 15


def provides(request: SourceRequest) -> bool:
    """Return whether this kind of source provides the given source."""
    return request.name == NAME


def read(request: SourceRequest) -> Table:
    """Return the source."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return table.from_values(request.name, digits.data * SCALE, digits.target)
