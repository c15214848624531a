"""What the catalogue promises without a browser."""

import hashlib
import html
import itertools
import re
import shutil
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from scripts.dataset import png
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.releases import diff, resolve
from scripts.releases.history import History
from scripts.site import bundle, entries, made, release_file, sheets
from scripts.site.atlas import cut
from tests.repository import PROJECT, Repository, Run, config_text, contents, create, git
from tests.site.conftest import (
    HISTORY,
    Catalogued,
    Remove,
    earlier,
    merge_and_release,
    quietly,
    read,
)

STATIC = PROJECT / "scripts" / "site" / "static"
# The part of an address that names the releases to compare.
COMPARED = re.compile(r"v\d+-v\d+")


class Links(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()
        self.atlases: set[str] = set()
        self.text = page.read_text()
        self.feed(self.text)

    def handle_starttag(
        self,
        tag: str,  # noqa: ARG002 - the base class has it
        attrs: list[tuple[str, str | None]],
    ) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value and not value.startswith("data:"):
                self.found.append(value)
            elif name == "id" and value:
                self.ids.add(value)
            elif name == "class" and value:
                self.atlases.update(re.findall(r"\ba-(\w+)", value))


def text(page: Path) -> str:
    """Return the text of a page, without tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.read_text())).split())


def styled(catalogued: Catalogued, atlas: str) -> Path:
    """Return the picture that the style sheet gives to the elements of an atlas."""
    styles = (catalogued.folder / "images" / "atlases.css").read_text()
    rule = f".a-{atlas}, .a-{atlas} i {{ background-image: url("
    assert styles.count(rule) == 1
    name = styles.partition(rule)[2].partition(")")[0]
    return catalogued.folder / "images" / name


def compared(catalogued: Catalogued, tag: str) -> dict[str, Any]:
    """Return what a browser loads to compare a release."""
    return release_file.read((catalogued.folder / tag / release_file.NAME).read_bytes())


def bundles(repository: Repository) -> list[Path]:
    return sorted((repository.bucket / "records" / bundle.FOLDER).glob("*/*"))


def atlases(repository: Repository) -> set[str]:
    """Return the names of all atlases that the remote keeps."""
    return {
        name.removesuffix(".png")
        for path in bundles(repository)
        for name in zipfile.ZipFile(path).namelist()
        if name.endswith(".png")
    }


def test_every_link_leads_to_a_file_and_every_file_is_linked(catalogued: Catalogued) -> None:
    pages = {page: Links(page) for page in catalogued.pages}
    linked = {catalogued.folder / "index.html"}
    for page, links in pages.items():
        for link in links.found:
            parts = urlsplit(link)
            assert not parts.scheme, link
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.is_file(), f"{page}: {link}"
            if not COMPARED.fullmatch(parts.fragment):
                assert not parts.fragment or parts.fragment in pages[target].ids, f"{page}: {link}"
            linked.add(target)
        linked |= {styled(catalogued, atlas) for atlas in links.atlases}

    files = {path for path in catalogued.folder.rglob("*") if path.is_file()}
    # What a browser loads to compare releases, and the records for a later run.
    beside = {
        catalogued.folder / tag / name
        for tag in ("v0", "v1", "v2", "v3")
        for name in (release_file.NAME, made.NAME)
    } | {catalogued.folder / "suspects" / made.NAME}
    assert files - linked == {catalogued.folder / "static" / "pico.LICENSE.md"} | beside


def test_the_first_page_shows_all_releases_and_what_is_said_of_them(catalogued: Catalogued) -> None:
    shown = text(catalogued.folder / "index.html")

    assert "Is it a 3?" in shown
    assert "4 releases; v2 is stable" in shown
    assert "v1 withdrawn" in shown
    assert "Withdrawn: seven wrong labels" in shown
    assert "v3: 202 images" in shown
    assert "with v0 and v1" in shown
    assert "with no release, not with v0 to v2" in shown
    assert "The first release: 120 samples" in shown


def test_a_release_shows_config_card_commands_and_curation(catalogued: Catalogued) -> None:
    shown = text(catalogued.folder / "v2" / "index.html")

    for part in (
        "class: 3 samples: 100 test_size: 30",
        "dvc get ../origin dataset --rev v2",
        "python -m scripts package v2 --out FOLDER",
        "The dataset card of v2",
        "Version v2 of a dataset that is changed by pull request",
        "01712 relabel 3 -> 8 train/3 train/no3 reads as an 8 | or not",
        "Removed: 1 of the 200 samples of v1.",
        "The source has no image with two labels.",
    ):
        assert part in shown, part


def test_a_grid_has_every_sample_with_its_label_and_what_was_decided(
    catalogued: Catalogued,
) -> None:
    assert quietly(catalogued.repository.root, "build") == 0
    dataset = contents(catalogued.repository.root / "dataset")
    shown: dict[str, list[str]] = {}
    for page in catalogued.folder.glob("v3/*/*/*.html"):
        split, label, _ = page.relative_to(catalogued.folder / "v3").parts
        cells = re.findall(r"<li><i></i><span>(\w+)</span><b>(\w+)</b>(.*)", page.read_text())
        shown |= {f"{split}/{label}/{one}.png": rest for one, *rest in cells}

    assert shown.keys() == dataset.keys()
    assert shown["train/no3/01712.png"] == ["3", "<em>relabeled as 8</em>"]
    assert shown["test/no3/00005.png"] == ["5", "<em>pinned to test</em>"]
    assert shown["test/3/00301.png"] == ["3", "<em>pinned to test</em>"]


def test_the_pictures_of_a_grid_are_those_of_its_samples(catalogued: Catalogued) -> None:
    assert quietly(catalogued.repository.root, "build") == 0
    dataset = contents(catalogued.repository.root / "dataset")
    for page in catalogued.folder.glob("v3/*/*/*.html"):
        split, label, _ = page.relative_to(catalogued.folder / "v3").parts
        found = page.read_text()
        names = re.findall(r"<li><i></i><span>(\w+)", found)
        (atlas,) = Links(page).atlases
        images = [*cut(styled(catalogued, atlas).read_bytes(), len(names))]
        assert [png.encode(image) for image in images] == [
            dataset[f"{split}/{label}/{name}.png"] for name in names
        ]


def test_changes_are_counted_as_a_plan_counts_them(catalogued: Catalogued, tmp_path: Path) -> None:
    work = Git(catalogued.repository.root)
    history = History(work)
    every = read(work, tmp_path)
    for number, after in enumerate(every):
        for before in every[:number]:
            change = entries.compare(earlier(before), after)
            expected = diff.of_releases(before.release, after.release, history).samples
            assert change
            assert expected
            assert vars(change.counts) == vars(expected)
    assert every[3].change
    assert [one.after.identifier for one in every[3].change.moved] == ["00301"]
    assert every[2].change
    assert [one.after.identifier for one in every[2].change.relabeled] == ["01712"]


def test_images_of_another_size_are_the_same_samples(tmp_path: Path) -> None:
    repository = create(tmp_path)
    for size in ({}, {"image_size": 6}):
        merge_and_release(repository, config_text(samples=30, test_size=10, **size))
    work = Git(repository.root)

    before, after = read(work, tmp_path)

    expected = diff.of_releases(before.release, after.release, History(work)).samples
    assert after.change
    assert expected
    assert vars(after.change.counts) == vars(expected)
    assert (expected.added, expected.removed) == (0, 0)


def test_near_duplicates_and_ambiguous_images_are_shown(photographed: Catalogued) -> None:
    page = photographed.folder / "v0" / "index.html"
    shown = text(page)

    assert "differ by less than 5 gray levels" in shown
    assert re.search(r"s\w{16} train/dog s\w{16} test/dog distance \d\.\d", shown)
    assert "The source has 1 image with two labels. It is left out." in shown
    assert re.search(r"s\w{16} cat or dog", shown)
    # 12 x 8 pixels.
    styles = (photographed.folder / "images" / "atlases.css").read_text()
    for atlas in Links(page).atlases:
        assert f".a-{atlas} {{ --h: calc(var(--w) * 8 / 12); }}\n" in styles


def test_the_same_releases_give_the_same_bytes_in_another_clone(
    catalogued: Catalogued, tmp_path: Path
) -> None:
    clone = catalogued.repository.place / "clone"
    catalogued.repository.git("clone", "--quiet", str(catalogued.repository.origin), str(clone))
    git(clone, "remote", "set-url", "origin", "../origin.git")
    try:
        assert quietly(clone, "site", "--out", str(tmp_path / "site")) == 0
    finally:
        shutil.rmtree(clone)

    assert contents(tmp_path / "site") == contents(catalogued.folder)


def test_a_later_run_needs_the_images_of_no_release_before(
    catalogue_copy: Catalogued, run: Run, forget: Remove
) -> None:
    expected = contents(catalogue_copy.folder)
    forget(catalogue_copy.repository)

    shutil.rmtree(catalogue_copy.folder)
    result = run("site", "--out", str(catalogue_copy.folder))

    assert (result.code, result.err) == (0, "")
    assert contents(catalogue_copy.folder) == expected


def test_a_new_release_draws_the_sheets_that_change_and_no_others(
    catalogue_copy: Catalogued, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = catalogue_copy.repository
    # A row on each sheet.
    monkeypatch.setattr(sheets, "BUDGET", 1)
    shutil.rmtree(catalogue_copy.folder)
    assert run("site", "--out", str(catalogue_copy.folder)).code == 0
    known = atlases(repository)

    config, curation = HISTORY[-1]
    repository.git("pull", "--quiet", "origin", "main")
    merge_and_release(repository, config.replace("samples: 100", "samples: 101"), curation)
    assert run("site", "--out", str(catalogue_copy.folder)).code == 0

    # One more image in each class of train: the last sheet of both.
    assert len(atlases(repository) - known) == 2


def test_a_forged_atlas_is_not_used(catalogue_copy: Catalogued, run: Run) -> None:
    expected = contents(catalogue_copy.folder)
    genuine = bundles(catalogue_copy.repository)
    for path in genuine:
        record = bundle.Bundle(path.read_bytes())
        names = [name.removesuffix(".png") for name in zipfile.ZipFile(path).namelist()]
        images = {name: image for name in names if (image := record.atlas(name))}
        if not images:
            continue
        # Each atlas under the name of another one, in a record that is intact.
        turned = [*images.values()][1:] + [*images.values()][:1]
        forged = bundle.pack(dict(zip(images, turned, strict=True)))
        path.unlink()
        (path.parent / hashlib.sha256(forged).hexdigest()).write_bytes(forged)
    shutil.rmtree(catalogue_copy.repository.cache / "records")

    shutil.rmtree(catalogue_copy.folder)
    assert run("site", "--out", str(catalogue_copy.folder)).code == 0

    assert contents(catalogue_copy.folder) == expected
    # Those that are right are kept beside them.
    assert set(genuine) <= set(bundles(catalogue_copy.repository))


def test_a_damaged_record_is_not_used(catalogue_copy: Catalogued, run: Run) -> None:
    expected = contents(catalogue_copy.folder)
    damaged = [b"", b"no zip", b"PK\x03\x04 damaged"]
    found = bundles(catalogue_copy.repository)
    assert len(found) >= len(damaged)
    for path, content in zip(found, itertools.cycle(damaged), strict=False):
        path.write_bytes(content)
        (path.parent / hashlib.sha256(content).hexdigest()).write_bytes(content)
    shutil.rmtree(catalogue_copy.repository.cache / "records")

    shutil.rmtree(catalogue_copy.folder)
    assert run("site", "--out", str(catalogue_copy.folder)).code == 0

    assert contents(catalogue_copy.folder) == expected


def test_who_may_only_read_the_remote_gets_a_catalogue_too(
    catalogue_copy: Catalogued, run: Run
) -> None:
    expected = contents(catalogue_copy.folder)
    folder = catalogue_copy.repository.bucket / "records" / bundle.FOLDER
    shutil.rmtree(folder)
    shutil.rmtree(catalogue_copy.repository.cache / "records")
    folder.write_text("a file, so that nothing can be written below it")

    shutil.rmtree(catalogue_copy.folder)
    result = run("site", "--out", str(catalogue_copy.folder))

    assert result.code == 0
    assert "warning: the pictures of v0 are not stored: cannot write to" in result.err
    assert contents(catalogue_copy.folder) == expected


def test_a_release_that_cannot_be_read_says_so_and_the_others_are_shown(
    catalogue_copy: Catalogued, run: Run
) -> None:
    repository = catalogue_copy.repository
    recorded = repository.git("show", "v1:dataset.dvc")
    found = re.search(r"md5: (\w+\.dir)", recorded)
    assert found
    for path in (repository.object_file(found[1]), repository.cached_file(found[1])):
        path.unlink()

    shutil.rmtree(catalogue_copy.folder)
    assert run("site", "--out", str(catalogue_copy.folder)).code == 0

    shown = text(catalogue_copy.folder / "v1" / "index.html")
    assert f"cannot be read: the manifest {found[1]} is missing" in shown
    assert "only the counts are known" in text(catalogue_copy.folder / "v2" / "index.html")
    assert not list(catalogue_copy.folder.glob("v1/*/*/*.html"))
    assert len(list(catalogue_copy.folder.glob("v2/*/*/*.html"))) == 4
    files = {tag: compared(catalogue_copy, tag) for tag in ("v0", "v1", "v2")}
    assert {tag: one["isReadable"] for tag, one in files.items()} == {
        "v0": True,
        "v1": False,
        "v2": True,
    }


def test_without_its_source_a_release_is_shown_by_its_classes(
    catalogue_copy: Catalogued, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise UserError("the source is not available now")

    monkeypatch.setattr(resolve, "source_of", unavailable)

    shutil.rmtree(catalogue_copy.folder)
    assert run("site", "--out", str(catalogue_copy.folder)).code == 0

    assert "Unknown: the source is not available" in text(
        catalogue_copy.folder / "v2" / "index.html"
    )
    grid = (catalogue_copy.folder / "v2" / "train" / "no3" / "1.html").read_text()
    assert "<span>01712</span><b>no3</b><em>relabeled as 8</em>" in grid
    assert "data-unknown" in grid


def test_what_people_wrote_is_text(tmp_path: Path, run: Run) -> None:
    evil = "<script>alert(1)</script>"
    described = (
        f"title: '{evil}'\ndescription: '{evil}'\ncitation: '{evil}'\n"
        "# [click](javascript:alert(1)) {{ evil }}\n"
    )
    repository = create(tmp_path, config_text(samples=5) + described)
    merge_and_release(
        repository,
        config_text(samples=5) + described,
        f'sample,action,label,new_label,reason\n5,test,,,"{evil}"\n',
    )
    repository.merge_file("releases.yaml", f"withdrawn: {{v0: '{evil}'}}\n")

    assert run("site", "--out", str(tmp_path / "site")).code == 0

    for page in (tmp_path / "site").rglob("*.html"):
        assert "<script>alert" not in page.read_text()
        assert 'href="javascript:' not in page.read_text()
    assert text(tmp_path / "site" / "v0" / "index.html").count(evil) > 3


PICTURE = "![b](https://example.com/b.png) <img src=https://example.com/b.png>"


def test_a_page_loads_nothing_from_elsewhere(tmp_path: Path, run: Run) -> None:
    described = f"title: '{PICTURE}'\ndescription: '{PICTURE}'\ncitation: '{PICTURE}'\n"
    repository = create(tmp_path, config_text(samples=5) + described)
    assert run("release").code == 0
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")

    assert run("site", "--out", str(tmp_path / "site")).code == 0

    for page in (tmp_path / "site").rglob("*.html"):
        content = page.read_text()
        assert "<img" not in content
        assert content.index("Content-Security-Policy") < content.index("<link")
        # What is written into a page itself does not run, and has no effect on how it looks.
        assert not re.search(
            r"<style|<script(?! defer src=)|<[^>&]*\sstyle=|<[^>&]*\son[a-z]+=", content
        )
    assert PICTURE in text(tmp_path / "site" / "v0" / "index.html")


def test_another_folder_is_never_replaced(catalogued: Catalogued, tmp_path: Path, run: Run) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("mine too")

    for name in ("mine", "file"):
        result = run("site", "--out", str(tmp_path / name), where=catalogued.repository.root)
        assert result.code == 1
        assert "with --out" in result.err

    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]


def test_nothing_is_left_beside_the_catalogue_and_nothing_there_is_touched(
    catalogue_copy: Catalogued, run: Run
) -> None:
    beside = catalogue_copy.folder.with_name("site.old")
    beside.mkdir()
    (catalogue_copy.folder / "v9").mkdir()

    assert run("site", "--out", str(catalogue_copy.folder)).code == 0

    names = {path.name for path in catalogue_copy.repository.place.iterdir()}
    assert names == {"work", "origin.git", "bucket", "site", "site.old"}
    assert not (catalogue_copy.folder / "v9").exists()


def test_before_the_first_release_there_is_nothing_to_show(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    result = run("site", "--out", str(tmp_path / "site"))

    assert result.code == 1
    assert result.err == "error: there is no release yet, so there is nothing to show.\n"
    assert not list(tmp_path.glob("site*"))


def test_the_style_sheet_of_pico_is_the_published_one() -> None:
    """`package/css/pico.classless.min.css` of the npm package @picocss/pico 2.1.1."""
    content = (STATIC / "pico.css").read_bytes()

    assert hashlib.sha256(content).hexdigest() == (
        "61207a40ffc02a42d1e50143651c121beab70ed413c934c1ff84fa263ba436b0"
    )
    assert "Copyright (c) 2019-2024 Pico" in (STATIC / "pico.LICENSE.md").read_text()


def test_a_release_in_shards_looks_like_one_in_files(tmp_path: Path) -> None:
    found = {}
    for format_ in ("png", "parquet"):
        (tmp_path / format_).mkdir()
        repository = create(tmp_path / format_)
        for samples in (30, 40):
            wish = config_text(samples=samples, test_size=10, format=format_)
            merge_and_release(repository, wish)
        # Nothing may come from the cache of the machine that released it.
        shutil.rmtree(repository.cache)
        folder = repository.place / "site"
        assert quietly(repository.root, "site", "--out", str(folder)) == 0
        found[format_] = contents(folder)

    in_files, in_shards = found.values()
    assert in_files.keys() == in_shards.keys()
    pictures = [name for name in in_files if name.startswith("images/")]
    assert pictures
    assert all(in_files[name] == in_shards[name] for name in pictures)
    grid = "v1/train/3/1.html"
    assert grid in in_files
    assert in_files[grid] == in_shards[grid]
