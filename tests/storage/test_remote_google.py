import json
import os
from pathlib import Path

import pytest

from scripts.errors import UserError
from scripts.releases import lock
from scripts.storage import google_bucket, manifest, range_file, remote
from scripts.storage.remote_kinds import open_remote
from tests.doubles import proxy
from tests.doubles.process import free_port, session
from tests.doubles.proxy import Answer
from tests.doubles.storage import BUCKET, Storage
from tests.repository import Repository, Run, config_text, create, objects


def point_at(repository: Repository, run: Run, address: str, path: str) -> None:
    """Make a bucket the remote, and commit that."""
    assert run("remote", f"gs://{BUCKET}/{path}").code == 0
    with (repository.root / ".dvc" / "config").open("a") as file:
        file.write(f"    endpointurl = {address}\n")
    repository.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    repository.git("push", "--quiet", "--force", "origin", "main")


@pytest.fixture
def clouded(tmp_path: Path, run: Run, emulator: Storage) -> Repository:
    """A repository whose remote is a bucket, below a path of its own."""
    repository = create(tmp_path)
    point_at(repository, run, emulator.proxy.url, tmp_path.name)
    return repository


def place_of(repository: Repository, tag: str = "v0") -> tuple[str, str]:
    """Return where the first file of a release is in the bucket, and the file's name."""
    recorded = lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())
    entries = manifest.entries(repository.cached_file(recorded.md5).read_bytes())
    name, md5 = next(iter(entries.items()))
    return f"{repository.place.name}/files/md5/{md5[:2]}/{md5[2:]}", name


def test_a_push_copies_to_the_bucket_once(clouded: Repository, run: Run) -> None:
    run("build")

    first, second = run("push"), run("push")

    assert first.err == second.err == ""
    assert first.out.startswith(f"gs://{BUCKET}/{clouded.place.name} holds all 10 files of ")
    assert first.out.endswith("(11 copied)\n")
    assert second.out.endswith("(0 copied)\n")


def test_releases_in_a_bucket_are_intact(clouded: Repository, run: Run) -> None:
    assert run("release").code == 0
    clouded.merge(config_text(samples=8))
    released = run("release")
    assert (released.code, clouded.tags()) == (0, ["v0", "v1"]), released.err
    intact = (0, "v0  complete and intact: 10 files\nv1  complete and intact: 16 files\n")
    assert run("verify") == (*intact, "")
    assert run("verify", "--quick") == (*intact, "")


def test_a_runner_may_release_to_a_bucket(
    clouded: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("release").code == 0
    assert clouded.tags() == ["v0"]


def test_a_missing_object_is_named_by_verify_and_restored_by_repair(
    clouded: Repository, run: Run, emulator: Storage
) -> None:
    run("release")
    place, name = place_of(clouded)
    emulator.delete(place)
    url = f"gs://{BUCKET}/{clouded.place.name}"

    for options in ([], ["--quick"]):
        expected = f"v0  broken\n    dataset/{name}: missing in {url}\n"
        assert run("verify", *options) == (1, expected, "")

    # What a release has verified is taken as there.
    run("build")
    assert run("push").out.endswith("(0 copied)\n")
    assert run("repair", "v0").out.endswith("(1 copied)\n")
    assert run("verify").code == 0


def test_where_the_manifest_of_the_release_is_missing_a_push_looks_for_all(
    clouded: Repository, run: Run, emulator: Storage
) -> None:
    run("release")
    place, _ = place_of(clouded)
    recorded = lock.parse(clouded.at_origin("show", "v0:dataset.dvc").encode())
    name = recorded.md5
    for lost in (place, f"{clouded.place.name}/files/md5/{name[:2]}/{name[2:]}"):
        emulator.delete(lost)
    run("build")

    assert run("push").out.endswith("(2 copied)\n")

    assert run("verify").code == 0


def test_a_damaged_object_is_named_by_verify_and_refused_by_push(
    clouded: Repository, run: Run, emulator: Storage
) -> None:
    run("release")
    place, name = place_of(clouded)
    emulator.overwrite(place, b"damaged")
    url = f"gs://{BUCKET}/{clouded.place.name}"

    assert run("verify", "--quick").code == 0
    expected = f"v0  broken\n    dataset/{name}: checksum mismatch in {url}\n"
    assert run("verify") == (1, expected, "")

    # What a push reads is what is not released.
    released = objects(clouded.cache).keys()
    clouded.configure(config_text(samples=8))
    run("build")
    run("push")
    new = min(objects(clouded.cache).keys() - released)
    place = f"{clouded.place.name}/files/md5/{new[:2]}/{new[2:]}"
    emulator.overwrite(place, b"damaged")

    result = run("push")

    assert (result.code, result.out) == (1, "")
    assert result.err == (
        f"error: Checksum mismatch for 1 of 17 objects in {url}. Remove them and run it again:\n"
        f"    gcloud storage rm gs://{BUCKET}/{place}\n"
    )


def test_checksums_come_from_looks_and_objects_without_one_are_read(
    clouded: Repository, run: Run, emulator: Storage
) -> None:
    run("release")
    names = objects(clouded.cache).keys()
    place, _ = place_of(clouded)
    base = place.rpartition("/")[0].rpartition("/")[0]
    one = place.removeprefix(f"{base}/").replace("/", "")
    composite: set[str] = set()

    def look(method: str, path: str) -> Answer | None:
        """Answer as Google does, which reports no MD5 for composite objects."""
        if method != "GET" or "alt=media" in path:
            return None
        found = session().get(f"http://127.0.0.1:{emulator.port}{path}").json()
        if found["name"] in composite:
            del found["md5Hash"]
        return 200, json.dumps(found).encode()

    with proxy.before(emulator.port, look) as network:
        committed = (clouded.root / ".dvc" / "config").read_text()
        text = committed.replace(emulator.proxy.url, network.url)
        opened = open_remote(clouded.root, text.encode())
        assert opened.mismatched(names) == set()
        assert len(network.seen) == len(names)

        composite.add(place)
        network.seen.clear()
        assert opened.mismatched(names) == set()
        assert len(network.seen) == len(names) + 1

        emulator.overwrite(place, b"damaged")
        assert opened.mismatched(names) == {one}


def test_a_copy_elsewhere_does_not_hide_a_damaged_object(
    clouded: Repository, run: Run, emulator: Storage
) -> None:
    run("build")
    name, content = next(iter(objects(clouded.cache).items()))
    base = f"{clouded.place.name}/files/md5"
    place = f"{base}/{name[:2]}/{name[2:]}"
    emulator.overwrite(place, b"planted")
    for folder in ("00", "zz"):
        emulator.overwrite(f"{base}/{folder}/{name[:2]}/{name[2:]}", content)

    for verb in ("push", "release"):
        result = run(verb)

        assert result.code == 1
        assert result.err.endswith(f"run it again:\n    gcloud storage rm gs://{BUCKET}/{place}\n")
    assert clouded.tags() == []


@pytest.mark.parametrize("verb", ["push", "release"])
def test_a_bucket_that_never_answers_is_one_message_and_no_tag(
    tmp_path: Path, run: Run, silent: str, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(remote, "TIME_LIMIT", 0.3)
    repository = create(tmp_path)
    point_at(repository, run, silent, "path")
    run("build")

    result = run(verb)

    assert result.code == 1
    assert result.err.splitlines()[-1] == (
        f"error: cannot push to gs://{BUCKET}/path: no answer within 0.3 seconds"
    )
    assert repository.tags() == []


@pytest.mark.parametrize("verb", ["push", "release"])
def test_an_unreachable_bucket_is_one_message_and_no_tag(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    repository = create(tmp_path)
    point_at(repository, run, f"http://127.0.0.1:{free_port()}", "path")
    run("build")
    monkeypatch.setattr(google_bucket, "FIRST_WAIT", 0)

    result = run(verb)

    assert result.code == 1
    *_, last = result.err.splitlines()
    assert last.startswith(f"error: cannot push to gs://{BUCKET}/path: ")
    assert "Traceback" not in result.err
    assert repository.tags() == []


def test_a_release_in_a_folder_can_be_verified_after_the_move_to_a_bucket(
    released: Repository, run: Run, emulator: Storage
) -> None:
    point_at(released, run, emulator.url, "moved")

    result = run("verify")

    assert (result.out, result.err) == ("v0  complete and intact: 10 files\n", "")


def test_a_bucket_that_does_not_exist_is_one_message(
    tmp_path: Path, run: Run, emulator: Storage
) -> None:
    repository = create(tmp_path)
    point_at(repository, run, emulator.url, "path")
    config = repository.root / ".dvc" / "config"
    config.write_text(config.read_text().replace(f"gs://{BUCKET}/", "gs://nobodys-bucket/"))
    run("build")

    result = run("push")

    assert result.code == 1
    assert len(result.err.splitlines()) == 1
    assert "nobodys-bucket" in result.err


def test_only_what_is_read_of_an_object_is_transferred(
    clouded: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(range_file, "BLOCK", 20)
    content = bytes(range(200))
    name = manifest.md5_of(content)
    opened_remote = open_remote(clouded.root, (clouded.root / ".dvc" / "config").read_bytes())
    opened_remote.put(name, content)
    ranges, read = list[tuple[int, int]](), google_bucket.GoogleBucket.read

    def counted(
        bucket: google_bucket.GoogleBucket, path: str, part: tuple[int, int] | None = None
    ) -> bytes:
        assert part
        found = read(bucket, path, part)
        assert len(found) == part[1] - part[0]
        ranges.append(part)
        return found

    monkeypatch.setattr(google_bucket.GoogleBucket, "read", counted)

    with opened_remote.open(name) as file:
        assert file.seek(-50, os.SEEK_END) == 150
        assert file.read(5) == content[150:155]
        assert file.read(10) == content[155:165]
        assert file.seek(-5, os.SEEK_CUR) == 160
        assert file.read() == content[160:]
        assert file.read(1) == b""
        assert file.seek(3) == 3
        assert file.read(40) == content[3:43]

    assert ranges[0] == (150, 170)
    assert ranges[-1] == (3, 43)
    assert sum(stop - start for start, stop in ranges) < len(content)


def test_an_object_that_is_missing_when_it_is_opened_is_one_message(clouded: Repository) -> None:
    opened_remote = open_remote(clouded.root, (clouded.root / ".dvc" / "config").read_bytes())

    with pytest.raises(UserError, match=f"cannot read from gs://{BUCKET}"):
        opened_remote.open("0" * 32)
