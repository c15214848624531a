import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from scripts.assets.package import describe_file
from scripts.errors import UserError
from scripts.github import uploads
from scripts.github.client import GitHub
from tests.doubles.github import Server

KILLED = 137
CONTENTS = {"train.parquet": b"train" * 1000, "README.md": b"# v0\n", "SHA256SUMS": b"0  x\n"}


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """The files of a release."""
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in CONTENTS]


def publish(paths: list[Path], tag: str = "v0", *, latest: bool = True) -> str:
    files = {path: describe_file(path) for path in paths}
    return uploads.publish(GitHub(), tag, "title", "notes", files, latest=latest)


def held(release: dict[str, Any]) -> dict[str, str]:
    """Return the digest of each file of a GitHub release."""
    return {asset["name"]: asset["digest"] for asset in release["assets"]}


def digests(contents: dict[str, bytes]) -> dict[str, str]:
    return {name: f"sha256:{hashlib.sha256(data).hexdigest()}" for name, data in contents.items()}


def requested(server: Server, method: str) -> list[str]:
    return [one for one in server.proxy.seen if one.startswith(f"{method} ")]


def draft(server: Server, folder: Path, contents: dict[str, bytes], tag: str = "v0") -> int:
    """Leave a draft with some files, as a run that was killed does."""
    folder.mkdir(exist_ok=True)
    made = GitHub().draft_release(tag, "title", "notes")
    for name, content in contents.items():
        (file := folder / name).write_bytes(content)
        made.upload_asset(str(file))
    server.proxy.reset()
    number: int = made.id
    return number


def test_a_release_is_published_with_its_files(server: Server, paths: list[Path]) -> None:
    address = publish(paths)

    (release,) = server.releases()
    assert address == release["html_url"]
    assert (release["draft"], release["name"], release["body"]) == (False, "title", "notes")
    assert held(release) == digests(CONTENTS)
    # Everything was there before anybody could see the release.
    (published,) = requested(server, "PATCH")
    assert server.proxy.seen.index(published) > max(
        server.proxy.seen.index(one) for one in requested(server, "POST")
    )


@pytest.mark.parametrize(("latest", "sent"), [(True, "true"), (False, "false")])
def test_only_the_latest_release_is_shown_as_latest(
    server: Server, paths: list[Path], latest: bool, sent: str
) -> None:
    publish(paths, latest=latest)
    *_, (request, body) = server.proxy.sent
    assert request.startswith("PATCH ")
    assert (body["tag_name"], body["draft"], body["make_latest"]) == ("v0", False, sent)


def test_the_draft_of_a_killed_run_is_completed_and_its_files_are_not_sent_again(
    server: Server, paths: list[Path], tmp_path: Path
) -> None:
    number = draft(
        server, tmp_path / "left", {"README.md": CONTENTS["README.md"], "SHA256SUMS": b"damaged"}
    )
    draft(server, tmp_path / "left", {}, "v1")

    publish(paths)

    first, other = server.releases()
    assert (first["id"], first["draft"]) == (number, False)
    assert held(first) == digests(CONTENTS)
    assert (other["tag_name"], other["draft"]) == ("v1", True)
    sent = {one.split("name=")[1] for one in requested(server, "POST")}
    assert sent == {"train.parquet", "SHA256SUMS"}
    assert len(requested(server, "DELETE")) == 1


def test_files_that_do_not_belong_to_a_release_are_removed(
    server: Server, paths: list[Path], tmp_path: Path
) -> None:
    draft(server, tmp_path / "left", {**CONTENTS, "train-00000-of-00002.parquet": b"earlier"})

    publish(paths)

    (release,) = server.releases()
    assert held(release) == digests(CONTENTS)
    assert requested(server, "POST") == []


@pytest.mark.parametrize("state", ["starter", "open"])
def test_an_upload_that_broke_off_is_repeated(
    server: Server, paths: list[Path], tmp_path: Path, state: str
) -> None:
    draft(server, tmp_path / "left", CONTENTS)
    (release,) = server.releases()
    asset = release["assets"][0]
    server.ask("PATCH", f"/__update/releaseAssets/{asset['id']}", {"state": state})
    server.proxy.reset()

    publish(paths)

    (sent,) = requested(server, "POST")
    assert sent.endswith(f"name={asset['name']}")
    assert {one["state"] for one in server.releases()[0]["assets"]} == {"uploaded"}


def test_a_release_that_is_published_stays_as_it_is(server: Server, paths: list[Path]) -> None:
    address = publish(paths)
    server.proxy.reset()

    assert publish(paths[:1]) == address
    assert [one.split()[0] for one in server.proxy.seen] == ["GET", "GET"]


@pytest.mark.parametrize("late", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize("request_", ["POST .*/releases$", "POST .*assets", "DELETE", "PATCH"])
def test_a_server_error_is_waited_for_at_every_step(
    server: Server, paths: list[Path], tmp_path: Path, request_: str, late: bool
) -> None:
    if request_ == "DELETE":
        draft(server, tmp_path / "left", {"README.md": b"damaged"})
    server.proxy.fail(502, request_, count=1, late=late)

    publish(paths)

    (release,) = server.releases()
    assert not release["draft"]
    assert held(release) == digests(CONTENTS)


def test_files_that_github_holds_otherwise_than_sent_are_not_published(
    server: Server, paths: list[Path]
) -> None:
    files = {path: describe_file(path)._replace(sha256="0" * 64) for path in paths}
    with pytest.raises(
        UserError, match=r"these files at GitHub differ from the uploaded ones: README\.md"
    ):
        uploads.publish(GitHub(), "v0", "title", "notes", files, latest=True)
    assert server.releases()[0]["draft"]


# Kills.


def killed_at(point: int, *, late: bool, work: Callable[[], object]) -> bool:
    """Run `work` in a process that is killed at its request number `point`; return if it was.

    With `late` the server handles the request, and only its answer is lost.
    """
    child = os.fork()
    if child == 0:
        left, send = point, requests.Session.send

        def counted(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0 and not late:
                os._exit(KILLED)
            answer = send(*arguments, **options)
            if left == 0:
                os._exit(KILLED)
            return answer

        requests.Session.send = counted  # type: ignore[method-assign]
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, KILLED}
    return code == KILLED


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("restart", [False, True], ids=["from nothing", "from a draft"])
def test_a_kill_at_every_request_leaves_no_published_release_without_its_files(
    server: Server, paths: list[Path], tmp_path: Path, late: bool, restart: bool
) -> None:
    leftovers = {"README.md": b"damaged", "old.zip": b"earlier"} if restart else {}
    point = 0
    while True:
        point += 1
        if restart:
            draft(server, tmp_path / "left", leftovers)
        was_killed = killed_at(point, late=late, work=lambda: publish(paths))
        for release in server.releases():
            assert release["draft"] or held(release) == digests(CONTENTS), point
        if not was_killed:
            break
        publish(paths)
        (release,) = server.releases()
        assert not release["draft"], point
        assert held(release) == digests(CONTENTS), point
        server.delete_release("v0")
    # The repository, the releases, the draft, its files, twice, and its publication.
    assert point > 2 + 1 + 2 + len(paths)
