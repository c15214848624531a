"""Pages of releases are made once, and taken over from an older catalogue."""

import gc
import json
import shutil
from pathlib import Path

import pytest

from scripts import fingerprint
from scripts.errors import UserError
from scripts.releases import resolve
from scripts.site import later, made, release_file, release_pages
from scripts.site.sheets import PictureSheet
from scripts.storage import kept
from scripts.storage.records import digest
from tests.repository import Repository, Run, config_text, contents, create, git, started_git
from tests.site.conftest import (
    HISTORY,
    NO_CURATION,
    Catalogued,
    Remove,
    merge_and_release,
    quietly,
)

PAGES = ("v0/index.html", "v1/train/3/1.html", "v2/release.js", "v3/made")


def write(repository: Repository, name: str) -> Path:
    """Write the catalogue to the folder `name`; return it."""
    folder = repository.place / name
    assert quietly(repository.root, "site", "--out", str(folder)) == 0
    return folder


def new(run: Run, folder: Path) -> int:
    """Write the catalogue; return of how many releases the pages were made."""
    result = run("site", "--out", str(folder))
    assert result.code == 0, result.err
    return int(result.out.partition("(")[2].partition(" new")[0])


def inodes(folder: Path) -> dict[str, int]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in files}


def test_a_second_run_takes_over_every_page(catalogue_copy: Catalogued, run: Run) -> None:
    folder = catalogue_copy.folder
    expected, files = contents(folder), inodes(folder)

    assert new(run, folder) == 0

    assert contents(folder) == expected
    kept = {name for name, inode in inodes(folder).items() if files[name] == inode}
    common = {"index.html", "compare/index.html", "images/atlases.css"}
    assert {name for name in expected if not name.startswith("static/")} - kept == common


def test_a_new_release_makes_its_own_pages_only(catalogue_copy: Catalogued, run: Run) -> None:
    repository, folder = catalogue_copy
    files = inodes(folder)
    config, curation = HISTORY[-1]
    repository.git("pull", "--quiet", "origin", "main")
    merge_and_release(repository, config.replace("samples: 100", "samples: 101"), curation)

    assert new(run, folder) == 1

    changed = {name for name, inode in inodes(folder).items() if files.get(name) != inode}
    of_releases = {name for name in changed if name.startswith(("v0", "v1", "v2", "v3"))}
    # It now links the next release.
    assert of_releases == {"v3/index.html"}
    assert contents(folder) == contents(write(repository, "from-nothing"))


def test_what_later_events_change_is_written_into_the_pages_there_are(
    catalogue_copy: Catalogued, run: Run
) -> None:
    repository, folder = catalogue_copy
    files = inodes(folder)
    said = "stable: v3\nwithdrawn: {v0: 'too <small>', v1: seven wrong labels}\n"
    repository.merge_file("releases.yaml", said)

    assert new(run, folder) == 0

    changed = {name for name, inode in inodes(folder).items() if files[name] != inode}
    of_releases = {name for name in changed if name.startswith("v")}
    # v0 is withdrawn, v2 is no longer stable, v3 is.
    assert of_releases == {"v0/index.html", "v2/index.html", "v3/index.html"}
    assert "too &lt;small&gt;" in (folder / "v0" / "index.html").read_text()
    assert contents(folder) == contents(write(repository, "from-nothing"))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("damage", ["delete", "cut", "change"])
def test_a_damaged_or_missing_file_is_made_again(
    catalogue_copy: Catalogued, run: Run, name: str, damage: str
) -> None:
    folder, path = catalogue_copy.folder, catalogue_copy.folder / name
    expected = contents(folder)
    content = path.read_bytes()
    path.unlink()
    if damage != "delete":
        end = b"" if damage == "cut" else b"#" * 9
        path.write_bytes(content[:-9] + end)

    assert new(run, folder) == 1

    assert contents(folder) == expected


def test_a_damaged_picture_is_made_again(catalogue_copy: Catalogued, run: Run) -> None:
    folder = catalogue_copy.folder
    expected = contents(folder)
    for path in (folder / "images").glob("*.png"):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content[:-20] + bytes(20))

    assert new(run, folder) == 4

    assert contents(folder) == expected


def test_pages_of_other_code_are_made_again(
    catalogue_copy: Catalogued, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made, "code", lambda: "other")

    assert new(run, catalogue_copy.folder) == 4
    assert new(run, catalogue_copy.folder) == 0


def test_the_code_is_all_that_is_written_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = shutil.copytree(fingerprint.FOLDER, tmp_path / "scripts")
    monkeypatch.setattr(fingerprint, "FOLDER", copied)
    fingerprint.of.cache_clear()
    seen = {made.code()}
    for name in (
        "site/templates/grid.html.j2",
        "assets/templates/card.md.j2",
        "review/words.py",
        "site/static/compare.js",
    ):
        with (copied / name).open("a") as file:
            file.write("\n")
        fingerprint.of.cache_clear()
        seen.add(made.code())

    fingerprint.of.cache_clear()
    assert len(seen) == 5


def test_pages_of_another_tag_or_origin_are_made_again(
    catalogue_copy: Catalogued, run: Run
) -> None:
    repository, folder = catalogue_copy
    git(repository.root, "remote", "set-url", "origin", "https://example.com/a/b")
    assert new(run, folder) == 4
    assert "https://example.com/a/b" in (folder / "v0" / "index.html").read_text()

    # Without v2, v3 changes something else.
    git(repository.root, "tag", "--delete", "v2")
    assert new(run, folder) == 1
    assert not (folder / "v2").exists()


def test_what_could_not_be_read_is_tried_again(
    catalogue_copy: Catalogued, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = catalogue_copy.folder
    expected = contents(folder)
    shutil.rmtree(folder)

    def unavailable(*_: object) -> None:
        raise UserError("the source is not available now")

    with monkeypatch.context() as patched:
        patched.setattr(resolve, "source_of", unavailable)
        assert new(run, folder) == 4
        assert new(run, folder) == 4
        assert not list(folder.glob("*/made"))
    assert new(run, folder) == 4

    assert contents(folder) == expected
    assert new(run, folder) == 0


def test_a_release_after_one_that_cannot_be_read_is_kept_as_long_as_that_cannot(
    catalogue_copy: Catalogued, run: Run
) -> None:
    repository, folder = catalogue_copy
    expected = contents(folder)
    shutil.rmtree(folder)
    name = next(
        line.split()[-1]
        for line in repository.git("show", "v1:dataset.dvc").splitlines()
        if "md5: " in line
    )
    hidden = {path: path.read_bytes() for path in (repository.object_file(name),)}
    repository.object_file(name).unlink()
    repository.cached_file(name).unlink()
    assert new(run, folder) == 4
    unread = contents(folder)

    # v1 only.
    assert new(run, folder) == 1
    assert contents(folder) == unread
    for path, content in hidden.items():
        path.write_bytes(content)
    # v0 is as it was.
    assert new(run, folder) == 3
    assert contents(folder) == expected


def test_nothing_is_read_of_releases_whose_pages_are_there(
    catalogue_copy: Catalogued, run: Run, forget: Remove
) -> None:
    repository, folder = catalogue_copy
    expected = contents(folder)
    forget(repository)
    shutil.rmtree(repository.bucket)
    shutil.rmtree(repository.cache)

    assert new(run, folder) == 0

    assert contents(folder) == expected


def test_the_number_of_git_commands_is_that_of_one_release(
    tmp_path: Path, run: Run, repository: Repository
) -> None:
    started = []
    for number in range(6):
        merge_and_release(repository, config_text(samples=5 + number))
        folder = write(repository, "site")
        with started_git() as commands:
            assert new(run, folder) == 0
        started.append(len(commands))

    assert len(set(started)) == 1


def test_a_record_names_files_of_its_release_only(catalogue_copy: Catalogued, run: Run) -> None:
    folder = catalogue_copy.folder
    expected = contents(folder)
    (folder / "v0" / "evil").write_text("evil")
    for number, name in enumerate(("../../escaped", str(folder.parent / "escaped"))):
        path = folder / f"v{number}" / made.NAME
        record = json.loads(kept.read(path) or b"")
        secret = folder.parent / "secret"
        secret.write_text("secret")
        record["pages"][name] = digest(b"secret")
        kept.write(path, json.dumps(record).encode())

    assert new(run, folder) == 2

    assert not (folder.parent / "escaped").exists()
    assert contents(folder) == expected


def test_a_run_that_fails_leaves_the_older_catalogue(
    catalogue_copy: Catalogued, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, folder = catalogue_copy
    expected = contents(folder)
    config, curation = HISTORY[-1]
    repository.git("pull", "--quiet", "origin", "main")
    merge_and_release(repository, config.replace("samples: 100", "samples: 101"), curation)

    def full(*_: object) -> None:
        raise UserError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(release_pages, "write", full)
        assert run("site", "--out", str(folder)).code == 1

    assert contents(folder) == expected
    # Links to its files must not be written through.
    assert new(run, folder) == 1


def test_the_samples_of_few_releases_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = create(tmp_path)
    for seed in range(8):
        wish = config_text(samples=20, test_size=5, seed=seed)
        merge_and_release(repository, wish + f"comparable_since: v{seed}\n")
    most, write_pages = [0], release_pages.write

    def counting(*arguments: object) -> object:
        gc.collect()
        most.append(sum(isinstance(one, PictureSheet) for one in gc.get_objects()))
        return write_pages(*arguments)  # type: ignore[arg-type]

    before = sum(isinstance(one, PictureSheet) for one in gc.get_objects())
    monkeypatch.setattr(release_pages, "write", counting)
    write(repository, "site")

    # Four sheets each: of a release, and of the one before.
    assert max(most) - before <= 2 * 4


def test_a_file_of_a_release_gives_its_sheets_again(catalogued: Catalogued) -> None:
    for tag in ("v0", "v3"):
        content = (catalogued.folder / tag / release_file.NAME).read_bytes()
        for (split, label), of_place in release_file.sheets_of(content).items():
            page = (catalogued.folder / tag / split / label / "1.html").read_text()
            assert f"a-{of_place[0].key}" in page
            assert all(f"<span>{one.identifier}<" in page for one in of_place[0].pictures)


def test_parts_of_a_page_are_replaced_and_nothing_else() -> None:
    page = b"a<!--after-->old\n<!--/after-->b<!--badges--><!--/badges--><!--other-->c<!--/other-->"

    filled = later.filled(page, {"after": "\\1 new", "badges": "x"})

    assert filled == (
        b"a<!--after-->\\1 new<!--/after-->b<!--badges-->x<!--/badges--><!--other-->c<!--/other-->"
    )
    assert later.without(filled) == later.without(page)


def test_the_samples_of_a_revert_are_on_the_sheets_of_the_release_it_reverts_to(
    tmp_path: Path, run: Run
) -> None:
    repository = create(tmp_path)
    for samples in (30, 40, 30):
        merge_and_release(repository, config_text(samples=samples, test_size=10), NO_CURATION)
        folder = write(repository, "step-by-step")

    whole = write(repository, "from-nothing")

    assert contents(folder) == contents(whole)
    sheets = [
        release_file.sheets_of((whole / tag / release_file.NAME).read_bytes())
        for tag in ("v0", "v2")
    ]
    assert sheets[0] == sheets[1]
