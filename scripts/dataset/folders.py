"""The folders of the dataset and their classes."""

from collections.abc import Iterable, Iterator

from scripts.inputs.config import SPLIT_SIZES, Config
from scripts.inputs.config_values import ALL
from scripts.inputs.problems import Problem
from scripts.inputs.strict_yaml import KEY
from scripts.sources.source import Source, classes

Folders = dict[str, list[str]]


def folders_of(config: Config, source: Source) -> tuple[Folders, list[Problem]]:
    """Return the folders of the dataset, each with its classes, and the problems.

    Problems are unknown classes, and sizes by folder that do not match the folders. Only valid
    folders are returned.
    """
    known, desired = classes(source), config.class_
    listed = known if desired == ALL else [desired] if isinstance(desired, str) else desired
    problems = [
        config.problem(
            ("class", str(index)),
            f"class: {source.name} has no class {label!r}; it has {first_names(known)}",
        )
        for index, label in enumerate(listed)
        if label not in known
    ]
    folders = {label: [label] for label in listed if label in known}
    if isinstance(desired, str) and desired != ALL and not problems:
        folders[f"no{desired}"] = [label for label in known if label != desired]
    by_folder = [
        key for key in ("samples", *sorted(SPLIT_SIZES)) if isinstance(getattr(config, key), dict)
    ]
    if not problems:
        # Sizes by folder are compared only with the intended folders.
        for key in by_folder:
            problems += _wrong_folders(config, key, folders)
    filled = {
        folder: labels
        for folder, labels in folders.items()
        if all(folder in getattr(config, key) for key in by_folder)
    }
    return filled, problems


def first_names(names: Iterable[str], most: int = 12) -> str:
    """Return `names` in words, at most a few of them."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _wrong_folders(config: Config, key: str, folders: Folders) -> Iterator[Problem]:
    by_folder = getattr(config, key)
    for name in by_folder.keys() - folders.keys():
        message = f"{key}: unknown folder {name!r}; the folders are {first_names(folders)}"
        yield config.problem((key, name, KEY), message)
    if missing := [name for name in folders if name not in by_folder]:
        yield config.problem((key,), f"{key}: no value for {first_names(missing)}")
