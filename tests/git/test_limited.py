import sys
import time
from random import Random

import pytest

from scripts.git import git as git_module
from scripts.git.git import Git, GitError, GitTree
from scripts.git.limited import LimitedGit
from scripts.inputs.problems import InputError
from tests.repository import Repository, git

# Nothing can compress it.
NOISE = Random(0).randbytes(1_200_000)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limit of sizes on Windows")


def commit(repository: Repository, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (repository.root / name).write_bytes(content)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Change")


def served_by(repository: Repository, script: str) -> None:
    """Let `script` serve what is fetched from origin."""
    file = repository.place / "serve.sh"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    repository.git("config", "remote.origin.uploadpack", str(file))


def test_a_command_that_never_ends_is_ended_with_all_it_started(repository: Repository) -> None:
    served_by(repository, "sleep 1; touch survived")
    started = time.monotonic()

    with pytest.raises(GitError, match=r"^git fetch failed: not finished within 0.2 seconds$"):
        LimitedGit(repository.root, 0.2, 10**6)("fetch", "origin")

    assert time.monotonic() - started < 1
    time.sleep(1.2)
    assert not (repository.root / "survived").exists()


def test_an_interrupt_ends_all_that_a_command_started(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        time.sleep(0.2)
        raise KeyboardInterrupt

    served_by(repository, "sleep 1; touch survived")
    monkeypatch.setattr("subprocess.Popen.communicate", interrupt)

    with pytest.raises(KeyboardInterrupt):
        LimitedGit(repository.root, 60, 10**6)("fetch", "origin")

    time.sleep(1.2)
    assert not (repository.root / "survived").exists()


@pytest.mark.parametrize("count", [1, 4], ids=["one large file", "several smaller files"])
def test_no_more_is_fetched_than_the_limit(repository: Repository, count: int) -> None:
    size = len(NOISE) // count
    commit(repository, {f"{n}": NOISE[n * size : (n + 1) * size] for n in range(count)})
    repository.git("push", "--quiet", "origin", "HEAD:refs/pull/1/head")
    # Over a transport, which a path is not.
    address = f"file://{repository.origin}"
    git(repository.place, "clone", "--quiet", "--single-branch", address, "other")
    other = repository.place / "other"

    with pytest.raises(
        GitError, match=r"^git fetch failed: .* \(the limit for a file is 1,000,000 bytes"
    ):
        LimitedGit(other, 60, 10**6)("fetch", "--quiet", "origin", "refs/pull/1/head")

    assert sum(file.stat().st_size for file in other.rglob("*") if file.is_file()) < 1_300_000
    # The limit is that of the command alone.
    (other / "large").write_bytes(NOISE)
    LimitedGit(other, 60, 2 * 10**6)("fetch", "--quiet", "origin", "refs/pull/1/head")


def test_other_errors_say_nothing_of_the_limit(repository: Repository) -> None:
    with pytest.raises(GitError) as caught:
        LimitedGit(repository.root, 60, 10**6)("fetch", "origin", "refs/pull/7/head")

    assert "couldn't find remote ref" in str(caught.value)
    assert "bytes" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A few kilobytes in git.
    commit(repository, {"dvc.yaml": b"0" * 2_000_001, "dvc.lock": b"0" * 2_000_000})
    monkeypatch.setattr(git_module, "MAX_FILE", 2_000_000)
    tree = GitTree(Git(repository.root), "HEAD")

    with pytest.raises(InputError) as caught:
        tree.read("dvc.yaml")

    assert str(caught.value) == (
        "dvc.yaml:1:1: the file has 2,000,001 bytes; at most 2,000,000 are read"
    )
    assert tree.read("dvc.lock") == b"0" * 2_000_000
