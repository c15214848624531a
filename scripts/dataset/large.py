"""Versions with so many images that a pull request only plans them.

Its runner would take too long to make their files; the release makes them, perhaps on a cluster.
"""

import os

from scripts.dataset.dataset import Dataset
from scripts.errors import UserError

# Set in the workflows of pull requests. The release makes a version of any size.
VARIABLE = "PLAN_ONLY_ABOVE"


def is_large(dataset: Dataset) -> bool:
    """Return whether the files of `dataset` are not made here, because there are too many images.

    Raises `UserError` when the limit is not a number.
    """
    limit = os.environ.get(VARIABLE)
    if not limit:
        return False
    if not limit.isdecimal():
        raise UserError(f"{VARIABLE} is {limit!r}; it must be a number of images")
    return len(dataset.selection.identifiers) > int(limit)
