"""A change on its way through the clones of those who take part, with the real git and dvc."""

from pathlib import Path

from tests.repository import Repository, Run, config_text, contents, dvc, git

UP_TO_DATE = "Data and pipelines are up to date."
IN_SYNC = "Cache and remote 'storage' are in sync."


def clone(repository: Repository, name: str) -> Path:
    git(repository.place, "clone", "--quiet", str(repository.origin), name)
    return repository.place / name


def change(clone: Path, run: Run, text: str, branch: str) -> None:
    """Edit the config, build it and push it on a branch, as a contributor does."""
    git(clone, "switch", "--quiet", "--create", branch)
    (clone / "dataset_config.yaml").write_text(text)
    assert run("build", where=clone).code == 0
    assert git(clone, "status", "--porcelain") == " M dataset_config.yaml"
    git(clone, "commit", "--quiet", "--message", "Change the dataset", "dataset_config.yaml")
    assert run("push", where=clone).code == 0
    assert git(clone, "status", "--porcelain") == ""
    git(clone, "push", "--quiet", "origin", branch)


def merge(clone: Path, branch: str) -> None:
    """Merge a branch at origin, as GitHub does."""
    git(clone, "pull", "--quiet", "--ff-only")
    git(clone, "merge", "--quiet", "--no-ff", "--no-edit", f"origin/{branch}")
    git(clone, "push", "--quiet")


def test_a_change_comes_back_as_a_release_without_conflict_and_dvc_agrees(
    repository: Repository, run: Run
) -> None:
    contributor, github, runner = (
        clone(repository, x) for x in ("contributor", "github", "runner")
    )

    for number, samples in enumerate((6, 8)):
        change(contributor, run, config_text(samples=samples), f"change-{number}")
        merge(github, f"change-{number}")
        released = run("release", where=runner)
        assert released.out.startswith(f"v{number} is published: "), released.err
        git(contributor, "switch", "--quiet", "main")
        git(contributor, "pull", "--quiet")

    assert repository.tags() == ["v0", "v1"]
    assert git(contributor, "rev-parse", "HEAD") == repository.tip()
    assert dvc(contributor, "status") == UP_TO_DATE
    assert dvc(contributor, "status", "-c") == IN_SYNC
    assert dvc(contributor, "pull") == "Everything is up to date."
    made = contents(contributor / "dataset")
    assert len(made) == 16

    # What a consumer of the repository gets, without this project's code.
    fresh = clone(repository, "fresh")
    assert dvc(fresh, "pull").splitlines()[-1] == "17 files fetched and 16 files added"
    assert contents(fresh / "dataset") == made
    assert dvc(fresh, "status") == UP_TO_DATE
    assert dvc(fresh, "status", "-c") == IN_SYNC
    for place in (contributor, fresh):
        assert git(place, "status", "--porcelain") == ""


def test_dvc_replaces_a_local_build_and_writes_the_same_lock(
    released: Repository, run: Run
) -> None:
    assert run("build").code == 0
    files = contents(released.root / "dataset")
    released.configure(config_text(samples=4, test_size=1))
    assert run("build").code == 0
    released.git("restore", "dataset_config.yaml")

    dvc(released.root, "pull", "--quiet")

    assert contents(released.root / "dataset") == files
    dvc(released.root, "add", "--quiet", "dataset")
    assert released.git("status", "--porcelain") == ""
