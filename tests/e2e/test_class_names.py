"""Classes of any name, from an ingest to all that consumers read and reviewers see."""

import ast
import csv
import html
import io
import json
import re
import zipfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets.info import DatasetInfosDict
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt
from PIL import Image

from scripts.__main__ import main
from scripts.dataset.folders import folder_names
from scripts.releases import lock
from tests.e2e.test_release_files import SAMPLES, Samples, digest, ran, statement
from tests.ingest.pictures import picture
from tests.repository import REMOTE_URL, Repository, contents, create, dvc
from tests.site.conftest import quietly
from tests.site.test_site import Links

CLASSES = [
    # Called like splits, and by what readers of text take for something else.
    *("train", "test-tube", "dev", "NA", "01", "1", "true", "golden retriever", "Größe", "日本語"),
    *("🐕", "a&b <c>", "50% off", "#1", "it's", "[x](y)", "=1+1", "@user", "`b`", "cat", "Cat"),
    *('a:"b"?', "a|b", "CON", ".hidden", "__x", "*", "long name " * 9 + "of a class"),
]
FOLDERS = folder_names(CLASSES)
SPLITS = ("train", "test")


class Named(NamedTuple):
    """Two releases of these classes, the files and the catalogue of v1, and what was said."""

    repository: Repository
    place: Path
    dataset: dict[str, bytes]
    ingested: str
    plan: str

    @property
    def labels(self) -> list[str]:
        """The folders, in the order of the lock, which is that of the class numbers."""
        return [*lock.parse(self.repository.lock.read_bytes()).meta.counts["train"]]

    def expected(self, split: str) -> Samples:
        return sorted(
            (digest(Image.open(io.BytesIO(content))), name.split("/")[1])
            for name, content in self.dataset.items()
            if name.startswith(f"{split}/")
        )


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Named:
    place = tmp_path_factory.mktemp("named")
    rows = [
        {"image": {"bytes": picture(number), "path": None}, "label": CLASSES[number % len(CLASSES)]}
        for number in range(5 * len(CLASSES))
    ]
    (place / "photos").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), place / "photos" / "all.parquet")
    made = create(place)
    settings = made.root / ".dvc" / "config"
    settings.write_text(settings.read_text().replace(REMOTE_URL, str(made.bucket)))
    ingested = said(made, "ingest", "named", str(place / "photos"))
    # The folder of a class, or its name.
    for number, label in enumerate(("a_b", "Größe", ".hidden")):
        file = made.root / "additions" / "train" / label / "1.png"
        file.parent.mkdir(parents=True)
        file.write_bytes(picture(1_000 + number))
    made.git("add", "--all")
    made.merge(config(3))
    assert quietly(made.root, "release") == 0
    made.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert quietly(made.root, "build") == 0
    (sample, *_) = sorted(file.stem for file in (made.root / "dataset/train/=1+1").glob("s*"))
    (made.root / "curation.csv").write_text(
        f"sample,action,label,new_label,reason\n{sample},relabel,=1+1,a|b,it is no sum\n"
    )
    made.configure(config({**dict.fromkeys(CLASSES, 4), "Cat": 3}))
    plan = said(made, "plan", "--format", "markdown")
    made.git("add", "--all")
    made.merge((made.root / "dataset_config.yaml").read_text())
    assert quietly(made.root, "release") == 0
    made.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert quietly(made.root, "build") == 0
    assert quietly(made.root, "package", "v1", "--out", str(place / "files")) == 0
    assert quietly(made.root, "site", "--out", str(place / "site")) == 0
    return Named(made, place, contents(made.root / "dataset"), ingested, plan)


def config(samples: object) -> str:
    shown = json.dumps(samples, ensure_ascii=False)
    return f"source: named\nclass: all\nsamples: {shown}\ntest_size: 1\n"


def said(repository: Repository, *arguments: str) -> str:
    """Run a verb; return what it prints."""
    shown = io.StringIO()
    with chdir(repository.root), redirect_stdout(shown), redirect_stderr(io.StringIO()):
        assert main(arguments) == 0
    return shown.getvalue()


def test_an_ingest_says_which_folders_are_called_otherwise(named: Named) -> None:
    line = next(one for one in named.ingested.splitlines() if "not called like" in one)

    assert "Cat for" not in line
    for shown in ("cat~77af for 'cat'", "_ for '*'", "_~a3db for 'CON'", "a_b for 'a|b'"):
        assert shown in line


def test_reviewers_see_every_class_as_text(named: Named) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(named.plan)
    cells = [
        one.content for number, one in enumerate(tokens) if tokens[number - 1].type == "td_open"
    ]
    for folder in {*FOLDERS.values()} - {"Cat"}:
        assert any(shown.strip("` ") == folder.strip("` ") for shown in cells), folder
    assert "| `golden retriever` | 3 (+1) |" in named.plan
    assert "| `` `b` `` | 3 (+1) |" in named.plan
    assert "| `@user` |" in named.plan


def test_dvc_gets_the_folders_and_the_lock_counts_them(named: Named) -> None:
    made = named.repository
    dvc(named.place, "get", "--quiet", str(made.origin), "dataset", "--rev", "v1", "-o", "got")

    assert contents(named.place / "got") == named.dataset
    counts = lock.parse(made.lock.read_bytes()).meta.counts
    assert counts["test"] == dict.fromkeys(FOLDERS.values(), 1)
    assert counts["train"] == {
        **dict.fromkeys(FOLDERS.values(), 3),
        **{"Cat": 2, "=1+1": 2, "a_b": 5, "Größe": 4, "_hidden": 4},
    }
    assert {name.split("/")[1] for name in named.dataset} == {*FOLDERS.values()}
    assert said(made, "verify").count("complete and intact") == 2


@pytest.mark.parametrize("split", SPLITS)
def test_datasets_reads_splits_and_labels_from_the_archive(named: Named, split: str) -> None:
    unpacked = named.place / "dataset-v1"
    if not unpacked.exists():
        with zipfile.ZipFile(named.place / "files" / "dataset-v1.zip") as archive:
            archive.extractall(unpacked)
    line = statement("load_dataset", '"imagefolder"')

    assert read(named, line, split, named.place) == named.expected(split)


@pytest.mark.parametrize("split", SPLITS)
def test_datasets_reads_splits_and_labels_from_parquet(named: Named, split: str) -> None:
    line = statement("load_dataset", '"parquet"')

    assert read(named, line, split, named.place / "files") == named.expected(split)


def read(named: Named, line: str, split: str, where: Path) -> Samples:
    """Return what `datasets` reads with a line of docs/consume.md in the folder `where`."""
    code = (
        f"import numpy, datasets\n{line}\n{SAMPLES}\nof = data[{split!r}]\n"
        "names = of.features['label'].names\n"
        f"assert sorted(data) == ['test', 'train'], data\nassert 'source_label' in of.features\n"
        "show((row['image'], names[row['label']]) for row in of)"
    )
    found: Samples = ast.literal_eval(ran(code, where).stdout)
    return found


def test_mlcroissant_reads_every_record(named: Named) -> None:
    code = (
        f"import numpy, mlcroissant\n{SAMPLES}\n"
        "records = mlcroissant.Dataset('croissant.json').records('train')\n"
        "show((row['train/image'], int(row['train/label'])) for row in records)"
    )
    found = ast.literal_eval(ran(code, named.place / "files").stdout)

    named_labels = sorted((image, named.labels[label]) for image, label in found)
    assert named_labels == named.expected("train")


def test_no_name_in_the_table_for_people_is_a_formula(named: Named) -> None:
    with zipfile.ZipFile(named.place / "files" / "dataset-v1.zip") as archive:
        table = archive.read("metadata.csv").decode()
    rows = {row["file_name"]: row for row in csv.DictReader(table.splitlines())}

    assert rows.keys() == named.dataset.keys()
    values = {value for row in rows.values() for value in row.values()}
    assert {"'@user", "'=1+1", "golden retriever", "01", "Größe"} <= values
    assert not any(value.startswith(("=", "+", "-", "@")) for value in values)


def test_the_catalogue_links_the_pages_of_every_class(named: Named) -> None:
    pages = [*(named.place / "site").rglob("*.html")]
    linked = set()
    for page in pages:
        links = Links(page)
        assert "<c>" not in links.text
        for link in links.found:
            parts = urlsplit(link)
            target = page.parent / unquote(parts.path) if parts.path else page
            assert target.is_file(), f"{page}: {link}"
            linked.add(target.resolve())

    assert {page.resolve() for page in pages} <= linked | {
        (named.place / "site/index.html").resolve()
    }
    for folder in FOLDERS.values():
        assert (named.place / "site/v1/train" / folder / "1.html").is_file()


def test_the_catalogue_offers_classes_as_new_labels(named: Named) -> None:
    page = (named.place / "site" / "v1" / "index.html").read_text()
    offered = re.findall('<option value="(.*?)">', page)

    assert sorted(map(html.unescape, offered)) == sorted(CLASSES)


def test_the_card_names_every_class(named: Named) -> None:
    card = DatasetCard.load(named.place / "files" / "README.md")
    described = DatasetInfosDict.from_dataset_card_data(card.data)["default"]

    assert described.features["label"].names == named.labels
    assert "| `` `b` `` | 3 | 1 |" in card.text
