"""What the files of a release promise by themselves."""

import hashlib
import io
import json
import zipfile
from contextlib import chdir
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets.info import DatasetInfosDict
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from scripts.__main__ import main
from scripts.assets import archive, package, samples
from scripts.git.git import Git
from scripts.releases.history import History
from tests.assets.conftest import Packaged, released
from tests.repository import ORIGIN_URL, Run, config_text, contents, git

NAMES = [
    *("README.md", "SHA256SUMS", "croissant.json"),
    *("dataset-v1.zip", "test.parquet", "train.parquet"),
]


def test_a_release_has_these_files(packaged: Packaged) -> None:
    assert sorted(contents(packaged.folder)) == NAMES


def test_the_same_release_gives_the_same_bytes_in_another_clone(
    packaged: Packaged, tmp_path: Path, run: Run
) -> None:
    # Beside the remote, whose address is relative.
    clone = packaged.repository.place / "clone"
    packaged.repository.git("clone", "--quiet", str(packaged.repository.origin), str(clone))
    git(clone, "remote", "set-url", "origin", ORIGIN_URL)

    result = run("package", "v1", "--out", str(tmp_path / "again"), where=clone)

    assert result.code == 0, result.err
    assert contents(tmp_path / "again") == contents(packaged.folder)


def test_the_checksums_are_those_of_all_other_files(packaged: Packaged) -> None:
    lines = (packaged.folder / "SHA256SUMS").read_text().splitlines()

    assert lines == [
        f"{hashlib.sha256((packaged.folder / name).read_bytes()).hexdigest()}  {name}"
        for name in NAMES
        if name != "SHA256SUMS"
    ]


def test_the_archive_holds_the_files_as_they_are(packaged: Packaged) -> None:
    with zipfile.ZipFile(packaged.folder / "dataset-v1.zip") as archive:
        infos = archive.infolist()
        files = {info.filename: archive.read(info) for info in infos}

    metadata = files.pop("metadata.csv").decode().splitlines()
    tables = [f"{split}/metadata.parquet" for split in ("test", "train")]
    known = [
        row for name in tables for row in pq.read_table(io.BytesIO(files.pop(name))).to_pylist()
    ]
    assert files == packaged.dataset
    assert [info.filename for info in infos] == ["metadata.csv", *tables, *sorted(files)]
    assert len(known) == len(files)
    assert {
        **{"file_name": "no3/01712.png", "label": 1, "source_label": "3", "sample": "01712"},
        "curation": "relabel 3 -> 8",
    } in known
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert metadata[0] == "file_name,label,source_label,sample,curation"
    assert "train/no3/01712.png,no3,3,01712,relabel 3 -> 8" in metadata
    assert "test/no3/00005.png,no3,5,00005,test" in metadata


def test_the_size_of_an_archive_is_known_before_it_is_written(packaged: Packaged) -> None:
    git = Git(packaged.repository.root)
    latest = History(git).latest
    assert latest
    known = samples.version_of(git, latest)

    size = (packaged.folder / "dataset-v1.zip").stat().st_size
    assert archive.size_of(known.samples, known.labels, (), latest.lock.size) == size


def test_a_row_of_parquet_says_what_is_known_of_a_sample(packaged: Packaged) -> None:
    rows = {
        row["file"]: row
        for split in ("train", "test")
        for row in pq.read_table(packaged.folder / f"{split}.parquet").to_pylist()
    }

    assert {name: row["image"]["bytes"] for name, row in rows.items()} == packaged.dataset
    relabeled = rows["train/no3/01712.png"]
    assert (relabeled["label"], relabeled["source_label"]) == (1, "3")
    assert relabeled["curation"] == "relabel 3 -> 8"
    assert relabeled["image"]["path"] == "01712.png"
    pinned = rows["test/no3/00005.png"]
    assert (pinned["sample"], pinned["source_label"], pinned["curation"]) == ("00005", "5", "test")
    assert all(row["curation"] is None for row in rows.values() if row not in (relabeled, pinned))


def test_a_row_group_has_at_most_a_hundred_rows(packaged: Packaged) -> None:
    metadata = pq.ParquetFile(packaged.folder / "train.parquet").metadata
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]

    assert sum(sizes) == metadata.num_rows > 200
    assert sizes[:-1] == [100] * (len(sizes) - 1)
    assert json.loads(metadata.metadata[b"huggingface"])["info"]["features"]["label"] == {
        "names": ["3", "no3"],
        "_type": "ClassLabel",
    }


def test_a_large_split_is_in_numbered_files_and_has_no_archive(
    packaged: Packaged, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "MAX_FILE", 12_000)

    assert run("package", "v1", "--out", str(tmp_path), where=packaged.repository.root).code == 0

    train = sorted(path.name for path in tmp_path.glob("train*"))
    assert len(train) > 1
    assert train == [f"train-{n:05}-of-{len(train):05}.parquet" for n in range(len(train))]
    rows = [row for name in train for row in pq.read_table(tmp_path / name).to_pylist()]
    assert {row["file"]: row["image"]["bytes"] for row in rows} == {
        name: content for name, content in packaged.dataset.items() if name.startswith("train/")
    }
    assert not list(tmp_path.glob("*.zip"))
    assert "too large for one zip file" in (tmp_path / "README.md").read_text()
    assert len((tmp_path / "SHA256SUMS").read_text().splitlines()) == len(contents(tmp_path)) - 1


def test_the_card_is_valid_for_hugging_face_and_says_what_people_ask(packaged: Packaged) -> None:
    card = (packaged.folder / "README.md").read_text()
    _, header, text = card.split("---\n", 2)

    described = YAML(typ="safe").load(header)
    # The Hub knows it in lower case only.
    assert described["license"] == "cc-by-4.0"
    assert "license_name" not in described
    assert described["pretty_name"] == "Is it a 3?"
    assert described["configs"][0]["data_files"] == [
        {"split": "train", "path": ["train.parquet"]},
        {"split": "test", "path": ["test.parquet"]},
    ]
    assert described["dataset_info"]["features"][1]["dtype"]["class_label"]["names"] == {
        "0": "3",
        "1": "no3",
    }
    for part in (
        "Version **v1**",
        "| 3 | 119 | 30 |\n| no3 | 121 | 31 |",
        "`digits`, 1,797 images",
        "Train takes from the front of that order, test from the back, so that growing",
        "class: 3\nsamples: 150",
        "| `1712` | relabel | `3` | `8` | `reads as an 8 \\| or not` |",
        "Comparable with v0. Two versions are comparable if",
        "Compared with v0: +180 samples, 2 classes.",
        "@misc{digits",
    ):
        assert part in text, part


TITLE = "\U0001f600 \x85 \ufeff \u2028 \U0010fffd ü 'a': \"b\"\n---\n"
ESCAPED = TITLE.encode("unicode_escape").decode().replace('"', r"\x22")
LEAVING = f"""\
title: "{ESCAPED}"
description: "```\\n<!-- \U0001f600\\n![b](https://example.com/b.png)"
citation: "```\\n# Owned\\n````\\n<img src=https://example.com/b.png>"
# ```
"""


def test_what_people_wrote_stays_in_its_place_in_the_card(tmp_path: Path) -> None:
    repository = released(tmp_path, config_text(samples=5) + LEAVING)
    with chdir(repository.root):
        assert main(["package", "v0", "--out", str(tmp_path / "files")]) == 0

    # As the hub and its clients read it.
    card = DatasetCard.load(tmp_path / "files" / "README.md")
    assert card.data.pretty_name == TITLE
    assert DatasetInfosDict.from_dataset_card_data(card.data)
    found = MarkdownIt("commonmark", {"html": True}).enable("table").parse(card.text)
    headings = [
        found[number + 1].content for number, one in enumerate(found) if one.type == "heading_open"
    ]
    assert headings[1:] == [
        "Contents",
        "Origin",
        "Curation",
        "Comparing results",
        "Known limits",
        "Citation",
    ]
    *_, config, citation = [one for one in found if one.level == 0 and one.type == "fence"]
    assert config.content.endswith("# ```\n")
    assert citation.content == "```\n# Owned\n````\n<img src=https://example.com/b.png>\n"
    inside = [child.type for one in found for child in one.children or ()]
    assert not {"image", "html_inline", "html_block"} & {*inside, *(one.type for one in found)}


def test_a_damaged_object_is_named_and_nothing_is_left_under_a_final_name(
    tmp_path: Path, run: Run
) -> None:
    repository = released(tmp_path, config_text(samples=5))
    stored = list((repository.bucket / "files" / "md5").glob("??/*"))
    for cached in (repository.cache / "files" / "md5").glob("??/*"):
        cached.unlink()
    damaged = next(path for path in stored if not path.name.endswith(".dir"))
    damaged.chmod(0o644)
    damaged.write_bytes(b"damaged")

    result = run("package", "v0", "--out", str(tmp_path / "files"))

    assert result.code == 1
    assert f"checksum mismatch for the object {damaged.parent.name}{damaged.name}" in result.err
    assert not {"dataset-v0.zip", "SHA256SUMS"} & contents(tmp_path / "files").keys()


@pytest.mark.parametrize("tag", ["v7", "main", "../v0"])
def test_only_a_release_has_files(packaged: Packaged, run: Run, tmp_path: Path, tag: str) -> None:
    result = run("package", tag, "--out", str(tmp_path), where=packaged.repository.root)

    assert result.code == 1
    assert result.err.startswith(f"error: {tag} is not a release: there is no such tag")


def test_a_license_that_the_hub_does_not_know_has_its_name_in_the_card(
    tmp_path: Path, run: Run
) -> None:
    released(tmp_path, f"{config_text(samples=5)}license: ODbL-1.0\n")

    assert run("package", "v0", "--out", str(tmp_path / "files")).code == 0

    card = (tmp_path / "files" / "README.md").read_text()
    described = YAML(typ="safe").load(card.split("---\n")[1])
    assert (described["license"], described["license_name"]) == ("other", "odbl-1.0")
    assert "- **license of the data**: `ODbL-1.0`\n" in card


def test_a_release_without_title_or_license_says_so(tmp_path: Path) -> None:
    repository = released(tmp_path, config_text(samples=5))
    with chdir(repository.root):
        assert main(["package", "v0", "--out", str(tmp_path / "files")]) == 0

    card = (tmp_path / "files" / "README.md").read_text()
    assert "# digits, changed by pull request" in card
    assert "not stated; ask the maintainers" in card
    assert "license:" not in card.split("---\n")[1]
