"""The config as it is written: read with every problem in it, and compared with a lock's."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from pydantic import ValidationError

from scripts.inputs import plain_yaml, strict_yaml, wording
from scripts.inputs.config import SPLIT_SIZES, Config
from scripts.inputs.config_values import ALL, AS_NUMBERS
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.problems import InputError, Problem
from scripts.inputs.strict_yaml import KEY, Document, Location

# The keys that hold text, and those with a folder as the key of each value.
TEXTS = {"source", "class", "title", "description", "license", "citation"}
BY_FOLDER = {"samples", *SPLIT_SIZES}
# Values in place of those that are invalid, so that the rest of a config can be checked. A config
# always has those that are required.
REQUIRED = {"class": ALL, "samples": ALL, "test_size": 1}
STAND_INS = {**REQUIRED, "validation_size": 1, "channels": "first"}
# A list of values of a column in `where`.
MAX_DEPTH = 3
# Within a mapping by folder pydantic places a problem at: its branch, folder, branch of the value.
FOLDER_PLACE = 3


class InvalidConfigError(InputError):
    """The config is invalid.

    `valid_part` is the config without its problems, so that the rest of it can be checked too; None
    where too little is left.
    """

    def __init__(self, problems: Iterable[Problem], valid_part: Config | None) -> None:
        """Keep both."""
        super().__init__(problems)
        self.valid_part = valid_part


# A run that looks at all releases meets the same configs again and again.
@cache
def parse(content: bytes, context: str | None = None) -> Config:
    """Return the config that `content` holds.

    Raises `InputError` with every problem in it, where possible as `InvalidConfigError`.
    """
    document = strict_yaml.load(content, CONFIG_FILE, is_text=_is_text, max_depth=MAX_DEPTH)
    try:
        config = Config.model_validate(document.data, context=context)
    except ValidationError as error:
        problems = wording.problems(error, document, Config)
        raise InvalidConfigError(problems, _valid_part(document, error)) from None
    config._document = document
    return config


def parse_recorded(content: bytes, recorded: Mapping[str, Any] | None) -> Config:
    """Return the config that `content` holds, which a lock records as `recorded`, if there is one.

    Locks are older than the rule that a number names a class as it is written. Raises as `parse`
    does.
    """
    if recorded is not None:
        for context in (None, AS_NUMBERS):
            with suppress(InputError):
                if (config := parse(content, context)).record() == recorded:
                    return config
    return parse(content)


def is_recorded(content: bytes, recorded: Mapping[str, Any]) -> bool:
    """Return whether a lock that records the config as `recorded` was made from `content`.

    Raises `InputError` if `content` is not a config.
    """
    with suppress(ValueError):
        # Ten times as fast, and enough where both are the same.
        if Config.model_validate(plain_yaml.load(content)).record() == recorded:
            return True
    return parse_recorded(content, recorded).record() == recorded


def _is_text(at: Location) -> bool:
    is_folder = len(at) == len(("samples", "3", KEY)) and at[-1] == KEY
    return at[0] in BY_FOLDER if is_folder else at[0] in TEXTS


def _valid_part(document: Document, error: ValidationError) -> Config | None:
    """Return the config with values that cause no problem in place of those that do.

    There is none without a valid source.
    """
    invalid: dict[str, list[tuple[int | str, ...]]] = {}
    for detail in error.errors():
        invalid.setdefault(str(detail["loc"][0]), []).append(detail["loc"][1:])
    values: dict[str, Any] = {
        key: value for key, value in STAND_INS.items() if key in document.data or key in REQUIRED
    }
    for key, value in document.data.items():
        if "class" in invalid and key in ("samples", *SPLIT_SIZES):
            # Which folders they are for, and how many images those have, is not known.
            continue
        if isinstance(key, str) and key not in invalid:
            values[key] = value
        elif folders := _invalid_folders(invalid.get(key, [])):
            values[key] = value | dict.fromkeys(folders, values[key])
    if "samples" in invalid:
        # Whether the size of a split is too large depends on the samples that it is a part of.
        for key in SPLIT_SIZES & values.keys():
            sizes = values[key]
            values[key] = dict.fromkeys(sizes, 1) if isinstance(sizes, dict) else 1
    if invalid.keys() & {"samples", *SPLIT_SIZES}:
        # It needs those as they were meant.
        values.pop("small_classes", None)
    try:
        config = Config.model_validate(values)
    except ValidationError:
        return None
    config._document = document
    return config


def _invalid_folders(places: list[tuple[int | str, ...]]) -> list[int | str]:
    """Return the folders whose values are invalid; none where the mapping itself is."""
    if any(len(place) != FOLDER_PLACE or place[-1] == KEY for place in places):
        return []
    return [place[1] for place in places]
