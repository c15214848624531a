import pytest

from scripts.errors import UserError
from scripts.git.git import Git
from scripts.github import branches
from tests.repository import Repository

POINTER = "sources/own.dvc"


@pytest.fixture
def git(released: Repository, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A clone in which a workflow has written a file."""
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "octo/ds")
    file = released.root / POINTER
    file.parent.mkdir()
    file.write_text("outs: []\n")
    return Git(released.root)


def test_a_branch_holds_one_file_more_than_main_and_the_link_opens_its_pull_request(
    git: Git, released: Repository
) -> None:
    link = branches.push(git, "ingest/own", POINTER, "Ingest into own")

    assert link == "https://github.com/octo/ds/compare/main...ingest/own?expand=1"
    changed = released.at_origin("diff", "--name-only", "main", "ingest/own").splitlines()
    assert changed == [POINTER]
    assert released.at_origin("show", f"ingest/own:{POINTER}") == "outs: []"
    assert released.at_origin("log", "-1", "--format=%s", "ingest/own") == "Ingest into own"


def test_a_branch_that_is_not_merged_yet_is_refused(git: Git, released: Repository) -> None:
    branches.refuse_unmerged(git, "ingest/own", POINTER)
    branches.push(git, "ingest/own", POINTER, "Ingest into own")

    with pytest.raises(UserError, match=r"^the branch ingest/own is not merged yet\. Merge its"):
        branches.refuse_unmerged(git, "ingest/own", POINTER)

    # Main has the same file now, perhaps by a squash.
    released.merge_file(POINTER, "outs: []\n")
    branches.refuse_unmerged(git, "ingest/own", POINTER)


def test_the_fields_of_a_link_are_escaped() -> None:
    link = branches.link("https://github.com/octo/ds", "a b", title="x & y", body="#1")

    assert link == (
        "https://github.com/octo/ds/compare/main...a%20b?expand=1&title=x+%26+y&body=%231"
    )
