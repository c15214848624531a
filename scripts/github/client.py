"""The client of GitHub's API."""

import os

from github import Auth, UnknownObjectException
from github import Github as Client
from github.GitRelease import GitRelease
from github.Issue import Issue
from github.NamedUser import NamedUser
from github.PullRequest import PullRequest
from github.Repository import Repository

from scripts.git.git import MAIN
from scripts.github import actions, artifacts, marker, retries, texts
from scripts.github.retries import TIMEOUT, attempts, reporting
from scripts.github.texts import BOT_LOGIN, Comments
from scripts.review.report import Report

# The roles whose members may write. GitHub reports "maintain" as "write", and "triage" as "read".
WRITING = {"admin", "maintain", "write"}
DEPENDABOT_LOGIN = "dependabot[bot]"
# The login that GitHub shows for deleted accounts.
DELETED_LOGIN = "ghost"
APPROVED = "APPROVED"
# Review states that count; the newest of a reviewer is used.
DECISIONS = {APPROVED, "CHANGES_REQUESTED", "DISMISSED"}


class GitHub:
    """The API of one repository, with the permissions of a workflow run."""

    def __init__(self) -> None:
        """Use the repository, the token and the address in the environment of the workflow.

        Raises `UserError` if they are missing, or GitHub refuses them.
        """
        self._token = actions.variable("GITHUB_TOKEN")
        self._api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        client = Client(
            base_url=self._api,
            auth=Auth.Token(self._token),
            timeout=TIMEOUT,
            retry=retries.of_requests(),
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

        Raises `UserError` if GitHub refuses.
        """
        with reporting(f"comment on pull request {number}"):
            return texts.write(lambda: self._of_pull(number), text, marker.is_report)

    def answer(self, number: int, first_line: str, text: str) -> str:
        """Write `text` as the one comment of issue `number` that begins with `first_line`.

        `first_line` is hidden and ends with a line break. Returns the address of the comment;
        raises `UserError` if GitHub refuses.
        """

        with reporting(f"comment on issue {number}"):
            return texts.write(
                lambda: self._of_issue(number),
                f"{first_line}{text}",
                lambda body: texts.begins_with(body, first_line),
            )

    def keep_issue(self, first_line: str, title: str, text: str) -> str:
        """Write `text` as the only open issue by this project that begins with `first_line`.

        `first_line` is hidden and ends with a line break. Returns the address of the issue; raises
        `UserError` if GitHub refuses.
        """
        body = f"{first_line}{text}"
        with reporting("write an issue"):
            # It may exist although the response failed: search again.
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
        """Replace the text of the open issue that begins with `first_line` by `text`, and close it.

        Returns its address, None if there is none; raises `UserError` if GitHub refuses.
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
            found = texts.find(self._of_pull(number), marker.is_report)
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
        """Return the open pull request with the head `sha` on `branch` of the fork of `owner`."""
        with reporting(f"find the pull request of {owner}:{branch}"):
            pulls = self._repository.get_pulls(state="open", head=f"{owner}:{branch}")
            return next((pull.number for pull in pulls if _is_head(pull, owner, sha)), None)

    def own_pull(self, branch: str, sha: str) -> int | None:
        """Return the open pull request to main with the head `sha` on `branch` of this repository.

        None for Dependabot, which is treated like a fork.
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
        """Return the report in the artifacts of the workflow run `run`; None without one.

        It can come from a fork: its size is checked before and while it is read. Raises `UserError`
        if it is not a valid report.
        """
        with reporting(f"read the report of run {run}"):
            left = self._repository.get_workflow_run(run).get_artifacts()
            return artifacts.report(left, f"the report of run {run}", self._token)

    def people(self, number: int) -> tuple[str, list[str]]:
        """Return the author of pull request `number`, and those who approved it."""
        with reporting(f"read the reviews of pull request {number}"):
            pull = self._repository.get_pull(number)
            decisions = {
                _login(review.user): review.state
                for review in pull.get_reviews()
                # A comment does not change an earlier decision.
                if review.state in DECISIONS
            }
            return _login(pull.user), [who for who, state in decisions.items() if state == APPROVED]

    def releases(self) -> list[GitRelease]:
        """Return all GitHub releases and drafts."""
        with reporting("list the releases"):
            return list(self._repository.get_releases())

    def draft_release(self, tag: str, title: str, notes: str) -> GitRelease:
        """Return a new draft of the GitHub release of `tag`, visible only with write access."""
        return self._repository.create_git_release(tag, title, notes, draft=True)

    def _is_own(self, pull: PullRequest, sha: str) -> bool:
        is_dependabots = _login(pull.user) == DEPENDABOT_LOGIN
        return self._is_here(pull) and pull.head.sha == sha and not is_dependabots

    def _is_here(self, pull: PullRequest) -> bool:
        # A fork can have the same owner, and can be deleted.
        return pull.head.repo is not None and pull.head.repo.full_name == self._name

    def _of_pull(self, number: int) -> Comments:
        pull = self._repository.get_pull(number)
        return Comments(pull.get_issue_comments, pull.create_issue_comment)

    def _open_issue(self, first_line: str) -> Issue | None:
        """Return the oldest open issue by this project that begins with `first_line`."""
        return next(
            (
                issue
                for issue in self._repository.get_issues(
                    state="open", sort="created", direction="asc"
                )
                if _login(issue.user) == BOT_LOGIN
                and texts.begins_with(issue.body or "", first_line)
            ),
            None,
        )

    def _of_issue(self, number: int) -> Comments:
        issue = self._repository.get_issue(number)
        return Comments(issue.get_comments, issue.create_comment)


def _is_head(pull: PullRequest, owner: str, sha: str) -> bool:
    # The branch can have new commits since the run; its report is then out of date.
    return pull.head.sha == sha and pull.head.user.login == owner


def _login(user: NamedUser | None) -> str:
    return user.login if user else DELETED_LOGIN
