import io
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from scripts.git.git import Git
from scripts.github import previews
from scripts.github.drift import MARKER
from tests.commands.test_drift import CONFIG, digits, inverted
from tests.doubles import storage
from tests.doubles.github import BOT, REPOSITORY, Server
from tests.doubles.storage import BUCKET, Storage
from tests.github.test_health import Issue
from tests.github.test_issue_form import body
from tests.repository import Released, Repository, Result, Run

ISSUES = f"/repos/{REPOSITORY}/issues"
PLACE = "production"
ADDRESS = f"gs://{BUCKET}/{PLACE}"
SHEET = re.compile(
    rf"\(https://github\.com/{REPOSITORY}/blob/previews/(drift-\w+\.png)\?raw=true\)"
)


class Production:
    """A repository with v0, images in production, and the weekly workflow."""

    def __init__(self, repository: Repository, server: Server, bucket: Storage, run: Run) -> None:
        self.repository, self._server, self._bucket, self._run = repository, server, bucket, run

    def put(self, files: dict[str, bytes]) -> None:
        """Replace the images in production."""
        for name in self._bucket.objects():
            if name.startswith(f"{PLACE}/"):
                self._bucket.delete(name)
        for name, content in files.items():
            self._bucket.overwrite(f"{PLACE}/{name}", content)

    def report(self) -> Result:
        return self._run("workflow", "report-drift")

    def issues(self, state: str = "open") -> list[Issue]:
        listed = self._server.ask("GET", f"{ISSUES}?state={state}&per_page=100")
        return [issue for issue in listed if issue["body"].startswith(MARKER)]

    def sheets(self) -> list[str]:
        if "previews" not in self.repository.at_origin("branch", "--format=%(refname:strip=2)"):
            return []
        return self.repository.at_origin("ls-tree", "-r", "--name-only", "previews").splitlines()


@pytest.fixture(scope="module")
def bucket() -> Iterator[Storage]:
    with storage.running() as made:
        yield made


@pytest.fixture
def production(
    released_as: Released,
    server: Server,
    bucket: Storage,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> Production:
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    monkeypatch.setenv("PRODUCTION", ADDRESS)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket.url)
    return Production(released_as(CONFIG), server, bucket, run)


def test_one_issue_follows_production_until_it_is_like_the_release(production: Production) -> None:
    production.put(digits(25))
    assert production.report() == (
        0,
        "no difference that is more than chance: the images are like those of v0\n",
        "",
    )
    assert (production.issues("all"), production.sheets()) == ([], [])

    production.put({**digits(25, inverted), "bad.png": b"no image"})
    first = production.report()

    (issue,) = production.issues()
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("the images are not like those of v0; what differs by more than")
    assert first.out.endswith(f": {issue['html_url']}\n")
    assert (issue["user"]["login"], issue["title"]) == (
        BOT,
        "Images in production are not like those of v0",
    )
    text = issue["body"]
    assert "which compared 25 of 26 images with 600 of 600 images of v0." in text
    assert re.search(
        r"^\| brightness \| `\d+\.\d` \| `\d+\.\d` \| 0\.\d+ % \| \*\*differs", text, re.M
    )
    assert f"https://github.com/{REPOSITORY}/actions/runs/77" in text
    assert "- `bad.png: it is not a JPEG" in text
    assert len(re.findall(r"^\d+\. \[Label\]", text, re.MULTILINE)) == 10
    (sheet, again) = SHEET.findall(text)
    assert production.sheets() == [sheet] == [again]
    picture = Git(production.repository.origin).output("show", f"previews:{sheet}")
    Image.open(io.BytesIO(picture)).verify()

    # Other images the next week: the same issue, and another picture.
    production.put(digits(30, inverted))
    production.report()
    (updated,) = production.issues()
    assert updated["number"] == issue["number"]
    assert "which compared 30 of 30 images" in updated["body"]
    assert production.sheets() == [SHEET.findall(updated["body"])[0]] != [sheet]

    # Too few say nothing, and change nothing.
    production.put(digits(5))
    assert production.report().out == "fewer than 20 images say nothing\n"
    assert production.issues() == [updated]

    production.put(digits(25))
    assert production.report().out.endswith(f"; closed {issue['html_url']}\n")
    (closed,) = production.issues("closed")
    assert (closed["number"], closed["state_reason"]) == (issue["number"], "completed")
    assert "are like those of v0 again" in closed["body"]
    assert production.sheets() == []


def test_a_click_fills_in_the_form_but_for_the_label(
    production: Production, server: Server, run: Run, event: Callable[..., None]
) -> None:
    production.put(digits(25, inverted, "cam era/{number}"))
    production.report()
    (issue,) = production.issues()
    links = re.findall(r"\[Label\]\((\S+)\) `(\S.+?)`: distance", issue["body"])
    link, name = links[0]
    fields = parse_qs(urlsplit(link).query)

    assert urlsplit(link).path == f"/{REPOSITORY}/issues/new"
    assert fields["template"] == ["samples.yml"]
    assert fields["samples"] == [f"{ADDRESS}/{name} "]
    # What the form makes of it, with the label of a person, is answered with the commands.
    text = body(f"{fields['samples'][0]}7", "add", fields["reason"][0])
    number = server.open_issue(text)
    event(issue={"number": number, "body": text}, sender={"login": "octo"})
    assert run("workflow", "curate-issue").code == 0
    (comment,) = server.comments(number)
    assert (
        f"gcloud storage cp '{ADDRESS}/{name}' additions/test/7/{number}-1.png" in comment["body"]
    )


def test_the_sheets_of_pull_requests_and_that_of_the_issue_leave_each_other_alone(
    production: Production,
) -> None:
    git = Git(production.repository.root)
    previews.put(git, [5], {5: b"a sheet"})
    production.put(digits(25, inverted))
    production.report()
    drift, own = sorted(production.sheets(), reverse=True)
    assert (drift[:6], own[:2]) == ("drift-", "5-")
    previews.put(git, [5], {5: b"another sheet"})
    assert drift in production.sheets()
    assert len(production.sheets()) == 2
    previews.put(git, [], {})
    assert production.sheets() == [drift]


def test_an_issue_is_opened_also_where_no_picture_can_be_published(production: Production) -> None:
    production.repository.check_updates('test "$1" != refs/heads/previews')
    production.put(digits(25, inverted))
    result = production.report()
    (issue,) = production.issues()
    assert result.code == 0
    assert "the issue has no picture: " in result.err
    assert "previews" not in issue["body"]


def test_production_that_cannot_be_read_is_an_error_and_changes_no_issue(
    production: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    production.put(digits(25, inverted))
    production.report()
    before = production.issues()
    production.put({})
    empty = production.report()
    monkeypatch.delenv("PRODUCTION")
    unset = production.report()

    assert (empty.code, empty.out) == (1, "")
    assert empty.err.startswith(f"error: {ADDRESS}: there ")
    assert unset.err.startswith("error: PRODUCTION is not set")
    assert production.issues() == before


def test_before_the_first_release_there_is_nothing_to_compare_with(
    repository: Repository, server: Server, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODUCTION", ADDRESS)
    assert run("workflow", "report-drift") == (0, "there is no release to compare with\n", "")
