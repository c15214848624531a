"""Updates a folder of links to objects."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.progress import Bar
from scripts.storage import files


@dataclass(frozen=True)
class FolderChange:
    """The changes of a folder: files, links and folders to `remove`, and files to `link`."""

    remove: list[str]
    link: list[str]

    @property
    def needed(self) -> bool:
        """Whether there are any changes."""
        return bool(self.remove or self.link)

    def apply(self, folder: Path, object_of: Callable[[str], str]) -> None:
        """Change `folder`, which need not exist; `object_of` returns the object of a file."""
        for name in self.remove:
            files.remove(folder / name)
        for parent in sorted({os.path.dirname(name) for name in self.link}):  # noqa: PTH120
            (folder / parent).mkdir(parents=True, exist_ok=True)
        for name in Bar(self.link, desc="Writing files"):
            files.link(object_of(name), f"{folder}/{name}")


def compare(folder: Path, inodes: Mapping[str, int]) -> FolderChange:
    """Return the changes after which `folder` has exactly the files of `inodes`.

    A file is correct if its inode is that of its object, that is, if it is a hard link to it. So if
    links are not possible, copies are made again each time.
    """
    folders = {"", *(name.rpartition("/")[0] for name in inodes)}
    folders |= {str(parent) for name in folders for parent in Path(name).parents[:-1]}
    right, remove = set[str](), list[str]()

    def look(inside: str) -> None:
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                name = f"{inside}/{entry.name}".lstrip("/")
                if name in folders and entry.is_dir(follow_symlinks=False):
                    look(name)
                elif inodes.get(name) == entry.inode():
                    right.add(name)
                else:
                    remove.append(name)

    if folder.is_dir() and not folder.is_symlink():
        look("")
    elif os.path.lexists(folder):
        remove.append("")
    return FolderChange(remove, [name for name in inodes if name not in right])


def stamps(folder: str, inside: str = "") -> dict[str, str]:
    """Return the stamp of each file below `folder`, by name; see `files.stamp`.

    What is not a file, and a folder without files, has the stamp of itself.
    """
    found = {}
    with os.scandir(f"{folder}/{inside}") as entries:
        for entry in entries:
            name = f"{inside}{entry.name}"
            is_folder = entry.is_dir(follow_symlinks=False)
            below = stamps(folder, f"{name}/") if is_folder else {}
            found.update(below or {name: files.stamp(entry.stat(follow_symlinks=False))})
    return found
