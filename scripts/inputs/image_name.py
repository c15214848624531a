"""The name of an image in the dataset, such as `train/3/00007.png`."""

from typing import NamedTuple


class ImageName(NamedTuple):
    """The split and folder of an image, its identifier, and the ending of its file.

    An image in a shard has the name that it would have as a file. The ending begins with its dot.
    """

    split: str
    folder: str
    identifier: str
    ending: str

    def __str__(self) -> str:
        """Return the name as the manifest has it."""
        return f"{self.split}/{self.folder}/{self.file}"

    @property
    def file(self) -> str:
        """The name of the file in its folder, such as `00007.png`."""
        return f"{self.identifier}{self.ending}"

    @property
    def place(self) -> tuple[str, str]:
        """The split and folder."""
        return self.split, self.folder


def parse(name: str) -> ImageName:
    """Return the parts of a name in a manifest; raises `ValueError` for any other path."""
    split, folder, file = name.split("/")
    return ImageName(split, folder, *split_file(file))


def split_file(file: str) -> tuple[str, str]:
    """Return the identifier and the ending of the name of a file. Identifiers have no dots."""
    identifier, dot, ending = file.partition(".")
    return identifier, dot + ending
