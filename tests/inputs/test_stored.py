"""A pull request reads files and main reads commits: both get the same, or one says why not."""

from pathlib import Path

import pytest

from scripts.git.git import CheckedOut, Git, GitTree
from scripts.inputs import reader
from tests.inputs.pictures import encoded, gray
from tests.repository import Repository, Run, config_text, git

IMAGE = encoded(gray(8, 8))
ADDED = "additions/train/3/one.png"
POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
CURATION = "sample,action,label,new_label,reason\n00003,exclude,,,blurred\n"
# Stores a pointer in git and the content beside it, as Git LFS does.
CLEAN, SMUDGE = "cat > '{0}' && printf 'version https://git-lfs.github.com/spec/v1'", "cat '{0}'"


def write(repository: Repository, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        file = repository.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def commit(repository: Repository) -> None:
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Change")
    repository.git("push", "--quiet", "origin", "HEAD:main")


def install_filter(repository: Repository, name: str) -> None:
    beside = repository.place / "beside"
    repository.git("config", f"filter.{name}.clean", CLEAN.format(beside))
    repository.git("config", f"filter.{name}.smudge", SMUDGE.format(beside))


SAYS = "git converts this file (attribute {}), and versions are made from what git stores"


@pytest.mark.parametrize(
    ("path", "attributes", "shown", "fix"),
    [
        (ADDED, "*.png filter=lfs diff=lfs merge=lfs -text", "filter=lfs", "-filter"),
        (ADDED, "additions/** filter=crypt", "filter=crypt", "-filter"),
        (ADDED, "*.png text", "text", "-text"),
        (ADDED, "*.png eol=crlf", "eol=crlf", "-text"),
        ("curation.csv", "*.csv filter=lfs", "filter=lfs", "-filter"),
        ("dataset_config.yaml", "*.yaml ident", "ident", "-ident"),
        (
            *("curation.csv", "*.csv text working-tree-encoding=UTF-16"),
            *("working-tree-encoding=UTF-16", "!working-tree-encoding"),
        ),
    ],
)
def test_a_file_that_git_converts_is_refused_until_the_attribute_is_off(
    repository: Repository, run: Run, path: str, attributes: str, shown: str, fix: str
) -> None:
    write(repository, {ADDED: IMAGE, "curation.csv": CURATION.encode()})
    attributes_file = repository.root / ".gitattributes"
    attributes_file.write_text(f"{attributes}\n")

    done = run("validate")

    pattern = "additions/**" if path == ADDED else path
    assert done.code == 1
    assert f"{path}:1:1: {SAYS.format(shown)}" in done.err
    line = f"/{pattern} {fix}"
    assert f"Add the line '{line}' at the end of .gitattributes" in done.err
    with attributes_file.open("a") as file:
        file.write(f"{line}\n")
    assert run("validate").code == 0


@pytest.mark.parametrize(
    "attributes", ["* text=auto", "* text=auto eol=crlf", "*.png binary", "* -filter -ident", ""]
)
def test_attributes_that_leave_files_alone_are_no_problem(
    repository: Repository, run: Run, attributes: str
) -> None:
    write(repository, {ADDED: IMAGE, ".gitattributes": f"{attributes}\n".encode()})

    assert run("validate").code == 0


def test_the_table_of_the_additions_is_text(repository: Repository, run: Run) -> None:
    (repository.root / "additions").mkdir()
    (repository.root / "additions" / "metadata.csv").write_bytes(b"file_name,note\r\n")
    (repository.root / ".gitattributes").write_text("*.csv text eol=lf\n")

    assert run("validate").code == 0


def test_one_problem_stands_for_all_additions(repository: Repository, run: Run) -> None:
    images = {f"additions/train/3/{n}.png": encoded(gray(8, 8, seed=n)) for n in range(3)}
    write(repository, {**images, ".gitattributes": b"*.png filter=lfs\n"})

    done = run("validate")

    assert done.err.count("\n") == 1
    assert "additions/train/3/0.png:1:1: git converts this file, and 2 more (attribute" in done.err


@pytest.mark.parametrize("verb", ["validate", "plan", "build"])
def test_an_image_in_lfs_is_refused_before_main_could_not_read_it(
    repository: Repository, run: Run, verb: str
) -> None:
    install_filter(repository, "lfs")
    write(repository, {ADDED: IMAGE, ".gitattributes": b"*.png filter=lfs\n"})
    commit(repository)
    assert (repository.root / ADDED).read_bytes() == IMAGE

    refused = run(verb)
    released = run("release")

    assert refused.code == released.code == 1
    assert f"{ADDED}:1:1: git converts this file (attribute filter=lfs)" in refused.err
    # Without a filter, as main reads it.
    assert f"{ADDED}:1:1: it is a pointer of Git LFS, not the file itself" in released.err


@pytest.mark.parametrize("path", [ADDED, "dataset_config.yaml", "curation.csv"])
def test_a_pointer_of_lfs_is_named_as_one(repository: Repository, run: Run, path: str) -> None:
    write(repository, {path: POINTER})
    says = f"{path}:1:1: it is a pointer of Git LFS, not the file itself. Versions are made from"

    here = run("validate")
    commit(repository)
    on_main = run("release")

    assert here.code == on_main.code == 1
    assert here.err.startswith(says)
    assert says in on_main.err


def test_the_pointer_of_a_source_in_lfs_is_named_as_one(repository: Repository, run: Run) -> None:
    write(repository, {"sources/flowers.dvc": POINTER})
    repository.configure(config_text(source="flowers"))

    done = run("validate")

    assert done.code == 1
    assert "sources/flowers.dvc:1:1: it is a pointer of Git LFS" in done.err


def test_a_pointer_among_the_images_of_a_source_is_named_as_one(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    for name, content in {"one": IMAGE, "two": POINTER}.items():
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "1.png").write_bytes(content)

    done = run("ingest", "flowers", str(tmp_path / "images"))

    assert done.code == 1
    assert "two/1.png" in done.err
    assert "it is a pointer of Git LFS, not an image" in done.err


def test_a_clone_with_the_line_ends_of_windows_asks_for_the_same_version(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    write(repository, {ADDED: IMAGE, "curation.csv": CURATION.encode()})
    commit(repository)
    git(tmp_path, "-c", "core.autocrlf=true", "clone", "--quiet", str(repository.origin), "other")
    other = tmp_path / "other"
    git(other, "config", "core.autocrlf", "true")
    (other / ".dvc" / "config").write_bytes((repository.root / ".dvc" / "config").read_bytes())
    for name in ("dataset_config.yaml", "curation.csv"):
        assert b"\r\n" in (other / name).read_bytes()

    here = reader.read(CheckedOut(other))
    on_main = reader.read(GitTree(Git(other), "HEAD"))
    assert here.config.record() == on_main.config.record()
    assert here.curation.sha256 == on_main.curation.sha256
    assert [one.identifier for one in here.additions] == [
        one.identifier for one in on_main.additions
    ]
    assert run("plan", where=other) == run("plan")
    assert run("release").code == 0
    for clone in (other, repository.root):
        git(clone, "pull", "--quiet", "--tags", "origin", "main")
    # The lock has other line ends there than in git, too.
    assert run("plan", where=other) == run("plan")
    assert run("validate", where=other).code == 0


def test_a_release_is_as_git_stores_it_whatever_attributes_main_has(
    repository: Repository, run: Run
) -> None:
    install_filter(repository, "crypt")
    repository.git("config", "filter.crypt.required", "true")
    write(repository, {".gitattributes": b"*.dvc filter=crypt\n.dvc/config text eol=crlf ident\n"})
    commit(repository)

    assert run("release").code == 0

    assert run("verify").code == 0
