"""The folders of the dataset, their names and their classes."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from scripts.inputs.additions import Addition
from scripts.inputs.config import SPLIT_SIZES, Config
from scripts.inputs.config_values import ALL
from scripts.inputs.problems import Problem
from scripts.inputs.strict_yaml import KEY
from scripts.sources.source import Source, classes

# What file systems refuse in a name; dots and spaces only at its ends.
REFUSED = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f]|^[. ]+|[. ]+$')
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file, also before a dot.
RESERVED = re.compile(
    r"^(CON|PRN|AUX|NUL|(?:COM|LPT)[0-9¹²³]|CONIN\$|CONOUT\$)(?= *(?:\.|$))", re.IGNORECASE
)
# Bytes of the part that is made of the name. File systems allow 255.
MAX_BYTES = 180
# Hex digits of the checksum that tells apart classes with the same folder.
DIGITS = 4


class Contents(NamedTuple):
    """What fills a folder: its name in the config, such as `3` or `no3`, and its classes."""

    name: str
    labels: list[str]


# By folder. It is named after its class, as far as file systems allow.
Folders = dict[str, Contents]


def folder_names(labels: Iterable[str]) -> dict[str, str]:
    """Return the folder of each class of a source, given all of them.

    It is the name in NFC, with `_` in place of what file systems refuse. Of classes that would
    share a folder, also by upper and lower case only, all but the first in order of their names get
    `~` and the first hex digits of their name's SHA-256: four, or more where these are equal too.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    others = []
    for label in sorted(labels):
        plain = _allowed(label)
        if _folded(plain) in taken:
            others.append(label)
        else:
            taken.add(_folded(plain))
            found[label] = plain
    for label in others:
        digest = hashlib.sha256(label.encode()).hexdigest()
        distinct = (f"{_allowed(label)}~{digest[:end]}" for end in range(DIGITS, len(digest) + 1))
        found[label] = next(name for name in distinct if _folded(name) not in taken)
        taken.add(_folded(found[label]))
    return found


def with_classes(additions: Sequence[Addition], source: Source) -> Sequence[Addition]:
    """Return `additions` with their classes, where their paths name the folders of these."""
    known = {*classes(source)} if additions else set()
    if all(one.label in known for one in additions):
        return additions
    label_of = {folder: label for label, folder in folder_names(known).items()}
    label_of |= {label: label for label in known}
    return [
        one._replace(label=label_of.get(one.label, label_of.get(_normal(one.label), one.label)))
        for one in additions
    ]


def folders_of(config: Config, source: Source) -> tuple[Folders, list[Problem]]:
    """Return the folders of the dataset, each with its classes, and the problems.

    Problems are unknown classes, and sizes by folder that do not match the folders. Only valid
    folders are returned.
    """
    known, desired = classes(source), config.class_
    listed = known if desired == ALL else [desired] if isinstance(desired, str) else desired
    named, spelled = folder_names(known), {_normal(label): label for label in known}
    found = {one: one if one in named else spelled.get(_normal(one), one) for one in listed}
    problems = [
        config.problem(
            ("class", str(index)),
            f"class: {source.name} has no class {label!r}; it has {first_names(known)}",
        )
        for index, label in enumerate(listed)
        if found[label] not in named
    ]
    folders = {
        named[label]: Contents(name, [label]) for name, label in found.items() if label in named
    }
    if isinstance(desired, str) and desired != ALL and not problems:
        others = [label for label in known if label != found[desired]]
        folders[f"no{named[found[desired]]}"] = Contents(f"no{desired}", others)
    by_folder = [
        key for key in ("samples", *sorted(SPLIT_SIZES)) if isinstance(getattr(config, key), dict)
    ]
    if not problems:
        # Sizes by folder are compared only with the intended folders.
        for key in by_folder:
            problems += _wrong_folders(config, key, [one.name for one in folders.values()])
    filled = {
        folder: contents
        for folder, contents in folders.items()
        if all(contents.name in getattr(config, key) for key in by_folder)
    }
    return filled, problems


def first_names(names: Iterable[str], most: int = 12) -> str:
    """Return `names` in words, at most a few of them."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _wrong_folders(config: Config, key: str, folders: Collection[str]) -> Iterator[Problem]:
    by_folder = getattr(config, key)
    for name in by_folder.keys() - {*folders}:
        message = f"{key}: unknown folder {name!r}; the folders are {first_names(folders)}"
        yield config.problem((key, name, KEY), message)
    if missing := [name for name in folders if name not in by_folder]:
        yield config.problem((key,), f"{key}: no value for {first_names(missing)}")


def _allowed(label: str) -> str:
    """Return `label` as file systems allow it."""
    named = REFUSED.sub(lambda found: "_" * len(found[0]), _normal(label))
    named = RESERVED.sub("_", named)
    short = named.encode()[:MAX_BYTES].decode(errors="ignore")
    return named if short == named else REFUSED.sub("_", short)


def _folded(folder: str) -> str:
    """Return what is equal for folders that some file systems do not tell apart."""
    return _normal(unicodedata.normalize("NFD", folder).upper().casefold())


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)
