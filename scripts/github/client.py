"""The client of GitHub's API."""

import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from typing import NamedTuple

import requests
import stamina
from github import Auth, GithubException, GithubRetry, UnknownObjectException
from github import Github as Client
from github.GitRelease import GitRelease
from github.Issue import Issue
from github.IssueComment import IssueComment
from github.NamedUser import NamedUser
from github.PullRequest import PullRequest
from github.Repository import Repository

from scripts.errors import UserError
from scripts.git.git import MAIN
from scripts.github import actions, marker
from scripts.github.deadline import ExpiredError, within
from scripts.github.reports import REPORT_FILE
from scripts.review import report
from scripts.review.report import MAX_BYTES, Report

# Anybody can write a comment with our marker, so only those of this account are ours.
BOT_LOGIN = "github-actions[bot]"
# The roles whose members may write. GitHub reports "maintain" as "write", and "triage" as "read".
WRITING = {"admin", "maintain", "write"}
DEPENDABOT_LOGIN = "dependabot[bot]"
# How GitHub shows an account that was deleted.
DELETED_LOGIN = "ghost"
APPROVED = "APPROVED"
# What a reviewer can say of a pull request; the newest counts.
DECISIONS = {APPROVED, "CHANGES_REQUESTED", "DISMISSED"}
ARTIFACT = "dataset-report"
CHUNK = 65_536
MAX_RETRIES = 4
# Seconds; each wait is twice the one before.
FIRST_WAIT = 2.0
MAX_WAIT = 120.0
TIMEOUT = 30
# For one action, that is, for all its requests with their retries.
ACTION_LIMIT = 300.0
RETRIED = [HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)]


class GitHub:
    """One repository at GitHub, as a workflow run may use it."""

    def __init__(self) -> None:
        """Use the repository, the token and the address that the workflow gives.

        Raises `UserError` when they are missing, or GitHub refuses them.
        """
        self._token = actions.variable("GITHUB_TOKEN")
        self._api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        client = Client(
            base_url=self._api,
            auth=Auth.Token(self._token),
            timeout=TIMEOUT,
            # A 403 is retried only where GitHub reports a rate limit, after the time it gives. A
            # request that creates something is not: it may have succeeded although the answer
            # failed.
            retry=GithubRetry(
                total=MAX_RETRIES,
                backoff_factor=FIRST_WAIT / 2,
                max_rate_limit_wait=MAX_WAIT,
                secondary_rate_wait=MAX_WAIT / 2,
                status_forcelist=RETRIED,
                allowed_methods=("GET", "PATCH"),
                raise_on_status=False,
                retry_after_max=MAX_WAIT,
            ),
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        self._name = actions.variable("GITHUB_REPOSITORY")
        with reporting(f"open {self._name}"):
            self._repository: Repository = client.get_repo(self._name)

    @property
    def url(self) -> str:
        """The repository's address, for people and for git."""
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{self._name}"

    @property
    def run_url(self) -> str:
        """The address of this run of a workflow."""
        return f"{self.url}/actions/runs/{actions.variable('GITHUB_RUN_ID')}"

    def comment(self, number: int, text: str) -> str:
        """Write `text` as the one comment of pull request `number`; return its address.

        Raises `UserError` when GitHub refuses.
        """
        with reporting(f"comment on pull request {number}"):
            return _write(lambda: self._of_pull(number), text, marker.is_report)

    def answer(self, number: int, first_line: str, text: str) -> str:
        """Write `text` as the one comment of issue `number` that begins with `first_line`.

        `first_line` is hidden and ends with a line break. Returns the address of the comment;
        raises `UserError` when GitHub refuses.
        """

        with reporting(f"comment on issue {number}"):
            return _write(
                lambda: self._of_issue(number),
                f"{first_line}{text}",
                lambda body: _begins_with(body, first_line),
            )

    def keep_issue(self, first_line: str, title: str, text: str) -> str:
        """Write `text` as the one open issue of ours that begins with `first_line`.

        `first_line` is hidden and ends with a line break. Returns the address of the issue; raises
        `UserError` when GitHub refuses.
        """
        body = f"{first_line}{text}"
        with reporting("write an issue"):
            # It may be there although the answer failed: search again.
            for attempt in attempts():
                with attempt:
                    found = self._open_issue(first_line)
                    if found is None:
                        return self._repository.create_issue(title, body).html_url
                    if (found.title, found.body) != (title, body):
                        found.edit(title=title, body=body)
                    return found.html_url
        raise AssertionError("unreachable")

    def close_issue(self, first_line: str, text: str) -> str | None:
        """Close the open issue of ours that begins with `first_line`, with `text` in its place.

        Returns its address, None when there is none; raises `UserError` when GitHub refuses.
        """
        with reporting("close an issue"):
            found = self._open_issue(first_line)
            if found is None:
                return None
            found.edit(body=f"{first_line}{text}", state="closed", state_reason="completed")
            return found.html_url

    def can_write(self, login: str) -> bool:
        """Return whether a user may write to the repository."""
        with reporting(f"read the permission of {login}"):
            try:
                return self._repository.get_collaborator_permission(login) in WRITING
            except UnknownObjectException:
                return False

    def commented(self, number: int) -> str | None:
        """Return the text of the one comment of pull request `number`, None without one."""
        with reporting(f"read the comments of pull request {number}"):
            found = _find(self._of_pull(number), marker.is_report)
            return found.body if found else None

    def open_pulls(self) -> list[int]:
        """Return the numbers of the open pull requests, oldest first."""
        with reporting("list the pull requests"):
            return sorted(pull.number for pull in self._repository.get_pulls(state="open"))

    def own_pulls(self) -> list[int]:
        """Return the numbers of the open pull requests from branches of this repository."""
        with reporting("list the pull requests"):
            pulls = self._repository.get_pulls(state="open")
            return sorted(pull.number for pull in pulls if self._is_here(pull))

    def pull_of_run(self, owner: str, branch: str, sha: str) -> int | None:
        """Return the open pull request whose head is `sha` on `branch` of `owner`'s fork."""
        with reporting(f"find the pull request of {owner}:{branch}"):
            pulls = self._repository.get_pulls(state="open", head=f"{owner}:{branch}")
            return next((pull.number for pull in pulls if _is_head(pull, owner, sha)), None)

    def own_pull(self, branch: str, sha: str) -> int | None:
        """Return the open pull request onto main whose head is `sha` on this repository's `branch`.

        None for one of Dependabot, which is treated like a fork.
        """
        with reporting(f"find the pull request of {branch}"):
            head = f"{self._repository.owner.login}:{branch}"
            pulls = self._repository.get_pulls(state="open", head=head, base=MAIN)
            return next((pull.number for pull in pulls if self._is_own(pull, sha)), None)

    def merged_pull(self, sha: str) -> int | None:
        """Return the pull request whose merge made the commit `sha` on main, None without one."""
        with reporting(f"find the pull request of {sha[:10]}"):
            pulls = self._repository.get_commit(sha).get_pulls()
            return next(
                (
                    pull.number
                    for pull in pulls
                    if pull.merged_at and pull.base.ref == MAIN and pull.merge_commit_sha == sha
                ),
                None,
            )

    def report_of_run(self, run: int) -> Report | None:
        """Return the report that the workflow run `run` left as an artifact; None without one.

        It may come from a fork: its size is bounded before and while it is read. Raises
        `UserError` for anything but a well-formed report.
        """
        with reporting(f"read the report of run {run}"):
            artifacts = self._repository.get_workflow_run(run).get_artifacts()
            # A run that was repeated can leave several; the newest counts.
            named = [one for one in artifacts if one.name == ARTIFACT]
            if not named:
                return None
            found = max(named, key=lambda one: one.id)
            if found.size_in_bytes > MAX_BYTES:
                raise UserError(
                    f"the report of run {run} has {found.size_in_bytes:,} bytes: refused."
                )
            content = self._download(found.archive_download_url)
        return _parse(content, f"the report of run {run}")

    def people(self, number: int) -> tuple[str, list[str]]:
        """Return who opened pull request `number`, and who approved it, in this order."""
        with reporting(f"read the reviews of pull request {number}"):
            pull = self._repository.get_pull(number)
            decisions = {
                _login(review.user): review.state
                for review in pull.get_reviews()
                # A comment does not take back what somebody has decided.
                if review.state in DECISIONS
            }
            return _login(pull.user), [who for who, state in decisions.items() if state == APPROVED]

    def releases(self) -> list[GitRelease]:
        """Return all GitHub releases, and drafts of them."""
        with reporting("list the releases"):
            return list(self._repository.get_releases())

    def draft_release(self, tag: str, title: str, notes: str) -> GitRelease:
        """Return a new draft of the GitHub release of `tag`; only those who can write see it."""
        return self._repository.create_git_release(tag, title, notes, draft=True)

    def _is_own(self, pull: PullRequest, sha: str) -> bool:
        is_dependabots = _login(pull.user) == DEPENDABOT_LOGIN
        return self._is_here(pull) and pull.head.sha == sha and not is_dependabots

    def _is_here(self, pull: PullRequest) -> bool:
        # A fork can have the same owner, and can be deleted.
        return pull.head.repo is not None and pull.head.repo.full_name == self._name

    def _of_pull(self, number: int) -> "_Comments":
        pull = self._repository.get_pull(number)
        return _Comments(pull.get_issue_comments, pull.create_issue_comment)

    def _open_issue(self, first_line: str) -> Issue | None:
        """Return the oldest open issue of ours that begins with `first_line`."""
        return next(
            (
                issue
                for issue in self._repository.get_issues(
                    state="open", sort="created", direction="asc"
                )
                if _login(issue.user) == BOT_LOGIN and _begins_with(issue.body or "", first_line)
            ),
            None,
        )

    def _of_issue(self, number: int) -> "_Comments":
        issue = self._repository.get_issue(number)
        return _Comments(issue.get_comments, issue.create_comment)

    def _download(self, url: str) -> bytes:
        headers = {"Authorization": f"Bearer {self._token}"}
        with requests.get(url, headers=headers, timeout=TIMEOUT, stream=True) as response:
            response.raise_for_status()
            content = b""
            for part in response.iter_content(CHUNK):
                content += part
                if len(content) > MAX_BYTES:
                    raise UserError(f"the report has more than {MAX_BYTES:,} bytes: refused.")
        return content


class _Comments(NamedTuple):
    """The comments of an issue or a pull request: how they are listed, and how one is added."""

    listed: Callable[[], Iterable[IssueComment]]
    add: Callable[[str], IssueComment]


def _write(open_: Callable[[], _Comments], text: str, is_ours: Callable[[str], bool]) -> str:
    """Write `text` as the one comment that is ours; return its address."""
    # It may be there although the answer failed, or it was deleted just now: search again.
    for attempt in attempts():
        with attempt:
            comments = open_()
            found = _find(comments, is_ours)
            if found is None:
                return comments.add(text).html_url
            if found.body != text:
                found.edit(text)
            return found.html_url
    raise AssertionError("unreachable")


def _find(comments: _Comments, is_ours: Callable[[str], bool]) -> IssueComment | None:
    return next(
        (one for one in comments.listed() if one.user.login == BOT_LOGIN and is_ours(one.body)),
        None,
    )


def _begins_with(body: str, first_line: str) -> bool:
    # What somebody edits in a browser gets other line endings.
    return body.replace("\r\n", "\n").startswith(first_line)


def _is_head(pull: PullRequest, owner: str, sha: str) -> bool:
    # The branch can have new commits since the run; its report is then out of date.
    return pull.head.sha == sha and pull.head.user.login == owner


def _parse(archive: bytes, what: str) -> Report:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files, files.open(REPORT_FILE) as file:
            # Bounded while unpacking: a small archive can hold a very large file.
            return report.load(file.read(MAX_BYTES))
    except Exception:  # noqa: BLE001 - a damaged archive fails in many ways
        raise UserError(f"{what} is not a valid report: refused.") from None


def attempts() -> Iterable[AbstractContextManager[object]]:
    """Yield attempts at what can be done again: retry on server errors."""
    return stamina.retry_context(
        on=_is_server_error,
        attempts=MAX_RETRIES,
        timeout=None,
        wait_initial=FIRST_WAIT,
        wait_jitter=FIRST_WAIT,
        wait_max=MAX_WAIT,
    )


def _login(user: NamedUser | None) -> str:
    return user.login if user else DELETED_LOGIN


def _is_server_error(error: Exception) -> bool:
    return isinstance(error, GithubException) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR


@contextmanager
def reporting(action: str, limit: float | None = None) -> Iterator[None]:
    """Turn GitHub's errors into one message that says what to do.

    Ends an action that takes more than `limit` seconds, by default `ACTION_LIMIT`.
    """
    seconds = limit or ACTION_LIMIT
    try:
        with within(seconds):
            yield
    except GithubException as error:
        detail = error.data.get("message", "") if isinstance(error.data, dict) else ""
        raise UserError(f"cannot {action} at GitHub: {_advice(error.status, detail)}") from None
    except requests.RequestException as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"cannot {action} at GitHub: {reason}. Run the job again.") from None
    except ExpiredError:
        raise UserError(
            f"cannot {action} at GitHub: no complete answer within {seconds:g} seconds."
            " Run the job again."
        ) from None


def _advice(status: int, detail: str) -> str:
    known: dict[int, str] = {
        HTTPStatus.UNAUTHORIZED: "the token is not valid",
        HTTPStatus.FORBIDDEN: "the token lacks a permission; see the workflow's permissions",
        HTTPStatus.NOT_FOUND: "not found, or the token has no access to it",
        HTTPStatus.UNPROCESSABLE_ENTITY: "the content was not accepted",
        HTTPStatus.TOO_MANY_REQUESTS: "too many requests; run the job again later",
    }
    reason = known.get(status, "server error; run the job again later")
    return f"{reason} ({status} {detail[:200]})".replace(" )", ")")
