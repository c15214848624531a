from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import UserError
from scripts.storage import garbage, manifest
from scripts.storage.garbage import MIN_AGE
from scripts.storage.manifest import Manifest
from scripts.storage.remote import Remote, StoredObject
from scripts.storage.remote_bucket import BucketRemote
from scripts.storage.remote_folder import FolderRemote
from scripts.storage.remote_kinds import open_remote
from tests.doubles.storage import BUCKET, Storage
from tests.repository import TEMPLATE

NOW = 1_800_000_000.0
OLD = NOW - MIN_AGE - 1
MD5, OTHER, SHA = "ab" + "1f" * 15, "cd" + "2" * 30, "e" * 64


def stored(place: str, modified: float | None = OLD) -> StoredObject:
    return StoredObject(f"/remote/{place}", place, 5, modified)


def places(found: garbage.Garbage) -> list[str]:
    return [one.place for one in found.unneeded]


OURS = {
    f"files/md5/ab/{MD5[2:]}": {MD5},
    f"files/md5/ab/{MD5[2:]}.dir": {MD5},
    f"records/{SHA}": {SHA},
    # Made from a version: needed while that is, or by itself.
    f"records/catalogue-1/{MD5}/{SHA}": {MD5, SHA},
}


@pytest.mark.parametrize(
    ("place", "names"), OURS.items(), ids=["file", "manifest", "record", "made"]
)
def test_what_is_old_and_needed_by_none_of_its_names_is_garbage(
    place: str, names: set[str]
) -> None:
    assert places(garbage.find([stored(place)], {OTHER}, NOW)) == [place]
    for name in names:
        assert not places(garbage.find([stored(place)], {name}, NOW))


@pytest.mark.parametrize("place", OURS)
def test_what_is_young_or_of_unknown_age_is_kept(place: str) -> None:
    for modified in (NOW - MIN_AGE + 1, NOW + 99, None):
        found = garbage.find([stored(place, modified)], set(), NOW)
        assert (places(found), found.young) == ([], 1)
    assert places(garbage.find([stored(place, NOW - MIN_AGE)], set(), NOW)) == [place]


@pytest.mark.parametrize(
    "place",
    [
        "files/md5/ab/README",
        f"files/md5/ab/{MD5[2:]}.old",
        f"files/md5/{MD5}",
        f"files/md5/ab/{MD5[2:].upper()}",
        f"records/{MD5}",
        f"records/notes/{SHA}",
        f"records/catalogue-1/{MD5}/{SHA}.txt",
        f"records/a/b/{MD5}/{SHA}",
        f"ab/{MD5[2:]}",
    ],
)
def test_a_file_of_somebody_else_is_left_alone(place: str) -> None:
    found = garbage.find([stored(place)], set(), NOW)
    assert (places(found), found.unknown) == ([], 1)


def test_temporary_files_of_killed_runs_are_garbage_once_they_are_old() -> None:
    names = ["files/md5/ab/tmpx1.tmp", "records/tmpx1.tmp", f"records/catalogue-1/{MD5}/x.tmp"]
    assert places(garbage.find([stored(name) for name in names], {MD5, SHA}, NOW)) == names
    assert garbage.find([stored(name, NOW) for name in names], set(), NOW).young == 3


@given(st.data())
def test_no_object_is_lost_that_is_needed_or_young(data: st.DataObject) -> None:
    names = [f"{number:032x}" for number in range(20)]
    needed = data.draw(st.sets(st.sampled_from(names)))
    young = data.draw(st.sets(st.sampled_from(names)))
    listed = [
        stored(f"files/md5/{name[:2]}/{name[2:]}", NOW if name in young else OLD) for name in names
    ]
    found = garbage.names_of(garbage.find(listed, needed, NOW).unneeded)
    assert found == set(names) - needed - young


# In a folder, and in a bucket of each store.


@pytest.fixture(params=["folder", "emulator", "s3", "azure"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    text = TEMPLATE[".dvc/config"]
    if request.param == "folder":
        address = str(tmp_path / "remote")
    else:
        address = request.getfixturevalue(request.param).config(tmp_path.name)
    (tmp_path / ".dvc").mkdir()
    return open_remote(tmp_path, text.replace("url = storage", f"url = {address}").encode())


def write(remote: Remote, content: bytes, end: str = "") -> str:
    """Store an object as it is; return its name."""
    name = manifest.md5_of(content) + end
    put(remote, name, content)
    return name


def put(remote: Remote, name: str, content: bytes) -> None:
    """Store content under a name, whatever is there."""
    path = remote.path(name)
    if isinstance(remote, FolderRemote):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
        return
    assert isinstance(remote, BucketRemote)
    with suppress(FileNotFoundError):
        remote._delete(path)
    remote._create(path, content, manifest.md5_of(content))


def test_a_listing_says_where_everything_is_how_large_and_how_old(remote: Remote) -> None:
    assert [*remote.listing()] == []
    name = write(remote, b"an image")
    remote.write_record(SHA, b"a record")
    remote.write_record(f"catalogue-1/{MD5}/{SHA}", b"drawn")

    listed = sorted(remote.listing())

    assert [(one.place, one.size) for one in listed] == [
        (f"files/md5/{name[:2]}/{name[2:]}", 8),
        (f"records/catalogue-1/{MD5}/{SHA}", 5),
        (f"records/{SHA}", 8),
    ]
    assert all(one.modified for one in listed)


def test_the_age_is_that_which_the_remote_reports(tmp_path: Path, emulator: Storage) -> None:
    (tmp_path / ".dvc").mkdir()
    address = emulator.config(tmp_path.name)
    text = TEMPLATE[".dvc/config"].replace("url = storage", f"url = {address}")
    remote = open_remote(tmp_path, text.encode())
    old, new = write(remote, b"old"), write(remote, b"new")
    emulator.age([remote.path(old).removeprefix(f"{BUCKET}/")], 30)
    times = {one.place: one.modified or 0 for one in remote.listing()}
    first, second = (times[f"files/md5/{name[:2]}/{name[2:]}"] for name in (old, new))
    assert 29.9 < (second - first) / 86400 < 30.1


def test_manifests_go_first_and_what_is_gone_already_is_no_error(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, kept = write(remote, b"file"), write(remote, b"kept")
    folder = write(remote, Manifest({"a": (file, 4)}).content, ".dir")
    listed = [one for one in remote.listing() if kept[2:] not in one.place]
    gone = stored("files/md5/00/" + "0" * 30)
    order: list[str] = []
    delete = remote._delete

    def noted(path: str) -> None:
        order.append(path)
        delete(path)

    monkeypatch.setattr(remote, "_delete", noted)
    garbage.delete(remote, [*listed, gone._replace(path=remote.path("0" * 32))])

    assert order[0] == remote.path(folder)
    assert len(order) == 3
    assert not remote.missing({kept})
    assert remote.missing({file, folder}) == {file, folder}


def test_no_file_is_deleted_while_its_manifest_is_there(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(remote, b"file")
    write(remote, Manifest({"a": (file, 4)}).content, ".dir")

    def refuse(path: str) -> None:
        raise PermissionError(path)

    listed = [*remote.listing()]
    monkeypatch.setattr(remote, "_delete", refuse)
    with pytest.raises(UserError, match="Run it again"):
        garbage.delete(remote, listed)
    assert not remote.missing({file})


def test_needed_manifests_need_their_files_and_a_damaged_one_stops_everything(
    remote: Remote,
) -> None:
    file, other = write(remote, b"file"), write(remote, b"other")
    folder = write(remote, Manifest({"a": (file, 4)}).content, ".dir").removesuffix(".dir")
    unneeded = write(remote, Manifest({"a": (other, 5)}).content, ".dir")
    listed = [*remote.listing()]
    # A manifest that was never stored, such as that of the template's lock, needs nothing.
    named = {folder, OTHER}
    assert garbage.expanded(remote, listed, named) == {*named, file}
    for content in (b"damaged", b""):
        put(remote, f"{folder}.dir", content)
        with pytest.raises(UserError, match="nothing is deleted"):
            garbage.expanded(remote, listed, named)
    # Nobody needs this one.
    remote._delete(remote.path(unneeded))
    odd = write(remote, b'[{"md5": 1}, 2]', ".dir").removesuffix(".dir")
    with pytest.raises(UserError, match="nothing is deleted"):
        garbage.expanded(remote, remote.listing(), {odd})
    assert garbage.expanded(remote, listed, {OTHER}) == {OTHER}
