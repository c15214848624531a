"""Finds sizes as counts that keep the split, if a fraction moves an image by rounding.

A fraction of a number of images is rounded up; with `samples: all` the place of each image decides.
So a change from one to the other can move an image if all images of a folder are used.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from scripts.dataset.dataset import Dataset
from scripts.dataset.folders import folders_of
from scripts.inputs.config import SPLITS, TEST, VALIDATION, Config
from scripts.inputs.config_values import ALL
from scripts.inputs.problems import InputError

# With more folders the message would be too long.
MAX_FOLDERS = 100
MAX_WIDTH = 2**16

# The numbers for each folder, by the key of the config.
Sizes = Mapping[str, Mapping[str, int]]


def sizes_that_keep(dataset: Dataset, keeps: Callable[[Dataset], bool]) -> str:
    """Return sizes for `dataset` with which it `keeps` the split of the releases.

    They are counts instead of fractions, such as `test_size: 19`. Empty if there are no fractions,
    or if they are not the cause of the change.
    """
    for sizes in _candidates(dataset):
        config = dataset.config.model_copy(update={key: dict(of) for key, of in sizes.items()})
        other = Dataset(replace(dataset.inputs, config=config), dataset.whole)
        try:
            if keeps(other):
                return " and ".join(f"{key}: {_written(of)}" for key, of in sizes.items())
        except InputError:
            continue
    return ""


def _candidates(dataset: Dataset) -> Iterator[Sizes]:
    """Yield the fractions of the config as counts: rounded up, then as with `samples: all`."""
    config = dataset.config
    folders, _ = folders_of(config, dataset.images.source)
    names = {folder: contents.name for folder, contents in folders.items()}
    keys = {
        f"{split}_size": split
        for split in (TEST, VALIDATION)
        if any(config.fraction(split, name) for name in names.values())
    }
    if not keys or config.group_by or len(folders) > MAX_FOLDERS:
        return
    dealt = dataset.selection.dealt
    rounded = {
        name: config.sizes(name, sum(dealt.get((split, folder), 0) for split in SPLITS))._asdict()
        for folder, name in names.items()
    }
    yield {key: {name: rounded[name][split] for name in rounded} for key, split in keys.items()}
    by_place = _of_all(dataset, config)
    if by_place is not None:
        placed = by_place.selection.dealt
        yield {
            key: {name: placed.get((split, folder), 0) for folder, name in names.items()}
            for key, split in keys.items()
        }


def _of_all(dataset: Dataset, config: Config) -> Dataset | None:
    """Return `dataset` with all images of the source, None if that is invalid."""
    inputs = replace(dataset.inputs, config=config.model_copy(update={"samples": ALL}))
    made = Dataset(inputs, dataset.whole)
    try:
        _ = made.selection
    except InputError:
        return None
    return made


def _written(sizes: Mapping[str, int]) -> str:
    """Return `sizes` in the format of the config: one number if all are equal."""
    if len({*sizes.values()}) == 1:
        return str(next(iter(sizes.values())))
    # A label that is a number is written without quotes.
    keys = {
        int(one) if re.fullmatch("0|[1-9][0-9]*", one) else one: of for one, of in sizes.items()
    }
    made, buffer, yaml = CommentedMap(keys), io.StringIO(), YAML()
    made.fa.set_flow_style()
    yaml.width = MAX_WIDTH
    yaml.dump(made, buffer)
    return buffer.getvalue().strip()
