import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from scripts.git.git import Git
from scripts.github import marker
from scripts.github.client import GitHub
from scripts.github.marker import Marker
from scripts.github.notes import publish_notes
from scripts.releases import releases
from tests.doubles.github import BOT, CONTRIBUTOR, OWNER, REPOSITORY, Server
from tests.repository import Released, Repository, Run, config_text


@pytest.fixture
def git(released_as: Released) -> Git:
    """A clone with the releases v0 and v1."""
    return Git(released_as(config_text(), config_text(samples=6)).root)


def sent(server: Server) -> dict[str, str]:
    """Return `make_latest` of each release that was published, by tag."""
    return {
        body["tag_name"]: body["make_latest"]
        for request, body in server.proxy.sent
        if request.startswith("PATCH ")
    }


def test_every_tag_gets_its_notes_once(git: Git, server: Server) -> None:
    assert len(list(publish_notes(git))) == 2
    assert list(publish_notes(git)) == []
    first, second = server.releases()
    assert (first["name"], second["name"]) == ("v0: 10 samples", "v1: +2 samples, 2 classes")
    assert first["author"]["login"] == BOT
    assert "| 3 | 3 (+3) | 2 (+2) | 5 (+5) |\n" in first["body"]
    assert "| 3 | 4 (+1) | 2 | 6 (+1) |\n" in second["body"]
    assert "dvc get https://github.com/octo/ds dataset --rev v1" in second["body"]


def test_only_the_newest_release_is_the_latest(git: Git, server: Server) -> None:
    list(publish_notes(git))
    assert sent(server) == {"v0": "false", "v1": "true"}


def test_notes_that_were_missing_are_added_and_do_not_become_the_latest(
    git: Git, server: Server
) -> None:
    list(publish_notes(git))
    server.delete_release("v0")
    server.proxy.reset()
    assert len(list(publish_notes(git))) == 1
    assert sent(server) == {"v0": "false"}
    assert {release["tag_name"] for release in server.releases()} == {"v0", "v1"}


def test_without_a_release_there_is_nothing_to_publish(
    repository: Repository, server: Server
) -> None:
    repository.git("tag", "vendor")
    assert list(publish_notes(Git(repository.root))) == []
    assert server.releases() == []


def test_a_failure_of_one_release_does_not_stop_the_others(
    git: Git, server: Server, run: Run
) -> None:
    server.proxy.fail(403, "POST .*/assets", count=1)

    result = run("workflow", "publish-notes")

    assert result.code == 1
    assert result.out.rsplit("/", 1)[1] == "v1\n"
    assert result.err.startswith("error: v0: cannot publish the release v0 at GitHub: ")
    assert {one["tag_name"]: one["draft"] for one in server.releases()} == {"v0": True, "v1": False}
    # The draft is not a release yet.
    assert [one.tag for one in publish_notes(git)] == ["v0"]
    assert {one["tag_name"]: one["draft"] for one in server.releases()} == dict.fromkeys(
        ("v0", "v1"), False
    )


def test_a_release_has_its_files_and_their_checksums_are_an_output(
    git: Git, server: Server, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    assert run("workflow", "publish-notes").code == 0
    output = (tmp_path / "output").read_text()
    for release in server.releases():
        tag = release["tag_name"]
        names = {asset["name"] for asset in release["assets"]}
        assert names == {
            *("train.parquet", "test.parquet", f"dataset-{tag}.zip"),
            *("croissant.json", "README.md", "SHA256SUMS"),
        }
        for name in names:
            digest = hashlib.sha256(server.file(tag, name)).hexdigest()
            assert f"\n{digest}  {tag}/{name}\n" in output
    rows = pq.read_table(io.BytesIO(server.file("v1", "train.parquet"))).to_pylist()
    assert len(rows) == 8
    assert {row["image"]["bytes"][:4] for row in rows} == {b"\x89PNG"}


def test_the_verb_prints_the_addresses(git: Git, server: Server, run: Run) -> None:
    result = run("workflow", "publish-notes")
    assert result.code == 0
    assert [line.rsplit("/", 1)[1] for line in result.out.splitlines()] == ["v0", "v1"]


def reviewed(server: Server, git: Git, tag: str, text: str | None) -> int:
    """Let the commit of a release be the merge of a pull request with this comment."""
    number = server.open_pull(f"change-{tag}", "a" * 40)
    server.merged[git("rev-parse", f"{tag}^")] = number
    if text is not None:
        GitHub().comment(number, text)
    return number


def shown(git: Git, tag: str, **changes: Any) -> str:
    """Return a comment that showed the files of a release, but for `changes`."""
    md5 = releases.scan(git).get(tag).lock.md5
    return marker.compose(Marker(**{"version": tag, "changed": True, "md5": md5, **changes}), "x")


def notes_of(server: Server, git: Git, tag: str) -> str:
    list(publish_notes(git))
    (body,) = (one["body"] for one in server.releases() if one["tag_name"] == tag)
    return str(body)


def test_the_notes_say_which_pull_request_showed_the_release(git: Git, server: Server) -> None:
    number = reviewed(server, git, "v1", shown(git, "v1"))

    assert f"\n- **review**: as reviewed in #{number}\n" in notes_of(server, git, "v1")


def test_a_release_under_another_number_was_reviewed_too(git: Git, server: Server) -> None:
    number = reviewed(server, git, "v1", shown(git, "v1", version="v7"))

    assert f"as reviewed in #{number}\n" in notes_of(server, git, "v1")


def test_the_notes_say_what_differs_from_what_was_shown(git: Git, server: Server) -> None:
    other = shown(git, "v1", md5=f"{'0' * 32}.dir")
    number = reviewed(server, git, "v1", other)

    text = notes_of(server, git, "v1")

    assert (
        f"- **review**: not as shown in #{number}: its comment showed v1 with different files"
        in text
    )


def test_a_pull_request_without_a_comment_showed_nothing(git: Git, server: Server) -> None:
    number = reviewed(server, git, "v1", None)

    assert f"- **review**: no comment on #{number} showed this version\n" in notes_of(
        server, git, "v1"
    )


def test_the_notes_name_who_opened_and_who_approved_the_pull_request_and_notify_nobody(
    git: Git, server: Server
) -> None:
    number = reviewed(server, git, "v1", shown(git, "v1"))
    path = f"/repos/{REPOSITORY}/pulls/{number}/reviews"
    server.ask("POST", path, {"event": "APPROVE"})

    text = notes_of(server, git, "v1")

    line = f"- **pull request**: #{number} by `{CONTRIBUTOR}`, approved by `{OWNER}`\n"
    assert line in text
    assert "@" not in text


def test_the_notes_say_that_nobody_approved_a_pull_request(git: Git, server: Server) -> None:
    reviewed(server, git, "v1", shown(git, "v1"))

    assert f"by `{CONTRIBUTOR}`, approved by nobody\n" in notes_of(server, git, "v1")


def test_a_release_without_a_pull_request_says_so(git: Git, server: Server) -> None:
    assert "- **review**: no pull request showed this version\n" in notes_of(server, git, "v0")


def test_a_pull_request_onto_another_base_is_not_the_review(git: Git, server: Server) -> None:
    number = reviewed(server, git, "v1", shown(git, "v1"))
    server.bases[number] = "develop"

    assert "no pull request showed this version" in notes_of(server, git, "v1")


# Withdrawn releases.


def declare(git: Git, text: str) -> None:
    """Merge a releases.yaml."""
    Repository(git.root.parent).merge_file("releases.yaml", text)


def bodies(server: Server) -> dict[str, str]:
    return {release["tag_name"]: release["body"] for release in server.releases()}


def test_withdrawn_releases_are_marked_with_the_reason_until_they_are_not_withdrawn_any_more(
    git: Git, server: Server
) -> None:
    list(publish_notes(git))
    before = bodies(server)
    declare(git, "withdrawn: {v0: '@octo, seven `wrong` labels'}\n")

    assert list(publish_notes(git)) == []

    after = bodies(server)
    caution = "> [!CAUTION]\n> This release is withdrawn: `` @octo, seven `wrong` labels ``\n"
    assert after["v0"].startswith(f"<!-- withdrawn -->\n{caution}")
    assert after["v0"].endswith(before["v0"])
    assert after["v1"] == before["v1"]

    declare(git, "withdrawn: {v0: another reason, v1: wrong}\n")
    list(publish_notes(git))
    after = bodies(server)
    assert after["v0"].count("CAUTION") == after["v1"].count("CAUTION") == 1
    assert "another reason" in after["v0"]

    declare(git, "stable: v1\n")
    list(publish_notes(git))
    assert bodies(server) == before


def test_notes_that_are_right_are_not_written_again(git: Git, server: Server) -> None:
    declare(git, "withdrawn: {v0: wrong}\n")
    list(publish_notes(git))
    (release,) = (one for one in server.releases() if one["tag_name"] == "v0")
    edited = release["body"].replace("\n", "\r\n") + "Added by hand.\r\n"
    server.ask("PATCH", f"/repos/{REPOSITORY}/releases/{release['id']}", {"body": edited})
    server.proxy.reset()

    list(publish_notes(git))

    assert not [one for one in server.proxy.seen if not one.startswith("GET ")]
    declare(git, "withdrawn: {}\n")
    list(publish_notes(git))
    assert "CAUTION" not in bodies(server)["v0"]
    assert bodies(server)["v0"].endswith("Added by hand.\n")


def test_a_mark_does_not_change_which_release_is_the_latest(git: Git, server: Server) -> None:
    list(publish_notes(git))
    declare(git, "withdrawn: {v0: wrong, v1: wrong}\n")
    server.proxy.reset()

    list(publish_notes(git))

    assert sent(server) == {"v0": "false", "v1": "true"}


def test_a_mark_that_fails_does_not_keep_others_back(git: Git, server: Server, run: Run) -> None:
    list(publish_notes(git))
    declare(git, "withdrawn: {v0: wrong, v1: wrong}\n")
    server.proxy.fail(403, "PATCH", count=1)

    result = run("workflow", "publish-notes")

    assert result.code == 1
    assert result.err.startswith("error: v0: cannot mark the release v0 at GitHub: ")
    assert [tag for tag, body in bodies(server).items() if "CAUTION" in body] == ["v1"]


def test_a_file_that_got_onto_main_without_a_check_changes_no_mark(
    git: Git, server: Server, run: Run
) -> None:
    declare(git, "withdrawn: {v0: wrong}\n")
    list(publish_notes(git))
    before = bodies(server)
    declare(git, "stable: v9\n")

    result = run("workflow", "publish-notes")

    assert result.code == 1
    assert result.err.startswith("error: releases.yaml:1:9: v9 is not a release: ")
    assert bodies(server) == before
