"""The story of docs/photographs.md: photos with a table, from a folder to the consumers.

The photos differ in size, colors and format, and keep their bytes; all photos of a camera are in
one split.
"""

import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from PIL import Image

from scripts.inputs import config_file
from scripts.releases import lock
from scripts.storage import manifest
from tests.doubles.storage import ENVIRONMENT, Storage
from tests.e2e.camera_traps import Photo, photos, write
from tests.e2e.test_growing import pixels, quoted
from tests.e2e.test_release_files import example, ran, statement
from tests.repository import PROJECT, Run, contents, create, dvc, git, process
from tests.storage.test_remote_google import point_at

DOCUMENT = PROJECT / "docs" / "photographs.md"
SHEET = PROJECT / "docs" / "photographs-samples.png"
SPLITS = ("train", "test")
# The columns of metadata that a consumer finds, besides the label.
COLUMNS = ("camera", "light", "age", "original_name")
# What each season brings: photos of the same cameras, and of others.
SUMMER = [*photos(range(24), range(3))]
AUTUMN = [*photos(range(12, 36), range(3, 6))]
WINTER = [*photos(range(24, 48), range(6, 10))]
PHOTOS = {photo.content: photo for photo in (*SUMMER, *AUTUMN, *WINTER)}

# What consumers print of each sample, with the examples of docs/consume.md before it.
OF_DATASETS = """
import hashlib, json, pathlib
def content(image):
    return image["bytes"] or pathlib.Path(image["path"]).read_bytes()
found = []
for split, rows in data.items():
    names = rows.features["label"].names
    for row in rows.cast_column("image", datasets.Image(decode=False)):
        image = hashlib.sha256(content(row["image"])).hexdigest()
        found.append([split, names[row["label"]], image, *(row[one] for one in COLUMNS)])
print(json.dumps(found))
"""
OF_CROISSANT = """
import hashlib, json, numpy
found = []
for row in records:
    label = ["deer", "fox"][row["train/label"]]
    image = hashlib.sha256(numpy.asarray(row["train/image"]).tobytes()).hexdigest()
    texts = [row[f"train/{one}"] for one in COLUMNS]
    found.append(["train", label, image, *(text and text.decode() for text in texts)])
print(json.dumps(found))
"""

Files = dict[str, bytes]


class Sample(NamedTuple):
    """A sample as a consumer finds it."""

    split: str
    label: str
    image: str
    camera: str
    light: str
    age: str | None
    name: str


class Story:
    """A team's repository with a bucket; each step is a pull request, its merge and its release."""

    def __init__(self, place: Path, run: Run, storage: Storage) -> None:
        self.repository, self.run, self.storage = create(place), run, storage
        self.path = f"{place.name}/photographs"
        point_at(self.repository, run, storage.url, self.path)
        self.comments: list[str] = []
        self.versions: dict[str, Files] = {}

    def verb(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.code == 0, result.err
        return result.out

    def ingest(self, season: str, made: Sequence[Photo]) -> str:
        folder = write(self.repository.place / season, made)
        return started(
            self.repository.root, f"ingest forest {folder} --label animal --group camera"
        )

    def release(self, **changes: object) -> Files:
        """Check the plan of a config, merge it, release it, and check the release."""
        self.repository.configure(config(**changes))
        self.verb("validate")
        planned = json.loads(self.verb("plan", "--format", "json"))
        self.comments.append(self.verb("plan", "--format", "markdown"))
        self.verb("workflow", "report", str(self.repository.place / "report"))
        self.repository.git("add", "--all")
        self.repository.git("commit", "--quiet", "--message", "Change the dataset")
        self.repository.git("push", "--quiet", "origin", "HEAD:main")
        self.verb("release")
        self.repository.git("pull", "--quiet", "--ff-only", "origin", "main")
        tag = planned["version"]
        assert self.repository.tags() == [*self.versions, tag]
        assert planned["comparable"] == [*self.versions]
        self.versions[tag] = self.files_of(tag)
        return self.versions[tag]

    def files_of(self, tag: str) -> Files:
        """Return the files of a release, read from the bucket."""
        made = lock.parse(self.repository.at_origin("show", f"{tag}:dataset.dvc").encode())
        listed = manifest.entries(self.storage.content(self.object(made.md5)))
        return {name: self.storage.content(self.object(md5)) for name, md5 in listed.items()}

    def object(self, md5: str) -> str:
        return f"{self.path}/files/md5/{md5[:2]}/{md5[2:]}"

    def sheet(self) -> bytes:
        """Return the picture that the newest comment shows."""
        return (self.repository.place / "report" / "samples.png").read_bytes()


def started(where: Path, *verbs: str) -> str:
    """Run verbs in a process of their own; return what they print."""
    done = process(where, *verbs, **ENVIRONMENT)
    assert done.returncode == 0, done.stderr.decode()
    return done.stderr.decode() + done.stdout.decode()


def config(**changes: object) -> str:
    values = {"source": "forest", "class": "all", "samples": 12, "test_size": 0.25}
    values |= {"encoding": "original", "group_by": "camera", **changes}
    return "".join(f"{key}: {value}\n" for key, value in values.items())


def counted(files: Files) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for (split, label), count in Counter(tuple(name.split("/")[:2]) for name in files).items():
        counts.setdefault(split, {})[label] = count
    return counts


def digest(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()


def each(train: int, test: int, *labels: str) -> dict[str, dict[str, int]]:
    return {"train": dict.fromkeys(labels, train), "test": dict.fromkeys(labels, test)}


def test_photos_of_a_team_become_a_dataset_that_keeps_them(
    tmp_path: Path, run: Run, emulator: Storage
) -> None:
    story = Story(tmp_path, run, emulator)

    # v0: the photos of the summer, as they came.
    said = story.ingest("summer", SUMMER)
    assert blocks("text")[1] in said
    first = story.release()
    assert counted(first) == each(9, 3, "deer", "fox")

    # v1 and v2: more photos, of the same cameras and of others.
    story.ingest("autumn", AUTUMN)
    second = story.release(samples=16)
    assert counted(second) == each(12, 4, "deer", "fox")
    assert first.items() <= second.items()
    sheet = story.sheet()
    story.ingest("winter", WINTER)
    third = story.release(samples=40)
    assert counted(third) == each(30, 10, "deer", "fox")
    assert second.items() <= third.items()
    assert {Path(name).suffix for name in third} == {".jpg", ".png", ".webp"}
    modes = {Image.open(io.BytesIO(content)).mode for content in third.values()}
    assert modes == {"L", "RGB", "RGBA"}

    # v3: another question about the same photos; v4: only photos of the day.
    fourth = story.release(label_by="age", samples="all")
    assert {*fourth.values()} == {content for content, photo in PHOTOS.items() if photo.age}
    fifth = story.release(samples=24, where="{light: day}")
    assert counted(fifth) == each(18, 6, "deer", "fox")
    assert {PHOTOS[content].light for content in fifth.values()} == {"day"}

    check_files(story.versions)
    check_splits(story.versions.values())
    check_rebuilt(story)
    check_repaired(story)
    check_catalogue(story)
    check_consumers(story, "v2")
    check_document(story, sheet)


def blocks(kind: str) -> list[str]:
    """Return the blocks of the document of this kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    return [str(block) for block in found]


def check_files(versions: Mapping[str, Files]) -> None:
    """Check that each file is one that came, with its ending, below its label."""
    for tag, files in versions.items():
        column = "age" if tag == "v3" else "animal"
        for name, content in files.items():
            photo = PHOTOS[content]
            assert name.split("/")[1] == getattr(photo, column)
            assert Path(name).suffix == Path(photo.name).suffix


def check_splits(versions: Iterable[Files]) -> None:
    """Check that no camera is on two sides of any versions, so that no photo moves."""
    sides: dict[str, set[str]] = {split: set() for split in SPLITS}
    for files in versions:
        for name, content in files.items():
            sides[name.split("/")[0]].add(PHOTOS[content].camera)
    assert not sides["train"] & sides["test"]
    assert all(sides.values())


def check_rebuilt(story: Story) -> None:
    """Build each release in a clone, which has nothing but its tag and the bucket."""
    clone = story.repository.place / "clone"
    git(story.repository.place, "clone", "--quiet", str(story.repository.origin), str(clone))
    for tag, files in story.versions.items():
        git(clone, "checkout", "--quiet", tag)
        started(clone, "build")
        assert contents(clone / "dataset") == files


def check_repaired(story: Story) -> None:
    """Lose a photo that the bucket has as a file of a release, and restore it from its source."""
    story.verb("verify")
    lost = min(story.versions["v1"].keys() - story.versions["v0"].keys())
    content = story.versions["v1"][lost]
    name = story.object(manifest.md5_of(content))
    story.storage.delete(name)
    damaged = story.run("verify")
    assert damaged.code == 1
    assert f"dataset/{lost}" in damaged.out
    fresh = story.repository.place / "fresh"
    git(story.repository.place, "clone", "--quiet", str(story.repository.origin), str(fresh))
    started(fresh, "repair v1", "verify")
    assert story.storage.content(name) == content


def check_catalogue(story: Story) -> None:
    """Check that the catalogue has a page for each release and for each of its classes."""
    site = story.repository.place / "site"
    story.verb("site", "--out", str(site))
    made = contents(site)
    for tag, files in story.versions.items():
        classes = {name.rpartition("/")[0] for name in files}
        pages = {f"{tag}/index.html", *(f"{tag}/{one}/1.html" for one in classes)}
        assert pages <= made.keys()


def check_document(story: Story, sheet: bytes) -> None:
    """Check that the document shows what the team writes and what a reviewer of v1 sees."""
    table = (story.repository.place / "summer" / "metadata.csv").read_text()
    assert table.startswith(blocks("text")[0].removesuffix("…\n"))
    assert config_file.parse(blocks("yaml")[0].encode()) == config_file.parse(config().encode())
    assert quoted(DOCUMENT.read_text()) == [story.comments[1]]
    assert "- **left out**: 59 samples without a value in age\n" in story.comments[3]
    assert digest(pixels(SHEET.read_bytes())) == digest(pixels(sheet)), "write the picture again"


def samples_of(files: Files, images: Mapping[bytes, str]) -> list[Sample]:
    """Return what a consumer of these files should find; `images` says what it sees of each."""
    found = []
    for name, content in files.items():
        photo, (split, label, _) = PHOTOS[content], name.split("/")
        known = (photo.camera, photo.light, photo.age or None, photo.name)
        found.append(Sample(split, label, images[content], *known))
    return sorted(found)


def check_consumers(story: Story, tag: str) -> None:
    """Check what programs of other people find in the files of a release, and with its tag."""
    files, place = story.versions[tag], story.repository.place
    folder = place / "files"
    story.verb("package", tag, "--out", str(folder))
    with zipfile.ZipFile(folder / f"dataset-{tag}.zip") as archive:
        archive.extractall(folder / f"dataset-{tag}")
    unpacked = contents(folder / f"dataset-{tag}")
    assert {name: unpacked[name] for name in files} == files
    rows = [
        row for split in SPLITS for row in pq.read_table(folder / f"{split}.parquet").to_pylist()
    ]
    assert {row["file"]: row["image"]["bytes"] for row in rows} == files

    expected = samples_of(files, {one: digest(one) for one in files.values()})
    for form in ('"parquet"', '"imagefolder"'):
        line = statement("load_dataset", form).replace("dataset-v1", f"dataset-{tag}")
        found = ran(f"import datasets\nCOLUMNS = {COLUMNS}\n{line}\n{OF_DATASETS}", folder).stdout
        assert sorted(Sample(*one) for one in json.loads(found)) == expected, form
    found = ran(f"COLUMNS = {COLUMNS}\n{example('mlcroissant')}\n{OF_CROISSANT}", folder).stdout
    seen = {content: digest(pixels(content)) for content in files.values()}
    of_train = [one for one in samples_of(files, seen) if one.split == "train"]
    assert sorted(Sample(*one) for one in json.loads(found)) == of_train

    got = place / "got"
    dvc(
        place,
        "get",
        str(story.repository.origin),
        "dataset",
        "--rev",
        tag,
        "-o",
        str(got),
        **ENVIRONMENT,
    )
    assert contents(got) == files
