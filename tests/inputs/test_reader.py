import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.git.git import CheckedOut, Git, GitError, GitTree, find
from scripts.inputs import additions, config_file, reader
from scripts.inputs.additions import MAX_FILE
from scripts.inputs.problems import InputError
from scripts.inputs.tree import Tree, WorkTree
from tests.inputs.pictures import encoded, gray
from tests.repository import Repository, Run, config_text, started_git


def test_a_config_is_the_same_from_a_work_tree_and_from_a_git_tree(repository: Repository) -> None:
    repository.merge(config_text(samples=9))
    committed = GitTree(Git(repository.root), "HEAD")
    inputs = reader.read(WorkTree(repository.root))
    assert inputs.config == config_file.parse(config_text(samples=9).encode())
    assert reader.read(committed) == inputs

    repository.configure(config_text(samples=8))

    assert reader.read(WorkTree(repository.root)) != inputs
    assert reader.read(committed) == inputs


def test_a_missing_config_is_the_same_problem_in_both(
    untouched: Repository, tmp_path: Path
) -> None:
    empty = untouched.git("hash-object", "-t", "tree", "/dev/null")
    trees: list[Tree] = [WorkTree(tmp_path), GitTree(Git(untouched.root), empty)]
    for tree in trees:
        with pytest.raises(
            InputError, match=r"^dataset_config\.yaml:1:1: the file is missing\. Run this in a "
        ):
            reader.read(tree)


def test_a_config_that_cannot_be_parsed_is_the_same_problem_in_both(
    repository: Repository,
) -> None:
    repository.merge("samples: -1\n")
    messages = []
    for tree in (WorkTree(repository.root), GitTree(Git(repository.root), "HEAD")):
        with pytest.raises(InputError) as caught:
            reader.read(tree)
        messages.append(str(caught.value))

    assert messages[0] == messages[1]


def link(file: Path) -> None:
    (file.parent / "other.yaml").write_text(config_text())
    file.symlink_to("other.yaml")


def link_to_a_device(file: Path) -> None:
    file.symlink_to("/dev/zero")


def folder(file: Path) -> None:
    file.mkdir()
    (file / "config.yaml").write_text(config_text())


@pytest.mark.parametrize("kind", [link, link_to_a_device, folder, os.mkfifo])
@pytest.mark.parametrize("verb", ["validate", "plan", "build"])
def test_a_config_that_is_no_regular_file_is_not_read(
    repository: Repository, run: Run, kind: Callable[[Path], None], verb: str
) -> None:
    file = repository.root / "dataset_config.yaml"
    file.unlink()
    kind(file)

    assert run(verb) == (
        *(1, ""),
        "dataset_config.yaml:1:1: not a regular file; links, folders and devices are not read\n",
    )


@pytest.mark.parametrize("kind", [link, link_to_a_device, folder])
def test_a_merged_config_that_is_no_regular_file_is_skipped_once_it_is_fixed(
    repository: Repository, run: Run, kind: Callable[[Path], None]
) -> None:
    file = repository.root / "dataset_config.yaml"
    file.unlink()
    kind(file)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Use a link")
    repository.git("push", "--quiet", "origin", "main")

    result = run("release")

    assert result.code == 1
    assert result.err.endswith(
        "dataset_config.yaml:1:1: not a regular file; links, folders and devices are not read\n"
    )
    repository.git("rm", "--quiet", "-r", "dataset_config.yaml")
    repository.merge(config_text())
    assert run("release").code == 0


def write(root: Path, path: str | bytes, content: bytes) -> Path:
    file = root / os.fsdecode(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def commit(repository: Repository) -> str:
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Add images")
    return repository.git("rev-parse", "HEAD")


def trees(repository: Repository) -> tuple[Tree, Tree]:
    """Return the same files twice, once committed."""
    return CheckedOut(repository.root), GitTree(Git(repository.root), commit(repository))


def refused(tree: Tree) -> str:
    with pytest.raises(InputError) as caught:
        reader.read(tree)
    return str(caught.value)


NAMES: list[str | bytes] = [
    "train/3/a.png",
    "test/4/a.png",
    "train/3/zwei Wörter.PNG",
    "train/3/日本語.jpg",
    "train/3/line\nbreak.png",
    "train/3/\"quoted'.jpeg",
    "train/3/..png",
    "train/3/-n.png",
    "train/3/*.png",
    f"train/3/{'x' * 250}.png",
    b"train/3/\xff.png",
]


def test_additions_are_the_same_from_a_work_tree_and_from_a_git_tree(
    repository: Repository,
) -> None:
    for seed, name in enumerate(NAMES):
        path = b"additions/" + os.fsencode(name)
        write(repository.root, path, encoded(gray(8, 8, seed)))

    ours, theirs = (reader.read(tree).additions for tree in trees(repository))

    assert [one.path for one in ours] == [one.path for one in theirs]
    assert [one.digest for one in ours] == [one.digest for one in theirs]
    visible = [name for name in NAMES if name != "train/3/..png"]
    assert {one.path for one in ours} == {f"additions/{os.fsdecode(name)}" for name in visible}


def test_an_addition_counts_before_it_is_committed_and_until_it_is_removed(
    repository: Repository,
) -> None:
    file = write(repository.root, "additions/train/3/a.png", encoded(gray(8, 8)))

    def counts() -> tuple[int, int]:
        trees = CheckedOut(repository.root), GitTree(Git(repository.root), "HEAD")
        work, head = (len(reader.read(tree).additions) for tree in trees)
        return work, head

    assert counts() == (1, 0)
    commit(repository)
    assert counts() == (1, 1)
    file.unlink()
    assert counts() == (0, 1)


def test_files_that_are_not_meant_as_images_are_not_read(repository: Repository) -> None:
    for name in (".gitkeep", "train/.gitkeep", "README.md", "train/3/readme.md"):
        write(repository.root, f"additions/{name}", b"text")
    for name in (".DS_Store", "train/3/._a.png", "train/3/Thumbs.db", "test/desktop.ini"):
        write(repository.root, f"additions/{name}", b"\0binary")

    for tree in trees(repository):
        assert reader.read(tree).additions == ()


def test_other_files_are_problems_in_both(repository: Repository) -> None:
    write(repository.root, "additions/notes.txt", b"text")
    write(repository.root, "additions/train/3/a.png", b"text")

    for tree in trees(repository):
        assert refused(tree) == (
            "additions/notes.txt:1:1: expected additions/SPLIT/LABEL/NAME, such as"
            " additions/train/3/one.png\n"
            "additions/notes.txt:1:1: it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file\n"
            "additions/train/3/a.png:1:1: it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file"
        )


def link_to_a_folder(file: Path) -> None:
    file.symlink_to("/usr")


def submodule(file: Path) -> None:
    """Make a repository; git adds it as a submodule."""
    write(file, "3/a.png", encoded(gray(8, 8)))
    run = Git(file)
    run("init", "--quiet")
    run("add", "--all")
    run("commit", "--quiet", "--message", "Begin")


def submodule_that_is_not_checked_out(file: Path) -> None:
    submodule(file)
    find(file.parent)("add", str(file))
    for child in sorted(file.rglob("*"), reverse=True):
        child.rmdir() if child.is_dir() else child.unlink()


@pytest.mark.parametrize(
    "kind", [link, link_to_a_device, link_to_a_folder, submodule, submodule_that_is_not_checked_out]
)
@pytest.mark.parametrize("path", ["additions/train/3/a.png", "additions/train", "additions"])
def test_what_is_no_regular_file_is_refused_in_the_same_words_from_both(
    repository: Repository, kind: Callable[[Path], None], path: str
) -> None:
    file = repository.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    kind(file)

    for tree in trees(repository):
        assert (
            f"{path}:1:1: not a regular file; links, folders and devices are not read"
            in refused(tree).splitlines()
        )


def test_a_repository_of_its_own_is_refused_before_it_is_committed(repository: Repository) -> None:
    (repository.root / "additions").mkdir()
    submodule(repository.root / "additions/train")

    assert refused(CheckedOut(repository.root)) == (
        "additions/train:1:1: not a regular file; links, folders and devices are not read"
    )


def test_a_pipe_is_refused_without_being_read(repository: Repository) -> None:
    (repository.root / "additions/train/3").mkdir(parents=True)
    os.mkfifo(repository.root / "additions/train/3/a.png")

    assert refused(WorkTree(repository.root)) == (
        "additions/train/3/a.png:1:1: not a regular file; links, folders and devices are not read"
    )


def test_a_folder_that_cannot_be_read_is_named(repository: Repository, run: Run) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can read every folder")
    folder = repository.root / "additions/train"
    folder.mkdir(parents=True)
    folder.chmod(0)

    assert run("validate") == (1, "", "error: additions/train: cannot be read: Permission denied\n")
    folder.chmod(0o755)


def test_nothing_is_read_of_files_that_are_too_large(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repository.root, "additions/train/3/a.png", encoded(gray(8, 8)))
    write(repository.root, "additions/train/3/b.png", b"")
    os.truncate(repository.root / "additions/train/3/b.png", MAX_FILE + 1)

    for tree in trees(repository):
        monkeypatch.setattr(type(tree), "contents", None)
        monkeypatch.setattr(additions, "parse", None)
        assert refused(tree).startswith("additions/train/3/b.png:1:1: it has 8,388,609 bytes; at")


def test_git_runs_once_to_read_all_additions_and_not_at_all_for_none(
    repository: Repository,
) -> None:
    def processes() -> list[str]:
        with started_git() as started:
            reader.read(GitTree(Git(repository.root), "HEAD"))
        return started

    without = processes()
    for seed in range(30):
        write(repository.root, f"additions/train/3/{seed}.png", encoded(gray(8, 8, seed)))
    commit(repository)

    assert Counter(processes()) - Counter(without) == {"cat-file": 1}
    assert "cat-file" not in without


def test_what_is_not_there_is_told_from_what_cannot_be_asked_for(repository: Repository) -> None:
    git = Git(repository.root)

    assert git.file("HEAD", "curation.csv") is None
    assert GitTree(git, "HEAD").read("curation.csv") is None
    with pytest.raises(GitError):
        git.file("0" * 40, "curation.csv")
    # It is not listed, so that there would be no such file.
    with pytest.raises(ValueError, match=r"\.gitignore"):
        GitTree(git, "HEAD").read(".gitignore")


def test_problems_of_config_curation_and_additions_are_named_together(
    repository: Repository, run: Run
) -> None:
    repository.configure(config_text(samples=-1, validation_size=0.0))
    write(repository.root, "curation.csv", b"sample\n")
    write(repository.root, "additions/validation/3/a.png", b"text")
    write(repository.root, "additions/validation/Ä/b.png", encoded(gray(8, 8)))

    result = run("validate")

    assert (result.code, result.out) == (1, "")
    lines = [line.split(": ", 1)[0] for line in result.err.splitlines()]
    assert lines == [
        "additions/validation/3/a.png:1:1",
        "additions/validation/Ä/b.png:1:1",
        "curation.csv:1:1",
        "dataset_config.yaml:3:10",
        "dataset_config.yaml:6:18",
    ]
