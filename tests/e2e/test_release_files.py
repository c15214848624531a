"""Other people's readers find in the files of a release exactly what `dataset/` holds."""

import ast
import hashlib
import io
import re
import subprocess
import sys
import types
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.assets.conftest import Packaged
from tests.repository import PROJECT

DOCUMENT = (PROJECT / "docs" / "consume.md").read_text()

# An image by its pixels, and its class.
Samples = list[tuple[str, str]]


def example(words: str) -> str:
    """Return the one example of the document that holds `words`."""
    [found] = [
        text
        for text in re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL)
        if words in text
    ]
    return str(found)


def statement(name: str, word: str) -> str:
    """Return the statement with `word` in it of the example with `name` in it."""
    code = example(name)
    found = (ast.get_source_segment(code, node) or "" for node in ast.parse(code).body)
    return next(text for text in found if word in text)


def digest(image: Any) -> str:
    return hashlib.sha256(np.asarray(image).tobytes()).hexdigest()


def expected(packaged: Packaged, split: str) -> Samples:
    return sorted(
        (digest(Image.open(io.BytesIO(content))), name.split("/")[1])
        for name, content in packaged.dataset.items()
        if name.startswith(f"{split}/")
    )


def named(pairs: Iterable[tuple[Any, int]]) -> Samples:
    return sorted((digest(image), ["3", "no3"][label]) for image, label in pairs)


def ran(code: str, folder: Path) -> Any:
    """Run an example in `folder`, as a script of its own; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={"HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    return done


SAMPLES = """
import hashlib
def digest(image):
    return hashlib.sha256(numpy.asarray(image).tobytes()).hexdigest()
def show(pairs):
    print(sorted((digest(image), label) for image, label in pairs))
"""


def test_numpy_arrays_in_three_lines(packaged: Packaged) -> None:
    code = example("numpy.stack")
    assert len(code.split("\n\n")[1].strip().splitlines()) == 3
    made: dict[str, Any] = {}
    exec(code.replace('"train.parquet"', repr(str(packaged.folder / "train.parquet"))), made)  # noqa: S102

    assert made["images"].shape == (len(made["labels"]), 8, 8)
    assert named(zip(made["images"], made["labels"], strict=True)) == expected(packaged, "train")


@pytest.mark.parametrize("split", ["train", "test"])
def test_datasets_reads_the_parquet_files_as_images_and_classes(
    packaged: Packaged, tmp_path: Path, split: str
) -> None:
    line = statement("load_dataset", '"parquet"')
    for name in ("train.parquet", "test.parquet"):
        (tmp_path / name).symlink_to(packaged.folder / name)
    read = (
        f"import numpy, datasets\n{line}\n{SAMPLES}\nclasses = data[{split!r}].features['label']\n"
        f"show((row['image'], classes.int2str(row['label'])) for row in data[{split!r}])"
    )

    assert ran(read, tmp_path).stdout.strip() == str(expected(packaged, split))


def test_datasets_reads_the_unpacked_archive(packaged: Packaged, tmp_path: Path) -> None:
    line = statement("load_dataset", '"imagefolder"')
    with zipfile.ZipFile(packaged.folder / "dataset-v1.zip") as archive:
        archive.extractall(tmp_path / "dataset-v1")
    read = (
        f"import numpy, datasets\n{line}\n{SAMPLES}\n"
        "for split in ('train', 'test'):\n"
        "    classes = data[split].features['label']\n"
        "    show((row['image'], classes.int2str(row['label'])) for row in data[split])"
    )

    found = ran(read, tmp_path).stdout.strip().splitlines()
    assert found == [str(expected(packaged, split)) for split in ("train", "test")]


def test_mlcroissant_reads_every_record_without_a_warning(
    packaged: Packaged, tmp_path: Path
) -> None:
    code = example("mlcroissant").replace(
        '"croissant.json"', repr(str(packaged.folder / "croissant.json"))
    )
    read = (
        f"import numpy\n{code}\n{SAMPLES}\n"
        "show((row['train/image'], ['3', 'no3'][row['train/label']]) for row in records)"
    )

    done = ran(read, tmp_path)
    assert done.stdout.strip() == str(expected(packaged, "train"))
    assert "warning" not in done.stderr.lower()


def test_the_pytorch_dataset_of_the_readme_gives_every_sample(
    packaged: Packaged, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its only use of PyTorch is this base class.
    torch, utils, data = (types.ModuleType(name) for name in ("torch", "utils", "data"))
    data.Dataset = object  # type: ignore[attr-defined]
    torch.utils, utils.data = utils, data  # type: ignore[attr-defined]
    names = {"torch": torch, "torch.utils": utils, "torch.utils.data": data}
    for name, module in names.items():
        monkeypatch.setitem(sys.modules, name, module)
    made: dict[str, Any] = {}
    exec(example("torch.utils.data.Dataset"), made)  # noqa: S102

    images = made["Images"](packaged.folder / "test.parquet", np.asarray)

    assert named(images[index] for index in range(len(images))) == expected(packaged, "test")
