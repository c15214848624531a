import json
from collections.abc import Callable

import pytest

from scripts.releases import lock
from scripts.releases.lock import Lock
from tests.repository import Released, Repository, Run, config_text, contents

LARGER = config_text(samples=8)
REFUSED = (
    "dataset.dvc:1:1: dataset.dvc is written by the release only, and this branch changes it."
    " Undo the change: git checkout origin/main -- dataset.dvc\n"
)


def commit(repository: Repository, name: str, text: str | None) -> None:
    """Commit a file to the branch that is checked out; without a text, delete it."""
    file = repository.root / name
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    repository.git("add", "--all", name)
    repository.git("commit", "--quiet", "--message", f"Change {name}")


def problems(repository: Repository, run: Run) -> list[dict[str, object]]:
    """Return the problems that `report` shows."""
    folder = repository.place / "report"
    result = run("workflow", "report", str(folder))
    assert (result.code, result.err) == (0, "")
    report = json.loads((folder / "report.json").read_bytes())
    found: list[dict[str, object]] = report["problems"]
    assert bool(found) is (report["plan"] is None)
    return found


def assert_refused(repository: Repository, run: Run) -> None:
    assert run("validate") == (1, "", REFUSED)
    (problem,) = problems(repository, run)
    place, _, message = REFUSED.strip().partition(": ")
    assert f"{problem['file']}:{problem['line']}:{problem['column']}" == place
    assert problem["message"] == message


@pytest.fixture
def branch(released_as: Released) -> Repository:
    """A repository with v0 and v1, and a new branch that is checked out."""
    repository = released_as(config_text(), LARGER)
    repository.git("switch", "--quiet", "--create", "branch")
    return repository


Edit = Callable[[Repository], str | None]

EDITS: dict[str, Edit] = {
    "one number": lambda repo: repo.lock.read_text().replace("nfiles: 16", "nfiles: 17"),
    "the checksum of the source": lambda repo: repo.lock.read_text().replace(
        "sha256: ", "sha256: 0"
    ),
    "an older release": lambda repo: repo.git("show", "v0:dataset.dvc") + "\n",
    "no schema": lambda repo: repo.lock.read_text().replace(f"  schema: {lock.SCHEMA}\n", ""),
    "a newer schema": lambda repo: repo.lock.read_text().replace(
        f"schema: {lock.SCHEMA}", f"schema: {lock.SCHEMA + 1}"
    ),
    "a comment": lambda repo: f"# mine\n{repo.lock.read_text()}",
    "a key of DVC": lambda repo: f"{repo.lock.read_text()}frozen: true\n",
    "a merge conflict": lambda repo: f"<<<<<<< HEAD\n{repo.lock.read_text()}",
    "nothing": lambda _: "",
    "no file": lambda _: None,
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_branch_that_edits_the_lock_is_refused(branch: Repository, run: Run, edit: Edit) -> None:
    old, new = branch.lock.read_text(), edit(branch)
    assert new != old

    commit(branch, "dataset.dvc", new)

    assert_refused(branch, run)


def test_a_lock_that_is_right_for_the_changed_config_is_refused_too(
    branch: Repository, run: Run
) -> None:
    commit(branch, "dataset_config.yaml", config_text())
    commit(branch, "dataset.dvc", branch.git("show", "v0:dataset.dvc") + "\n")

    assert_refused(branch, run)


@pytest.mark.parametrize("edit", [EDITS["one number"], EDITS["no file"]], ids=["edited", "deleted"])
def test_an_edit_of_the_lock_that_is_not_committed_is_refused_too(
    branch: Repository, run: Run, edit: Edit
) -> None:
    text = edit(branch)
    branch.lock.unlink()
    if text is not None:
        branch.lock.write_text(text)

    assert_refused(branch, run)


def test_the_named_fix_undoes_an_edit_of_the_lock(branch: Repository, run: Run) -> None:
    commit(branch, "dataset_config.yaml", config_text(samples=9))
    commit(branch, "dataset.dvc", EDITS["one number"](branch))
    assert_refused(branch, run)
    # Meanwhile, main gets another release.
    branch.git("switch", "--quiet", "main")
    branch.merge(config_text(samples=7))
    assert run("release").code == 0
    branch.git("switch", "--quiet", "branch")
    assert_refused(branch, run)

    branch.git(*REFUSED.strip().partition(": git ")[2].split())
    branch.git("commit", "--quiet", "--message", "Undo")

    assert run("validate").code == 0
    assert problems(branch, run) == []


@pytest.mark.parametrize("verb", ["validate", "plan", "build"])
def test_a_branch_that_changes_only_the_config_is_valid(
    branch: Repository, run: Run, verb: str
) -> None:
    commit(branch, "dataset_config.yaml", config_text(samples=9))

    assert run(verb).code == 0
    assert problems(branch, run) == []


def test_a_branch_is_valid_after_main_got_another_release(branch: Repository, run: Run) -> None:
    commit(branch, "dataset_config.yaml", config_text(samples=9))
    branch.git("switch", "--quiet", "main")
    branch.merge(config_text(samples=7))
    assert run("release").code == 0
    branch.git("switch", "--quiet", "branch")
    assert branch.git("show", "HEAD:dataset.dvc") != branch.git("show", "origin/main:dataset.dvc")

    assert run("validate").code == 0

    # A workflow checks out the merge of both.
    branch.git("switch", "--quiet", "--detach", "origin/main")
    branch.git("merge", "--quiet", "--strategy-option=theirs", "--message", "Merge", "branch")
    assert run("validate").code == 0
    assert problems(branch, run) == []


def test_the_merge_of_a_branch_that_edits_the_lock_is_refused(branch: Repository, run: Run) -> None:
    commit(branch, "dataset.dvc", EDITS["one number"](branch))
    branch.git("switch", "--quiet", "--detach", "origin/main")
    branch.git("merge", "--quiet", "--no-ff", "--message", "Merge", "branch")

    assert_refused(branch, run)


@pytest.mark.parametrize("tag", ["v0", "v1"])
@pytest.mark.parametrize("is_in_main", [True, False])
def test_a_checkout_of_a_release_can_be_validated_and_built(
    branch: Repository, run: Run, tag: str, *, is_in_main: bool
) -> None:
    if not is_in_main:
        # As if main could not be updated after its newest release.
        branch.git("update-ref", "refs/remotes/origin/main", "v1~1")
    branch.git("switch", "--quiet", "--detach", tag)

    assert run("validate").code == 0
    assert run("build").code == 0
    assert problems(branch, run) == []
    files = contents(branch.root / "dataset")
    assert len(files) == recorded(branch, tag).nfiles
    assert branch.git("status", "--porcelain") == ""


def recorded(repository: Repository, rev: str) -> Lock:
    return lock.parse(repository.git("show", f"{rev}:dataset.dvc").encode())


def test_another_tag_on_an_edited_lock_does_not_make_it_a_release(
    branch: Repository, run: Run
) -> None:
    commit(branch, "dataset.dvc", EDITS["one number"](branch))
    branch.git("tag", "mine")
    branch.git("tag", "v2-rc1")

    assert_refused(branch, run)


def test_before_the_first_release_a_branch_may_edit_the_lock(
    repository: Repository, run: Run
) -> None:
    assert run("template-lock").code == 0
    commit(repository, "dataset.dvc", repository.lock.read_text())
    repository.git("push", "--quiet", "origin", "main")
    repository.git("switch", "--quiet", "--create", "branch")
    for text in (repository.lock.read_text().replace("nfiles: 10", "nfiles: 11"), None):
        commit(repository, "dataset.dvc", text)

        assert run("validate").code == 0
        assert problems(repository, run) == []


def test_without_a_main_at_origin_there_is_nothing_to_compare_the_lock_with(
    branch: Repository, run: Run
) -> None:
    commit(branch, "dataset.dvc", EDITS["one number"](branch))
    branch.git("update-ref", "-d", "refs/remotes/origin/main")

    assert run("validate").code == 0
