"""A dataset repository at the Hugging Face Hub.

See https://huggingface.co/docs/huggingface_hub/package_reference/hf_api.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.tqdm import disable_progress_bars

from scripts.errors import UserError

KIND = "dataset"
# The Hub's own settings of a repository.
SETTINGS = ".gitattributes"
MAX_REASON = 200

Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete


class Refs(NamedTuple):
    """The commits of the branches and tags, by name."""

    branches: dict[str, str]
    tags: dict[str, str]


class HubCommit(NamedTuple):
    """A commit: its first line, and the rest of its message."""

    title: str
    message: str


class HubRepository:
    """One dataset repository. All methods raise `UserError` if the Hub refuses."""

    def __init__(self, name: str, token: str) -> None:
        """Use the repository `name`, such as `our-team/mnist`."""
        disable_progress_bars()
        self._api, self._name = HfApi(token=token), name

    def refs(self) -> Refs:
        """Return the branches and tags."""
        with self._reporting("read"):
            found = self._api.list_repo_refs(self._name, repo_type=KIND)
        return Refs(
            {one.name: one.target_commit for one in found.branches},
            {one.name: one.target_commit for one in found.tags},
        )

    def commits(self, revision: str) -> dict[str, HubCommit]:
        """Return the commits of `revision` by their hash, newest first."""
        with self._reporting("read"):
            found = self._api.list_repo_commits(self._name, repo_type=KIND, revision=revision)
        return {one.commit_id: HubCommit(one.title, one.message) for one in found}

    def files(self, revision: str) -> dict[str, str]:
        """Return the files in `revision` by their path: the hash that git gives to each."""
        with self._reporting("read"):
            listed = self._api.list_repo_tree(
                self._name, recursive=True, revision=revision, repo_type=KIND
            )
            found = {one.path: one.blob_id for one in listed if isinstance(one, RepoFile)}
        found.pop(SETTINGS, None)
        return found

    def read(self, revision: str, path: str) -> bytes:
        """Return the content of a file."""
        with self._reporting("read"), tempfile.TemporaryDirectory() as folder:
            file = self._api.hf_hub_download(
                self._name, path, repo_type=KIND, revision=revision, local_dir=folder
            )
            return Path(file).read_bytes()

    def commit(
        self, branch: str, parent: str, operations: Sequence[Operation], commit: HubCommit
    ) -> str:
        """Commit to `branch`, whose newest commit is `parent`; return the hash of the commit."""
        with self._reporting("write"):
            return self._api.create_commit(
                self._name,
                operations,
                commit_message=commit.title,
                commit_description=commit.message,
                repo_type=KIND,
                revision=branch,
                parent_commit=parent,
            ).oid

    def tag(self, name: str, commit: str) -> None:
        """Create a tag."""
        with self._reporting("write"):
            self._api.create_tag(self._name, tag=name, revision=commit, repo_type=KIND)

    def create_branch(self, name: str, commit: str) -> None:
        """Create a branch."""
        with self._reporting("write"):
            self._api.create_branch(self._name, branch=name, revision=commit, repo_type=KIND)

    def delete_branch(self, name: str) -> None:
        """Delete a branch."""
        with self._reporting("write"):
            self._api.delete_branch(self._name, branch=name, repo_type=KIND)

    @contextmanager
    def _reporting(self, action: str) -> Iterator[None]:
        """Turn the errors of the client into one message that says what to do."""
        try:
            yield
        # The client wraps the error of an upload in a RuntimeError.
        except (httpx2.HTTPError, LocalEntryNotFoundError, RuntimeError, ValueError) as error:
            cause = error.__cause__ if isinstance(error, RuntimeError) else error
            reason = self._reason(cause or error)
            raise UserError(
                f"cannot {action} {self._name} at the Hugging Face Hub: {reason}"
            ) from None

    def _reason(self, error: BaseException) -> str:
        if not isinstance(error, HfHubHTTPError):
            return f"{_short(str(error))}. The next run continues."
        status, detail = error.response.status_code, _short(error.server_message or "")
        known: dict[int, str] = {
            HTTPStatus.UNAUTHORIZED: "the token is not valid. Set another one:"
            " gh secret set HUGGINGFACE_TOKEN --env release",
            HTTPStatus.FORBIDDEN: "the token has no permission for it",
            HTTPStatus.NOT_FOUND: "not found, or the token has no access to it",
            HTTPStatus.PRECONDITION_FAILED: "somebody else changes it. The next run continues",
        }
        reason = known.get(status, "server error. The next run continues")
        return f"{reason} ({status} {detail})".replace(" )", ")")


def _short(text: str) -> str:
    return " ".join(text.split())[:MAX_REASON]
