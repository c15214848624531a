from pathlib import Path

import pytest

from scripts.sources import pointer
from tests.ingest.pictures import labeled, write
from tests.repository import Repository, Result, Run, config_text, git, objects

POINTER = "sources/shapes.dvc"
AGAIN = (
    "Merge main, take its version (git checkout origin/main -- sources/shapes.dvc) and ingest your"
    " images again: python -m scripts ingest shapes LOCATION\n"
)


def asking(samples: int) -> str:
    return config_text(source="shapes", class_="all", samples=samples, test_size=1)


def ingest(repository: Repository, run: Run, numbers: range) -> Result:
    photos = repository.place / f"photos{numbers[0]}"
    write(photos, labeled(numbers, "a", "b"))
    return run("ingest", "shapes", str(photos), where=repository.root)


def merge(repository: Repository, samples: int) -> None:
    repository.git("add", "sources")
    repository.merge(asking(samples))


@pytest.fixture
def released(repository: Repository, run: Run) -> Repository:
    """A repository with a release from a custom source."""
    assert ingest(repository, run, range(20)).code == 0
    merge(repository, 4)
    assert run("release").code == 0
    repository.git("pull", "--quiet", "origin", "main")
    return repository


def shards(repository: Repository) -> list[Path]:
    """Return the objects in the bucket that only the source has: its shard and its index."""
    made = pointer.parse((repository.root / POINTER).read_bytes(), "shapes")
    listed = repository.object_file(made.md5).read_text()
    return [repository.object_file(name) for name in objects(repository.bucket) if name in listed]


def test_two_branches_that_ingest_conflict_and_the_second_one_ingests_again(
    released: Repository, run: Run
) -> None:
    released.git("switch", "--quiet", "--create", "other")
    assert ingest(released, run, range(20, 30)).code == 0
    released.git("add", POINTER)
    released.git("commit", "--quiet", "--message", "Ours")
    released.git("switch", "--quiet", "main")
    assert ingest(released, run, range(30, 40)).code == 0
    merge(released, 5)
    theirs = (released.root / POINTER).read_bytes()

    released.git("switch", "--quiet", "other")
    refused = ingest(released, run, range(20, 32))
    assert refused.err == f"{POINTER}:1:1: it lacks or changes images that main has. {AGAIN}"
    with pytest.raises(AssertionError):
        released.git("merge", "--quiet", "main")
    for verb in (["validate"], ["ingest", "shapes", str(released.place / "photos20")]):
        result = run(*verb)
        assert (result.code, result.out) == (1, "")
        assert "conflict markers: two branches ingested into shapes. Merge main" in result.err
        assert result.err.startswith(f"{POINTER}:")
    released.git("checkout", "origin/main", "--", POINTER)
    again = ingest(released, run, range(20, 32))
    assert again.code == 0, again.err
    assert "skipped 2 images" in again.out
    both = pointer.parse((released.root / POINTER).read_bytes(), "shapes")
    assert both.continues(pointer.parse(theirs, "shapes"))
    assert [batch.images for batch in both.batches] == [20, 10, 10]


@pytest.mark.parametrize("change", ["drops", "changes"])
def test_a_pointer_without_the_batches_of_the_latest_release_is_refused(
    released: Repository, run: Run, change: str
) -> None:
    first = (released.root / POINTER).read_bytes()
    assert ingest(released, run, range(20, 30)).code == 0
    merge(released, 5)
    assert run("release").code == 0
    if change == "drops":
        (released.root / POINTER).write_bytes(first)
    else:
        (released.root / POINTER).unlink()
        released.git("rm", "--quiet", "--cached", POINTER)
        released.git("update-ref", "-d", "refs/remotes/origin/main")
        text = released.root / POINTER
        content = released.git("show", f"HEAD:{POINTER}")
        text.write_text(content.replace("shards: [20]", "shards: [19]").replace("a: 15", "a: 14"))
    result = run("validate")
    assert (result.code, result.out) == (1, "")
    assert result.err == f"{POINTER}:1:1: it lacks or changes images that main has. {AGAIN}"
    assert (
        "it lacks or changes images"
        in run("workflow", "report", "report").out + run("validate").err
    )


def test_a_merge_that_drops_a_batch_is_never_released(released: Repository, run: Run) -> None:
    first = (released.root / POINTER).read_text()
    assert ingest(released, run, range(20, 30)).code == 0
    merge(released, 5)
    assert run("release").code == 0
    released.merge_file(POINTER, first)
    result = run("release")
    assert result.code == 1
    assert "it lacks or changes images that main has" in result.err
    assert released.tags() == ["v0", "v1"]


def test_a_source_that_is_not_used_any_more_may_go(released: Repository, run: Run) -> None:
    released.git("rm", "--quiet", POINTER)
    released.configure(config_text(comparable_since="v1"))
    assert run("validate").code == 0


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_nothing_is_released_while_the_remote_lacks_a_shard(
    repository: Repository, run: Run, damage: str
) -> None:
    ingest(repository, run, range(20))
    merge(repository, 4)
    shard = shards(repository)[0]
    content = shard.read_bytes()
    shard.unlink()
    if damage == "damaged":
        shard.write_bytes(b"damaged")

    result = run("release")

    assert result.code == 1
    assert f"error: {POINTER}: " in result.err
    problem = "missing" if damage == "missing" else "checksum mismatch"
    assert f".parquet: {problem} in {repository.bucket}. Restore them" in result.err
    assert repository.tags() == []
    # A later commit that does not need it is released.
    repository.merge(config_text())
    assert run("release").code == 0
    assert repository.tags() == ["v0"]
    shard.unlink(missing_ok=True)
    shard.write_bytes(content)


def test_a_release_goes_on_once_the_shards_are_restored(released: Repository, run: Run) -> None:
    ingest(released, run, range(20, 30))
    merge(released, 5)
    files = {shard: shard.read_bytes() for shard in shards(released)}
    for shard in files:
        shard.unlink()
    assert run("release").code == 1
    for shard, content in files.items():
        shard.write_bytes(content)
    assert run("release").code == 0
    assert released.tags() == ["v0", "v1"]


@pytest.mark.parametrize("options", [[], ["--quick"]], ids=["full", "quick"])
def test_verify_looks_for_the_shards_of_each_release(
    released: Repository, run: Run, options: list[str]
) -> None:
    assert run("verify", *options).out == "v0  complete and intact: 8 files\n"
    shard = shards(released)[0]
    shard.chmod(0o644)
    shard.write_bytes(b"damaged")
    result = run("verify", *options)
    assert result.code == (0 if options else 1)
    assert ("source shapes: " in result.out) is not bool(options)
    shard.unlink()
    result = run("verify", *options)
    assert result.code == 1
    assert f"missing in {released.bucket}\n" in result.out


def test_a_clone_without_tags_is_told_to_fetch_them(released: Repository, run: Run) -> None:
    clone = released.place / "clone"
    git(released.place, "clone", "--quiet", "--no-tags", str(released.origin), str(clone))
    result = run("validate", where=clone)
    assert result.code == 1
    assert "this clone has no release tags" in result.err
    # An ingest fetches them itself.
    assert run("ingest", "shapes", str(released.place / "photos0"), where=clone).code == 0
    assert run("validate", where=clone).code == 0


def test_a_report_says_that_a_fork_cannot_read_the_source(released: Repository, run: Run) -> None:
    clone = released.place / "clone"
    git(released.place, "clone", "--quiet", str(released.origin), str(clone))
    released.bucket.rename(released.place / "elsewhere")
    result = run("plan", where=clone)
    assert (result.code, result.out) == (1, "")
    assert "Runs for forks cannot access the remote" in result.err
