"""Small files that ask for much memory: each ends in one message, within the limit."""

import gzip
import lzma
import struct
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from scripts.ingest import images_read, reading
from scripts.isolated import Limits
from tests.ingest.pictures import labeled, write
from tests.repository import Repository, Run, create, objects

pytestmark = pytest.mark.isolated

POINTER = "sources/shapes.dvc"
MEMORY = 1024**3
# Runs a verb with that limit, then prints the most memory that any process had, in kilobytes.
# RUSAGE_SELF would include the process of the tests, which starts this one.
INGEST = f"""
import re, resource, sys
from pathlib import Path
from scripts.__main__ import main
from scripts.ingest import reading
from scripts.isolated import Limits
reading.LIMITS = Limits(reading.LIMITS.seconds, {MEMORY})
code = main()
own = re.search("VmHWM:(.*) kB", Path("/proc/self/status").read_text())[1]
print(max(int(own), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""
# The largest file that a bomb may be.
SMALL = 5_000_000


def parquet_bomb(folder: Path) -> None:
    """A file with the same 30 MB in each of its rows, written once."""
    (folder / "photos").mkdir()
    images = pa.array([bytes(30 * 1024**2)], pa.binary())
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 200, pa.int32()), images)
    table = pa.table({"image": repeated, "label": ["a"] * 200})
    parquet.write_table(
        table,
        folder / "photos" / "x.parquet",
        compression="zstd",
        store_schema=False,
        write_statistics=False,
        dictionary_pagesize_limit=2**30,
    )


def png_bomb(folder: Path) -> None:
    """A picture with 40,000 x 40,000 pixels, all of them black."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    start = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    content = zlib.compress(bytes(10_000_000))
    image = chunk(b"IHDR", start) + chunk(b"IDAT", content) + chunk(b"IEND", b"")
    write(folder / "photos", {f"{c}/x.png": b"\x89PNG\r\n\x1a\n" + image for c in "ab"})


def names_bomb(folder: Path) -> None:
    """A tar archive with a name of a gigabyte."""
    member = tarfile.TarInfo("x")
    member.size, member.type = 1024**3, tarfile.GNUTYPE_LONGNAME
    with gzip.open(folder / "photos.tar.gz", "wb", compresslevel=9) as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        file.write(bytes(10 * 1024**2))


def dictionary_bomb(folder: Path) -> None:
    """A tar archive for which a decompressor needs 1.5 GB."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 3 * 2**29}]
    content = bytearray(lzma.compress(bytes(10_240), filters=[{"id": lzma.FILTER_LZMA2}]))
    del filters
    # The size of the dictionary is one byte of the header of the block, which has a checksum.
    at = content.index(b"\x21\x01", 12) + 2
    content[at] = 39
    end = 12 + (content[12] + 1) * 4
    content[end - 4 : end] = struct.pack("<I", zlib.crc32(content[12 : end - 4]))
    (folder / "photos.tar.xz").write_bytes(content)


BOMBS: dict[Callable[[Path], None], str] = {
    parquet_bomb: "photos cannot be read: it needs more than 1,073,741,824 bytes of memory",
    png_bomb: "it has 40,000 x 40,000 pixels; at most 89,478,485 are allowed",
    names_bomb: "cannot be read: the headers of a file have more than 262,144 bytes",
    dictionary_bomb: "cannot be read: it needs more than 1,073,741,824 bytes of memory",
}


def test_a_source_that_grows_is_the_same_as_without_a_process(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [
        write(tmp_path / "first", labeled(range(20), "cat", "dog")),
        write(tmp_path / "second", labeled(range(10, 40), "cat", "dog")),
    ]
    made = []
    for place in ("isolated", "here"):
        (tmp_path / place).mkdir()
        repository = create(tmp_path / place)
        results = [run("ingest", "shapes", str(one), where=repository.root) for one in photos]
        assert [(one.code, one.err) for one in results] == [(0, ""), (0, "")]
        assert "skipped 10 images that the source has already" in results[1].out
        made.append(((repository.root / POINTER).read_bytes(), objects(repository.bucket)))
        monkeypatch.setattr(reading, "collect", images_read.collect)
    assert made[0] == made[1]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_a_small_file_that_needs_much_memory_is_one_message(
    repository: Repository, tmp_path: Path, bomb: Callable[[Path], None]
) -> None:
    bomb(tmp_path)
    (made,) = tmp_path.glob("photos*")
    files = [made] if made.is_file() else [file for file in made.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < SMALL

    command = [sys.executable, "-c", INGEST, "ingest", "shapes", str(made)]
    done = subprocess.run(command, cwd=repository.root, capture_output=True, text=True, check=False)

    *out, peak = done.stdout.splitlines()
    assert done.returncode == 1
    assert not out or out[0].startswith("recognized: ")
    assert BOMBS[bomb] in done.stderr
    assert "Traceback" not in done.stderr
    assert int(peak) * 1024 < MEMORY
    assert not list((repository.root / ".dvc" / "tmp").glob("ingest-*"))
    assert not repository.bucket.exists()


def test_what_takes_too_long_is_one_message(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LIMITS", Limits(0.01, MEMORY))
    photos = write(tmp_path / "photos", labeled(range(500), "cat", "dog"))

    result = run("ingest", "shapes", str(photos))

    assert (result.code, result.out) == (1, "")
    assert result.err == f"error: {photos} cannot be read: it takes longer than 0.01 seconds\n"


def test_names_in_an_archive_are_no_commands_and_control_no_terminal(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    evil = "x\n::error::owned\r##[error]\x1b[2J"
    photos = write(tmp_path / "photos", {f"{c}/{evil}.png": b"damaged" for c in "ab"})

    result = run("ingest", "shapes", str(photos))

    assert result.code == 1
    assert "owned" in result.err
    assert not [line for line in result.err.splitlines() if line.lstrip().startswith("::")]
    assert not [x for x in result.err if not (x.isprintable() or x == "\n")]
    assert "##[" not in result.err
    assert len(result.err.splitlines()) == 3


def test_its_process_leaves_nothing_that_python_warns_of(
    repository: Repository, tmp_path: Path
) -> None:
    photos = write(tmp_path / "photos", labeled(range(20), "cat", "dog"))
    command = [sys.executable, "-m", "scripts", "ingest", "shapes", str(photos)]

    done = subprocess.run(command, cwd=repository.root, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
