"""Splits that would be empty, because folders have too few images or a size is wrong."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from scripts.inputs.config import Config
from scripts.inputs.config_values import ALL
from scripts.inputs.problems import Problem

# From so many folders on, one message names them all.
MANY = 3
# Up to so many images, a class counts as small.
FEW = 5
KEEP = "or add small_classes: train, which keeps small classes in train"


class Empty(NamedTuple):
    """A split that would be empty in a folder of `total` images, because of a key of the config.

    `one` is what is wrong with this folder, `many` with several, whose number it leaves open; both
    end with what to do.
    """

    key: str
    folder: str
    total: int
    one: str
    many: str


def problems_of(found: Iterable[Empty], config: Config) -> Iterator[Problem]:
    """Yield the problems; many folders with the same one are named together."""
    by_message: dict[tuple[str, str], list[Empty]] = {}
    for empty in found:
        by_message.setdefault((empty.key, empty.many), []).append(empty)
    for (key, many), folders in by_message.items():
        is_by_folder = isinstance(getattr(config, key), dict)
        keep = f", {KEEP}" if _can_keep(config, folders) else ""
        if len(folders) < MANY or is_by_folder:
            for empty in folders:
                yield config.problem((key, empty.folder), f"{key}: {empty.one}{keep}")
        else:
            named = ", ".join(f"{empty.folder} ({empty.total:,})" for empty in folders)
            message = many.format(f"{len(folders):,}")
            yield config.problem((key,), f"{key}: {message}{keep}. These are {named}")


def _can_keep(config: Config, folders: Iterable[Empty]) -> bool:
    return (
        config.small_classes is None
        and config.samples == ALL
        and all(empty.total <= FEW for empty in folders)
        and not any(
            isinstance(size, int | dict) for size in (config.test_size, config.validation_size)
        )
    )
