import hashlib
from collections.abc import Callable

import pytest

from scripts import fingerprint
from scripts.git.git import Git
from scripts.releases import releases
from tests.repository import REMOTE_URL, Released, Repository, Run, config_text, git, started_git

LARGER = config_text(samples=8)
LARGEST = config_text(samples=9)


@pytest.fixture
def released(released_as: Released) -> Repository:
    """A repository with v0 and v1."""
    return released_as(config_text(), LARGER)


def tag(repository: Repository, name: str, rev: str = "HEAD") -> None:
    """Push an annotated tag, as somebody with write access can."""
    repository.git("tag", "--annotate", "--message", "by hand", name, rev)
    repository.git("push", "--quiet", "origin", f"refs/tags/{name}")


def commit_on_branch(repository: Repository, files: dict[str, str], start: str = "main") -> str:
    """Commit files on a branch that is not merged; return the commit."""
    repository.git("switch", "--quiet", "--create", "side", start)
    for name, text in files.items():
        (repository.root / name).parent.mkdir(exist_ok=True)
        (repository.root / name).write_text(text)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "A change on the side")
    commit = repository.git("rev-parse", "HEAD")
    repository.git("switch", "--quiet", "main")
    repository.git("branch", "--quiet", "--delete", "--force", "side")
    return commit


def lightweight(repository: Repository, name: str) -> str:
    repository.git("tag", name)
    repository.git("push", "--quiet", "origin", name)
    return "it is not an annotated tag"


def on_a_blob(repository: Repository, name: str) -> str:
    tag(repository, name, "HEAD:dataset_config.yaml")
    return "it is not on a commit"


def on_a_tree(repository: Repository, name: str) -> str:
    tag(repository, name, "HEAD^{tree}")
    return "it is not on a commit"


def with_a_leading_zero(repository: Repository, name: str) -> str:
    tag(repository, name.replace("v", "v0"))
    return "the name of a release is v and a number, such as v7"


def with_the_largest_number(repository: Repository, name: str) -> str:
    del name
    tag(repository, "v999999999")
    return "its number is too large"


def on_another_branch(repository: Repository, name: str) -> str:
    first = commit_on_branch(repository, {"README.md": "Hello\n"})
    lock = repository.lock.read_text()
    commit = commit_on_branch(repository, {"dataset.dvc": f"# mine\n{lock}"}, first)
    tag(repository, name, commit)
    return "its commit is not on main"


def inside_a_branch_that_was_merged(repository: Repository, name: str) -> str:
    first = commit_on_branch(repository, {"docs/one.md": "One\n"})
    second = commit_on_branch(repository, {"docs/two.md": "Two\n"}, first)
    tag(repository, name, second)
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge side", second)
    repository.git("push", "--quiet", "origin", "main")
    return "its commit is not on main"


def with_code_of_its_own(repository: Repository, name: str) -> str:
    lock = repository.lock.read_text().replace("nfiles: 16", "nfiles: 17")
    files = {"scripts/evil.py": "print('evil')\n", "dataset.dvc": lock}
    tag(repository, name, commit_on_branch(repository, files))
    return "its commit is not on main, and changes more than dataset.dvc"


def with_another_remote(repository: Repository, name: str) -> str:
    text = (repository.root / ".dvc" / "config").read_text()
    config = text.replace(REMOTE_URL, str(repository.place / "elsewhere"))
    assert config != text
    tag(repository, name, commit_on_branch(repository, {".dvc/config": config}))
    return "its .dvc/config was never on main"


def before_the_newest_release(repository: Repository, name: str) -> str:
    tag(repository, name, "v0^{commit}")
    return "its commit comes before that of the previous release"


def without_a_lock(repository: Repository, name: str) -> str:
    repository.git("rm", "--quiet", "dataset.dvc")
    repository.git("commit", "--quiet", "--message", "Remove the lock")
    repository.git("push", "--quiet", "origin", "main")
    tag(repository, name)
    return "it has no dataset.dvc"


def with_the_lock_of_another_config(repository: Repository, name: str) -> str:
    repository.merge(LARGEST)
    tag(repository, name)
    return "its dataset.dvc was not made from its dataset_config.yaml"


def with_a_damaged_lock(repository: Repository, name: str) -> str:
    repository.merge_file("dataset.dvc", "outs: !!int\n")
    tag(repository, name)
    return "dataset.dvc was changed by hand or is damaged ("


Stray = Callable[[Repository, str], str]
# Those in one list can be there at once.
STRAYS: dict[str, list[Stray]] = {
    "beside main": [
        *(lightweight, on_a_blob, on_a_tree, with_a_leading_zero, with_the_largest_number),
        *(on_another_branch, inside_a_branch_that_was_merged, with_code_of_its_own),
        *(with_another_remote, before_the_newest_release),
    ],
    "no lock": [without_a_lock],
    "another lock": [with_the_lock_of_another_config],
    "damaged lock": [with_a_damaged_lock],
}


@pytest.mark.parametrize("strays", STRAYS.values(), ids=STRAYS)
def test_a_tag_that_no_release_made_is_named_and_has_no_effect(
    released: Repository, run: Run, strays: list[Stray]
) -> None:
    reasons = {}
    for number, stray in enumerate(strays, 7):
        before = set(released.tags())
        reason = stray(released, f"v{number}")
        (name,) = set(released.tags()) - before
        reasons[name] = reason
    made = f"v{max(int(name[1:]) for name in reasons if name != 'v999999999') + 1}"
    # No plan compares with one.
    released.git("checkout", "--quiet", "v1", "--", "dataset.dvc")
    released.configure(LARGEST)
    planned = run("plan")
    assert planned.code == 0, planned.err
    assert "\nsamples     2 added, 0 removed\n" in planned.out
    assert "comparable  with v0 and v1\n" in planned.out
    released.git("checkout", "--quiet", "--force", "HEAD", "--", ".")
    if released.at_origin("show", "main:dataset_config.yaml") != LARGEST.strip():
        released.merge(LARGEST)

    result = run("release")

    assert result.code == 0, result.err
    for name, reason in reasons.items():
        assert f"ignored the tag {name}, which is not a release: {reason}" in result.err
    assert result.out.startswith(f"{made} is published: train 3: 7, no3: 7; test 3: 2, no3: 2 (")
    assert set(released.tags()) == {"v0", "v1", *reasons, made}
    released.at_origin("merge-base", "--is-ancestor", made, "main")
    assert "scripts/evil.py" not in released.at_origin("ls-tree", "-r", "--name-only", "main")
    assert run("release").out.startswith("nothing to release")
    checked = run("verify")
    assert checked.code == 1
    for name, reason in reasons.items():
        assert f"{name}  broken\n    {name} is not a release: {reason}" in checked.out
    assert f"{made}  complete and intact: 18 files\n" in checked.out


@pytest.mark.parametrize("stray", ["v99999999", "v100000000"])
def test_numbers_go_on_behind_the_largest_that_counts(
    released: Repository, run: Run, stray: str
) -> None:
    released.git("tag", stray)
    released.git("push", "--quiet", "origin", stray)
    for samples in (9, 10, 11):
        released.merge(config_text(samples=samples))
        assert run("release").code == 0

    first = int(stray[1:])
    assert released.releases()[2:] == [f"v{first + number}" for number in (1, 2, 3)]
    assert run("release").out.startswith("nothing to release")


def test_more_releases_take_no_more_processes(released: Repository, run: Run) -> None:
    def processes() -> list[str]:
        (released.root / releases.KEPT).unlink()
        releases._checked.cache_clear()
        with started_git() as started:
            releases.scan(Git(released.root))
        return started

    before = processes()
    released.merge(LARGEST)
    assert run("release").code == 0

    assert processes() == before


def test_a_tag_inside_the_name_of_a_release_is_named(released: Repository, run: Run) -> None:
    # Git does not allow v1/x beside v1.
    tag(released, "v5/x")
    tag(released, "v2-rc1")

    result = run("release")

    assert (result.code, result.out[:18]) == (0, "nothing to release")
    for name in ("v5/x", "v2-rc1"):
        assert f"ignored the tag {name}, which is not a release: the name of a" in result.err


def test_a_release_goes_on_where_a_number_is_missing(released: Repository, run: Run) -> None:
    released.at_origin("update-ref", "-d", "refs/tags/v0")
    released.git("tag", "--delete", "v0")
    released.merge(LARGEST)

    assert run("release").code == 0

    assert released.tags() == ["v1", "v2"]
    assert run("verify").out == (
        "v1  complete and intact: 16 files\nv2  complete and intact: 18 files\n"
    )


def test_releases_are_ordered_by_number(released: Repository) -> None:
    # The commit of v1 can be that of later versions, too.
    for number in range(2, 12):
        tag(released, f"v{number}")

    found = releases.scan(Git(released.root))

    assert [one.tag for one in found.accepted] == [f"v{number}" for number in range(12)]
    assert found.latest is not None
    assert (found.latest.tag, found.next_tag) == ("v11", "v12")
    assert found.rejected == {}


def test_a_branch_with_the_name_of_a_release_is_not_it(released: Repository, run: Run) -> None:
    released.git("branch", "v1", "v0")
    released.configure(LARGEST)

    assert "\nsamples     2 added, 0 removed\n" in run("plan", "--against", "v1").out


def test_a_release_is_accepted_although_main_cannot_follow(
    repository: Repository, run: Run
) -> None:
    hook = repository.check_updates('case "$1" in refs/heads/main) echo declined; exit 1;; esac')
    for samples in (5, 6, 7):
        hook.rename(hook.with_suffix(".off"))
        repository.merge(config_text(samples=samples))
        hook.with_suffix(".off").rename(hook)
        assert run("release").code == 0

    assert run("verify").out.splitlines() == [
        f"v{number}  complete and intact: {2 * samples} files"
        for number, samples in enumerate((5, 6, 7))
    ]


def test_history_that_was_removed_stays_removed(released: Repository, run: Run) -> None:
    # The commit of v1 held a secret; main is reset to v0 and goes on with another change.
    secret = released.at_origin("rev-parse", "v1^{commit}")
    released.git("reset", "--quiet", "--hard", "v0")
    released.git("push", "--quiet", "--force", "origin", "main")
    released.merge(LARGEST)

    result = run("release")

    assert result.code == 0, result.err
    assert "ignored the tag v1, which is not a release: its commit is not on main" in result.err
    assert released.tags() == ["v0", "v1", "v2"]
    contained = git(released.origin, "rev-list", "main").split()
    assert secret not in contained
    assert released.at_origin("rev-parse", "v2^{commit}") == released.tip()


def test_a_clone_follows_main_where_another_one_has_removed_history(
    released: Repository, run: Run
) -> None:
    before = released.tip()
    released.merge_file("secret.txt", "secret\n")
    released.at_origin("update-ref", "refs/heads/main", before)

    result = run("release")

    assert result.code == 0, result.err
    assert result.out.startswith("nothing to release")
    assert released.tip() == before


def test_main_that_was_reset_is_not_moved_when_nothing_is_due(
    released: Repository, run: Run
) -> None:
    released.git("reset", "--quiet", "--hard", "v0")
    released.git("push", "--quiet", "--force", "origin", "main")
    tip = released.tip()

    result = run("release")

    assert (result.code, released.tip()) == (0, tip)
    assert result.out.startswith("nothing to release")


def forged(repository: Repository) -> None:
    """Tag a child of main's tip whose lock is right in form, but names other files."""
    old = repository.lock.read_text()
    md5 = next(line for line in old.splitlines() if "md5:" in line).split()[-1]
    text = old.replace(md5, f"{'0' * 32}.dir")
    tag(repository, "v2", commit_on_branch(repository, {"dataset.dvc": text}))


def test_main_does_not_follow_a_lock_that_no_build_gives(released: Repository, run: Run) -> None:
    forged(released)
    tip = released.tip()

    result = run("release")

    assert result.code == 0, result.err
    assert released.tip() == tip
    assert "Main was not updated: rebuilding v2 gave different files than its dataset.dvc" in (
        result.err
    )
    assert run("verify", "v2").code == 1


def test_after_a_forged_lock_the_next_change_is_released(released: Repository, run: Run) -> None:
    forged(released)
    released.merge(LARGEST)

    result = run("release")

    assert result.code == 0, result.err
    assert result.out.startswith("v3 is published: train 3: 7, no3: 7; test 3: 2, no3: 2 (")
    assert released.at_origin("rev-parse", "v3^{commit}") == released.tip()


def test_a_shallow_clone_says_to_fetch_the_history(released: Repository, run: Run) -> None:
    address = f"file://{released.origin}"
    git(released.place, "clone", "--quiet", "--depth=1", address, "shallow")
    git(released.place / "shallow", "fetch", "--quiet", "--depth=1", "--tags")

    result = run("plan", where=released.place / "shallow")

    assert result == (
        *(1, ""),
        "error: this clone is shallow; releases need the history: git fetch --unshallow\n",
    )


@pytest.mark.parametrize("verb", ["validate", "plan", "build"])
def test_a_clone_without_tags_is_told_to_fetch_them(
    released: Repository, run: Run, verb: str
) -> None:
    git(released.place, "clone", "--quiet", "--no-tags", "origin.git", "other")
    other = released.place / "other"

    result = run(verb, where=other)

    assert (result.code, result.out) == (1, "")
    assert "this clone has no release tags. Fetch the tags: git fetch --tags." in result.err
    git(other, "fetch", "--quiet", "--tags")
    assert run(verb, where=other).code == 0


def found(repository: Repository) -> releases.Releases:
    """Return the releases as a new process finds them."""
    releases._checked.cache_clear()
    return releases.scan(Git(repository.root))


def test_what_was_found_is_kept_until_a_tag_changes(released: Repository) -> None:
    lightweight(released, "v7")
    first = found(released)
    with started_git() as started:
        assert found(released) == first
    assert started == ["for-each-ref", "for-each-ref"]

    lightweight(released, "v8")
    released.git("tag", "--delete", "v7")
    assert [*first.rejected] == ["v7"]
    assert [*found(released).rejected] == ["v8"]


def test_what_was_found_is_kept_until_main_changes(released: Repository) -> None:
    assert [one.tag for one in found(released).accepted] == ["v0", "v1"]

    released.git("update-ref", "refs/remotes/origin/main", "v0^{commit}")

    assert [one.tag for one in found(released).accepted] == ["v0"]
    assert "is not on main" in found(released).rejected["v1"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda content: content[:-1],
        lambda content: content.replace(b'"v1"', b'"v9"'),
        lambda _: b"[]" + hashlib.sha256(b"[]").digest(),
    ],
)
def test_damaged_findings_are_found_again(
    released: Repository, damage: Callable[[bytes], bytes]
) -> None:
    first, file = found(released), released.root / releases.KEPT
    content = file.read_bytes()

    file.write_bytes(damage(content))

    assert found(released) == first
    assert file.read_bytes() == content


def test_findings_of_other_code_are_not_used(
    released: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = found(released)
    monkeypatch.setattr(fingerprint, "of", lambda *_: "other")
    with started_git() as started:
        assert found(released) == first
    assert "cat-file" in started
