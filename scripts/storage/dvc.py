"""DVC, used as a library: all of its names that are not public are here.

They are `_lower_keys`, `_pack_named`, `_parse_named`, `Config._load_paths` and
`Config._save_config`. A test names the version of DVC for which they were checked.
"""

import io
import logging
from pathlib import Path
from typing import Any

from configobj import ConfigObj, ConfigObjError
from dvc.config import Config, _lower_keys, _pack_named, _parse_named
from voluptuous import Invalid

from scripts.storage import files

# What DVC raises for a configuration that is not valid, besides errors of its own.
MALFORMED = (ConfigObjError, Invalid, ValueError, TypeError, AttributeError)


class WritableConfig(Config):  # type: ignore[misc]
    """DVC's configuration, which can also hold what is not ASCII."""

    @staticmethod
    def load_file(path: str, fs: Any = None) -> dict[str, Any]:
        """Return the sections of a file of the local disk."""
        del fs
        return sections(Path(path).read_bytes())

    def _save_config(self, level: str, conf_dict: dict[str, Any]) -> None:
        made = io.BytesIO()
        ConfigObj(_pack_named(conf_dict), encoding="utf-8").write(made)
        files.write(Path(self.files[level]), made.getvalue())


def sections(content: bytes) -> dict[str, Any]:
    """Return the content of a configuration as DVC's parser does, in UTF-8 whatever the locale.

    DVC's own function imports all of its file systems, which takes longer than to read the file.
    """
    text = io.StringIO(content.decode(), newline=None)
    found: dict[str, Any] = _parse_named(_lower_keys(ConfigObj(text).dict()))
    return found


def with_absolute_paths(settings: dict[str, Any], file: Path) -> dict[str, Any]:
    """Return the settings of `file`, where paths are relative to its folder."""
    return dict(Config._load_paths(settings, str(file)))


def silence() -> None:
    """Silence the logs of DVC and its clients about single files; one message reports them all."""
    for name in ("dvc", "dvc_data", "dvc_objects", "gcsfs"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
