import io
import os
import stat
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from scripts.errors import UserError
from scripts.ingest import locations
from scripts.ingest.findings import Findings
from tests.doubles.azure import CONTAINER, Azure, connection
from tests.doubles.s3 import S3
from tests.doubles.storage import BUCKET, Storage
from tests.ingest.pictures import write

FILES = {"a/1.png": b"first", "b/ü 2.png": b"second", "b/3.png": b""}
LINK = "it is a link or a device; only regular files are read"
UNSAFE = "its path is absolute, or contains .. or a backslash"


def read(location: str) -> tuple[dict[str, bytes], list[str]]:
    """Return the content of each file, and what is wrong with others."""
    problems = Findings()
    with locations.opened(location) as opened:
        files = list(opened.files(problems))
        contents = {str(file.path): content for file, content in opened.read(files)}
        for file in files[:20]:  # an archive is read from its start for each
            with opened.spool(file) as spooled:
                assert spooled.read() == contents[str(file.path)]
    return contents, [one.line for one in problems.found]


def add(archive: tarfile.TarFile, name: str, content: bytes = b"", **how: object) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for key, value in how.items():
        setattr(member, key, value)
    archive.addfile(member, io.BytesIO(content))


def tar(path: Path, files: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        add(archive, "a", type=tarfile.DIRTYPE)
        for name, content in files.items():
            add(archive, name, content)
    return path


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/", b"")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_folder_is_read_sorted_by_path(tmp_path: Path) -> None:
    assert read(str(write(tmp_path, FILES))) == (FILES, [])
    assert list(read(str(tmp_path))[0]) == sorted(FILES)
    assert read(f"file://{tmp_path}/") == (FILES, [])


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *(("x.tar", "w"), ("x.tar.gz", "w:gz"), ("x.TGZ", "w:gz"), ("x.tar.xz", "w:xz")),
        *(("x.txz", "w:xz"), ("x.tar.bz2", "w:bz2"), ("x.tbz2", "w:bz2"), ("x.tbz", "w:bz2")),
    ],
)
def test_a_tar_archive_is_read_in_its_order(tmp_path: Path, name: str, mode: str) -> None:
    made = tar(tmp_path / name, {f"./{path}": content for path, content in FILES.items()}, mode)
    assert read(str(made)) == (FILES, [])


def test_a_zip_archive_is_read(tmp_path: Path) -> None:
    assert read(str(zipped(tmp_path / "x.zip", FILES))) == (FILES, [])


@pytest.fixture
def bucket(emulator: Storage, monkeypatch: pytest.MonkeyPatch) -> Storage:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    return emulator


def test_a_bucket_and_an_archive_in_it_are_read(bucket: Storage, tmp_path: Path) -> None:
    # The emulator fails for empty files and for names that are not ASCII.
    files = {"a/1.png": b"first", "b/2.png": b"second"}
    for name, content in files.items():
        bucket.overwrite(f"photos/{name}", content)
    bucket.overwrite("photos.tar.xz", tar(tmp_path / "x.tar.xz", files, "w:xz").read_bytes())
    bucket.overwrite("photos.zip", zipped(tmp_path / "x.zip", files).read_bytes())

    for location in ("photos", "photos.tar.xz", "photos.zip"):
        assert read(f"gs://{BUCKET}/{location}") == (files, [])


def test_a_bucket_of_s3_is_read(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.proxy.url)
    for name, content in FILES.items():
        s3.overwrite(f"photos/{name}", content)
    s3.overwrite("photos.zip", zipped(tmp_path / "x.zip", FILES).read_bytes())

    for location in ("photos", "photos.zip"):
        assert read(f"s3://{BUCKET}/{location}") == (FILES, [])


def test_a_container_of_azure_is_read(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(azure.proxy.port))
    for name, content in FILES.items():
        azure.overwrite(f"photos/{name}", content)

    for scheme in ("az", "abfs"):
        assert read(f"{scheme}://{CONTAINER}/photos") == (FILES, [])


def test_members_of_an_archive_that_are_no_regular_files_are_never_read(tmp_path: Path) -> None:
    outside = write(tmp_path, {"secret.png": b"secret"}) / "secret.png"
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        add(archive, "a/1.png", b"first")
        add(archive, "../up.png", b"up")
        add(archive, "/etc/absolute.png", b"absolute")
        add(archive, "a/../../b.png", b"up")
        add(archive, "a\\b.png", b"backslash")
        add(archive, "a/symlink.png", type=tarfile.SYMTYPE, linkname=str(outside))
        add(archive, "a/inside.png", type=tarfile.SYMTYPE, linkname="1.png")
        add(archive, "a/hard.png", type=tarfile.LNKTYPE, linkname="a/1.png")
        add(archive, "a/device.png", type=tarfile.CHRTYPE, devmajor=1, devminor=5)
        add(archive, "a/pipe.png", type=tarfile.FIFOTYPE)
    found, problems = read(str(tmp_path / "x.tar"))
    assert found == {"a/1.png": b"first"}
    assert problems == [
        f"../up.png: {UNSAFE}",
        f"/etc/absolute.png: {UNSAFE}",
        f"a/../../b.png: {UNSAFE}",
        f"a\\b.png: {UNSAFE}",
        *(f"a/{kind}.png: {LINK}" for kind in ("symlink", "inside", "hard", "device", "pipe")),
    ]
    assert sorted(x.name for x in tmp_path.iterdir()) == ["secret.png", "x.tar"]


def test_members_of_a_zip_archive_that_are_no_regular_files_are_never_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("../up.png", b"up")
        archive.writestr("a/1.png", b"first")
    assert read(str(tmp_path / "x.zip")) == (
        {"a/1.png": b"first"},
        [f"a/link.png: {LINK}", f"../up.png: {UNSAFE}"],
    )


def test_links_and_pipes_in_a_folder_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.png": b"first"})
    (tmp_path / "a" / "link.png").symlink_to("1.png")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert read(str(tmp_path)) == (
        {"a/1.png": b"first"},
        [f"a/link.png: {LINK}", f"a/pipe.png: {LINK}", f"b: {LINK}"],
    )


def test_what_systems_leave_in_folders_and_archives_is_passed_over(tmp_path: Path) -> None:
    left = {"__MACOSX/a/._1.png": b"x", "a/.DS_Store": b"x", "a/Thumbs.db": b"x", ".git/x": b"x"}
    assert read(str(write(tmp_path / "folder", FILES | left))) == (FILES, [])
    assert read(str(zipped(tmp_path / "x.zip", FILES | left))) == (FILES, [])


@pytest.mark.parametrize("cut", [100, 700, 1024, 1536, 2048])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_archive_that_was_cut_is_refused(tmp_path: Path, cut: int, mode: str) -> None:
    made = tar(tmp_path / "x.tar", FILES, mode)
    content = made.read_bytes()
    made.write_bytes(content[:cut] if mode == "w" else content[: len(content) * cut // 2700])
    with pytest.raises(UserError, match=r"x\.tar cannot be read: "):
        read(str(made))


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.xz"])
@pytest.mark.parametrize("content", [b"", b"text that is no archive" * 100])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name} cannot be read: "):
        read(str(tmp_path / name))


def test_a_damaged_or_encrypted_member_of_a_zip_archive_is_named(tmp_path: Path) -> None:
    made = zipped(tmp_path / "x.zip", {"a/1.png": bytes(range(256))})
    content = made.read_bytes()
    at = content.index(bytes(range(100, 120)))
    made.write_bytes(content[:at] + b"!" + content[at + 1 :])
    with pytest.raises(UserError, match=r"cannot be read: Bad CRC-32 for file 'a/1\.png'"):
        read(str(made))
    encrypted = bytearray(content)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.rindex(signature) + flags] |= 1
    made.write_bytes(encrypted)
    assert read(str(made)) == ({}, ["a/1.png: it is encrypted"])


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("nowhere", "nowhere: there is no such file or folder"),
        ("s3://bucket/x", "s3:// needs: pip install -r requirements-s3.txt"),
        ("az://bucket/x", "az:// needs: pip install -r requirements-azure.txt"),
        ("nowhere.zip", "nowhere.zip: there is no such file or folder"),
    ],
)
def test_a_location_that_cannot_be_opened_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for client in ("dvc_s3", "dvc_azure"):
        monkeypatch.setitem(sys.modules, client, None)
    with pytest.raises(UserError) as caught:
        read(location)
    assert str(caught.value) == says


def test_the_number_and_the_size_of_files_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tar(tmp_path / "x.tar.gz", {"a/zeros": bytes(10_000_000)}, "w:gz")
    assert made.stat().st_size < 20_000
    for limit, value, says in (
        ("MAX_FILES", 0, "has more than 0 files; ingest them in several parts"),
        ("MAX_TOTAL", 9_999_999, "have more than 0 GiB; ingest them in several parts"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(locations, limit, value)
            with (
                pytest.raises(UserError, match=says),
                locations.opened(str(made)) as opened,
            ):
                list(locations.bounded(opened.files(Findings()), str(made)))


def test_files_of_a_bucket_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [3, 3, 3, 9, 1, 1]
    files = [locations.LocatedFile(PurePosixPath(f"{n}"), size, n) for n, size in enumerate(sizes)]
    monkeypatch.setattr(locations, "READ_AT_ONCE", 6)
    assert [[file.size for file in part] for part in locations._parts(files)] == [
        [3, 3],
        [3],
        [9],
        [1, 1],
    ]
    monkeypatch.setattr(locations, "FILES_AT_ONCE", 1)
    assert len(list(locations._parts(files))) == 6


@pytest.mark.parametrize(
    "location",
    [
        *("reference::http://127.0.0.1/x", "zip://::x.zip", "zip://x.zip", "simplecache::gs://b/x"),
        *("http://127.0.0.1/x", "https://example.com/x.zip", "ftp://example.com", "data:,x"),
        *(
            "github://owner:name@/x",
            "memory://x",
            "sftp://example.com/x",
            "strange://x",
            "GS://b/x",
        ),
        *("ssh://example.com/x", "reference://x", "file://x::http://127.0.0.1", "local://x"),
    ],
)
def test_only_folders_and_buckets_are_read(location: str) -> None:
    with pytest.raises(UserError) as caught:
        read(location)
    assert str(caught.value) == (
        f"{location} is not supported: use a path on this machine, or a URL"
        " that begins with file://, gs://, s3://, az://, abfs://"
    )


def test_a_path_can_have_a_colon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "photos: 2", FILES)
    monkeypatch.chdir(tmp_path)
    assert read("photos: 2") == (FILES, [])


def header(name: str, size: int, kind: bytes) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


# Headers of a tar archive that ask for memory: what belongs to each, and how often it comes.
KINDS = {
    "a long name": (tarfile.GNUTYPE_LONGNAME, b"a" * 300_000, 1),
    "a long link": (tarfile.GNUTYPE_LONGLINK, b"a" * 300_000, 1),
    "attributes": (tarfile.XHDTYPE, b"300000 a=" + b"b" * 299_990 + b"\n", 1),
    "attributes of all files": (tarfile.XGLTYPE, b"1000 a=" + b"b" * 992 + b"\n", 300),
    "many names": (tarfile.GNUTYPE_LONGNAME, b"a" * 1_000, 300),
}


@pytest.mark.parametrize(("kind", "content", "times"), KINDS.values(), ids=KINDS)
def test_the_headers_of_a_tar_archive_are_bounded(
    tmp_path: Path, kind: bytes, content: bytes, times: int
) -> None:
    size = len(content)
    block = header("x", size, kind) + content + bytes(-size % 512)
    end = header("a/1.png", 0, tarfile.REGTYPE) + bytes(1024)
    (tmp_path / "x.tar").write_bytes(block * times + end)
    with pytest.raises(UserError, match=r"x\.tar cannot be read: the headers of a file have more"):
        read(str(tmp_path / "x.tar"))


def test_many_files_can_have_long_names(tmp_path: Path) -> None:
    for how in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        names = [f"a/{number:0200}.png" for number in range(2_000)]
        with tarfile.open(tmp_path / "x.tar", "w", format=how, pax_headers={"a": "b"}) as archive:
            for name in names:
                add(archive, name, b"x")
        assert read(str(tmp_path / "x.tar")) == (dict.fromkeys(names, b"x"), [])


def test_sparse_files_and_negative_sizes_in_a_tar_archive_are_refused(tmp_path: Path) -> None:
    for kind, says in (
        (header("x", 512, tarfile.GNUTYPE_SPARSE), "it has sparse files; create it without them"),
        (header("x", -1_000_000, tarfile.XHDTYPE), "a header has a negative size"),
    ):
        (tmp_path / "x.tar").write_bytes(kind + bytes(2048))
        with pytest.raises(UserError, match=f"cannot be read: {says}"):
            read(str(tmp_path / "x.tar"))


@pytest.mark.parametrize("name", ["x.7z", "x.RAR", "x.tar.zst"])
def test_other_archives_are_named_as_not_supported(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match="this kind of archive is not supported"):
        read(str(tmp_path / name))


def test_a_zip_archive_with_backslashes_is_read_after_the_same_checks(tmp_path: Path) -> None:
    names = ["a\\", "a\\1.png", "b\\c\\2.png", "..\\up.png", "\\top.png", "C:\\x.png"]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"first")
    contents, problems = read(str(tmp_path / "x.zip"))
    assert contents == {"a/1.png": b"first", "b/c/2.png": b"first"}
    assert problems == [f"{name}: {UNSAFE}" for name in ("../up.png", "/top.png", "C:/x.png")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_stored_twice_counts_once_and_the_last_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for content in (b"first", b"second"):
            archive.writestr("a/1.png", content)
    with tarfile.open(tmp_path / "x.tar", "w") as archive_:
        add(archive_, "a/1.png", b"first")
        add(archive_, "./a/1.png", b"second")
    for name in ("x.zip", "x.tar"):
        with locations.opened(str(tmp_path / name)) as opened:
            files = locations.listed(opened, name, Findings())
            assert [content for _, content in opened.read(files)] == [b"second"]


# What fsspec would take for patterns.
PATTERNS = {"a[1]/[x].png": b"1", "a[1]/x*.png": b"2", "b?/y.png": b"3", "b?/{z}.png": b"4"}


def test_names_that_look_like_patterns_are_names(tmp_path: Path) -> None:
    others = {"a1/x.png": b"5", "a[1]/x1.png": b"6", "bb/y.png": b"7"}
    folder = write(tmp_path / "[f]*", PATTERNS | others)
    assert read(str(folder)) == (PATTERNS | others, [])
    assert read(str(folder / "a[1]")) == (
        {"[x].png": b"1", "x*.png": b"2", "x1.png": b"6"},
        [],
    )
    assert read(str(folder / "a[1]" / "[x].png")) == ({"[x].png": b"1"}, [])
    for name, made in (("[x]*.zip", zipped), ("[x]*.tar", tar)):
        assert read(str(made(tmp_path / name, PATTERNS))) == (PATTERNS, [])


def test_names_in_a_bucket_that_look_like_patterns_are_names(bucket: Storage) -> None:
    files = {**PATTERNS, "a[1]/x1.png": b"6"}
    for name, content in files.items():
        bucket.overwrite(f"patterns/{name}", content)
    assert read(f"gs://{BUCKET}/patterns") == (files, [])
