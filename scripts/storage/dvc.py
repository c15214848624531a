"""DVC, used as a library."""

import logging

from configobj import ConfigObjError
from voluptuous import Invalid

# What DVC raises for a configuration that is not valid, besides errors of its own.
MALFORMED = (ConfigObjError, Invalid, ValueError, TypeError, AttributeError)


def silence() -> None:
    """Keep DVC and its clients from logging each failed file; one message reports them all."""
    for name in ("dvc", "dvc_data", "dvc_objects", "gcsfs"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
