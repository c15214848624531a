import re

import pytest

from scripts.errors import UserError
from scripts.github.notes import publish_notes
from scripts.versions.git import Git
from tests.doubles.github import BOT, Server
from tests.repository import Repository, Run, config_text


@pytest.fixture
def git(released: Repository, run: Run) -> Git:
    """A clone with the releases v0 and v1."""
    released.merge(config_text(samples=6))
    assert run("release").code == 0
    return Git(released.root)


def sent(server: Server) -> dict[str, str]:
    """Return `make_latest` of each release that was published, by tag."""
    return {
        body["tag_name"]: body["make_latest"]
        for request, body in server.proxy.sent
        if request.endswith("/releases")
    }


def test_every_tag_gets_its_notes_once(git: Git, server: Server) -> None:
    assert len(list(publish_notes(git))) == 2
    assert list(publish_notes(git)) == []
    first, second = server.releases()
    assert (first["name"], second["name"]) == ("v0: 10 samples (+10)", "v1: 12 samples (+2)")
    assert first["author"]["login"] == BOT
    assert re.search(r"\| train \| 3 \| 0 \| 3 \| \+3 \|", first["body"])
    assert re.search(r"\| train \| 3 \| 3 \| 4 \| \+1 \|", second["body"])
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


def test_notes_that_were_published_before_an_error_stay(git: Git, server: Server) -> None:
    published = publish_notes(git)
    next(published)
    server.proxy.fail(403, "POST .*/releases")
    with pytest.raises(UserError, match="cannot publish the release v1 at GitHub"):
        next(published)
    assert [release["tag_name"] for release in server.releases()] == ["v0"]
    server.proxy.recover()
    assert len(list(publish_notes(git))) == 1


def test_the_verb_prints_the_addresses(git: Git, server: Server, run: Run) -> None:
    result = run("publish-notes")
    assert result.code == 0
    assert [line.rsplit("/", 1)[1] for line in result.out.splitlines()] == ["v0", "v1"]
