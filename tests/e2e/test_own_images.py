"""Your own images, from the pull request to the consumer, and images in color."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.inputs.additions import identifier
from scripts.releases import lock
from tests.inputs.pictures import Pixels, encoded, gray, rgb
from tests.repository import Repository, Result, Run, config_text, contents, dvc, git
from tests.sources.test_sources import keep

ONE, OTHER = gray(8, 8), gray(8, 8, seed=1)
NAME = f"{identifier(ONE)}.png"


@pytest.fixture
def repository(repository: Repository, run: Run) -> Repository:
    """A repository whose remote consumers of origin find too: by an absolute address."""
    assert run("remote", str(repository.bucket)).code == 0
    repository.git("commit", "--quiet", "--all", "--message", "Set the remote")
    repository.git("push", "--quiet", "origin", "main")
    return repository


def clone(repository: Repository, name: str) -> Path:
    git(repository.place, "clone", "--quiet", str(repository.origin), name)
    return repository.place / name


def put(where: Path, path: str, pixels: Pixels, form: str = "PNG") -> None:
    file = where / "additions" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encoded(pixels, form))


def merge(repository: Repository, *added: tuple[str, Pixels], removed: str = "") -> str:
    """Change the additions on origin's main, as the merge of a pull request does."""
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    if removed:
        repository.git("rm", "--quiet", f"additions/{removed}")
    for path, pixels in added:
        put(repository.root, path, pixels)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Change the additions")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    return repository.git("rev-parse", "HEAD")


def md5(repository: Repository, tag: str) -> str:
    return lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode()).md5


def dvc_get(repository: Repository, tag: str) -> dict[str, bytes]:
    """Return the files of a release, as a consumer fetches them."""
    place = repository.place / f"consumer-{tag}"
    place.mkdir()
    dvc(place, "get", "--quiet", str(repository.origin), "dataset", "--rev", tag)
    return contents(place / "dataset")


def pixels_of(content: bytes, folder: Path) -> tuple[str, Pixels]:
    """Return the mode and the pixels of a PNG, as any program reads it."""
    (folder / "one.png").write_bytes(content)
    with Image.open(folder / "one.png") as image:
        assert image.format == "PNG"
        return image.mode, np.asarray(image)


def assert_ok(result: Result) -> Result:
    assert result.code == 0, result.err
    return result


def test_an_added_image_is_planned_built_released_and_fetched(
    repository: Repository, run: Run
) -> None:
    assert_ok(run("release"))
    contributor = clone(repository, "contributor")
    git(contributor, "switch", "--quiet", "--create", "add")
    put(contributor, "train/3/Foto 1.PNG", ONE)

    assert assert_ok(run("validate", where=contributor)).out == (
        "dataset_config.yaml is valid: train 3: 4, no3: 3; test 3: 2, no3: 2\n"
    )
    plan = assert_ok(run("plan", where=contributor)).out
    assert "v1: +1 sample" in plan
    assert_ok(run("build", where=contributor))
    built = contents(contributor / "dataset")
    assert git(contributor, "status", "--porcelain") == "?? additions/"
    git(contributor, "add", "--all")
    git(contributor, "commit", "--quiet", "--message", "Add a three")
    assert_ok(run("push", where=contributor))
    git(contributor, "push", "--quiet", "origin", "HEAD:main")

    assert assert_ok(run("release")).out.startswith("v1 is published: train 3: 4, no3: 3; test")

    fetched = dvc_get(repository, "v1")
    assert fetched == built
    mode, pixels = pixels_of(fetched[f"train/3/{NAME}"], repository.place)
    assert (mode, pixels.tolist()) == ("L", ONE.tolist())
    fresh = clone(repository, "fresh")
    git(fresh, "checkout", "--quiet", "v1")
    assert_ok(run("build", where=fresh))
    assert contents(fresh / "dataset") == fetched
    assert_ok(run("verify"))


def test_removing_an_added_image_gives_the_bytes_of_before(
    repository: Repository, run: Run
) -> None:
    assert_ok(run("release"))
    merge(repository, ("train/3/a.png", ONE))
    assert_ok(run("release"))
    merge(repository, removed="train/3/a.png")
    assert_ok(run("release"))

    assert repository.tags() == ["v0", "v1", "v2"]
    assert md5(repository, "v0") == md5(repository, "v2") != md5(repository, "v1")


def test_what_changes_no_image_is_not_released(repository: Repository, run: Run) -> None:
    merge(repository, ("train/3/a.png", ONE))
    assert_ok(run("release"))
    merge(repository, ("train/3/another name.png", ONE), removed="train/3/a.png")
    assert_ok(run("release"))
    repository.merge_file("additions/README.md", "From the workshop in May\n")

    assert assert_ok(run("release")).out == (
        "nothing to release: the dataset on main is released already\n"
    )
    assert repository.tags() == ["v0"]


def test_each_change_of_the_additions_is_a_version_of_its_own(
    repository: Repository, run: Run
) -> None:
    assert_ok(run("release"))
    merge(repository, ("train/3/a.png", ONE))
    merge(repository, ("test/5/b.png", OTHER))
    merge(repository, ("train/8/a.png", ONE), removed="train/3/a.png")

    assert_ok(run("release"))

    assert repository.tags() == ["v0", "v1", "v2", "v3"]
    assert "1 sample in another class" in assert_ok(run("diff", "v2", "v3")).out
    assert f"train/no3/{NAME}" in dvc_get(repository, "v3")


@pytest.mark.parametrize(("old", "new"), [("train", "test"), ("test", "train")])
def test_an_added_image_that_moves_to_another_split_is_a_leak(
    repository: Repository, run: Run, old: str, new: str
) -> None:
    merge(repository, (f"{old}/3/a.png", ONE))
    assert_ok(run("release"))
    merge(repository, (f"{new}/3/a.png", ONE), removed=f"{old}/3/a.png")

    for verb in ("validate", "release"):
        result = run(verb)
        assert result.code == 1
        assert "leak: " in result.err
    assert repository.tags() == ["v0"]

    repository.merge(config_text(comparable_since="v1"))
    assert_ok(run("release"))
    assert f"{new}/3/{NAME}" in dvc_get(repository, "v1")


def test_problems_are_annotated_and_nothing_is_built(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    put(repository.root, "train/3/a,b\n::x.png", gray(9, 9))
    (repository.root / "additions/train/3/text.png").write_text("text")

    for verb in ("validate", "build", "plan"):
        assert run(verb) == (
            1,
            "::error file=additions/train/3/a%2Cb\\n%3A%3Ax.png,line=1,col=1::it is 9 x 9 gray, but"
            " the images of digits are 8 x 8 gray\n"
            "::error file=additions/train/3/text.png,line=1,col=1::it is not a JPEG, PNG,"
            " WebP, GIF, BMP, TIFF or PPM file\n",
            "additions/train/3/a,b\\n::x.png:1:1: it is 9 x 9 gray, but the images of digits are"
            " 8 x 8 gray\n"
            "additions/train/3/text.png:1:1: it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM"
            " file\n",
        )
    assert not (repository.root / "dataset").exists()
    assert not repository.cache.exists()


def test_the_names_of_files_with_problems_do_no_harm_in_a_comment(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    put(repository.root, "train/3/`@all`\n<img src=x>.png", gray(9, 9))
    put(repository.root, f"train/3/{'x' * 240}.png", gray(9, 9, seed=1))

    assert_ok(run("workflow", "report", str(tmp_path / "report")))

    says = "it is 9 x 9 gray, but the images of digits are 8 x 8 gray"
    assert summary.read_text().count(says) == 2
    assert r"`` additions/train/3/`@all`\n<img src=x>.png ``, line 1" in summary.read_text()
    assert f"`additions/train/3/{'x' * 181}…`, line 1" in summary.read_text()


def test_a_leak_is_named_at_a_file_with_any_name(repository: Repository, run: Run) -> None:
    merge(repository, ("train/3/a.png", ONE))
    assert_ok(run("release"))
    merge(repository, ("test/3/b\n::c.png", ONE), removed="train/3/a.png")

    assert run("validate").err.startswith(r"additions/test/3/b\n::c.png:1:1: leak: ")


def test_a_change_of_the_additions_after_the_build_is_not_pushed(
    repository: Repository, run: Run
) -> None:
    assert_ok(run("build"))
    put(repository.root, "train/3/a.png", ONE)

    result = run("push")

    assert result.code == 1
    assert "has changed since the build" in result.err


def test_images_in_color_of_any_size_are_released_in_one_size(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "openml"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = [rgb(3, 3, seed) for seed in range(40)]
    columns = [(f"p{index}", "NUMERIC") for index in range(27)]
    listed = [
        ",".join([*map(str, one.transpose(2, 0, 1).ravel()), "ab"[index % 2]])
        for index, one in enumerate(rows)
    ]
    keep(tmp_path / "openml", "tiny-colors", [*columns, ("kind", "{a,b}")], listed)
    colored = {"source": "tiny-colors", "class_": "all", "samples": 10, "test_size": 2}

    repository.configure(config_text(**colored))
    result = run("validate")
    assert result.code == 1
    assert (
        "source tiny-colors has color images, but the order of their values is unknown"
        in result.err
    )

    # As they are.
    repository.merge(config_text(**colored, channels="first"))
    assert_ok(run("release"))
    for name, content in dvc_get(repository, "v0").items():
        mode, pixels = pixels_of(content, tmp_path)
        assert mode == "RGB"
        assert np.array_equal(pixels, rows[int(Path(name).stem)])

    # As rectangles, together with a large photo.
    photo = rgb(60, 50)
    put(repository.root, "test/b/photo.jpg", photo, "JPEG")
    repository.git("add", "--all")
    desired = config_text(**colored, channels="first", image_size="12x16", comparable_since="v1")
    repository.merge(desired)
    assert_ok(run("build"))
    built = contents(repository.root / "dataset")
    assert_ok(run("release"))
    fetched = dvc_get(repository, "v1")
    assert len(fetched) == 21
    for content in fetched.values():
        mode, pixels = pixels_of(content, tmp_path)
        assert (mode, pixels.shape) == ("RGB", (16, 12, 3))

    # Another machine gets the same bytes.
    shutil.rmtree(tmp_path / "cache")
    fresh = clone(repository, "fresh")
    assert_ok(run("build", where=fresh))
    assert contents(fresh / "dataset") == built == fetched
