"""Fetches from and pushes to origin."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from scripts.errors import UserError
from scripts.git import commits
from scripts.git.address import for_people
from scripts.git.git import MAIN, ORIGIN, TRACKED_MAIN, Git, GitError
from scripts.git.limited import BYTES, SECONDS, LimitedGit
from scripts.releases import releases

# The messages of git and its servers for a concurrent push, a temporary failure of server or
# network, and a push that a rule forbids.
CONFLICT = (
    "already exists",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "incorrect old value",
    "stale info",
)
TRANSIENT = (
    "Internal Server Error",
    "returned error: 5",
    "HTTP 5",
    "early EOF",
    "hung up",
    "timed out",
    "Connection reset",
)
REFUSED = ("declined", "protected", "GH006", "GH013", "rule violations", "Permission", "denied")
MAX_ATTEMPTS = 5
# Seconds before the second attempt; the pause doubles each time.
FIRST_PAUSE = 2.0
MAX_PAUSE = 60.0

Result = TypeVar("Result")


class TryAgainError(Exception):
    """A concurrent run was first, or a server error; the text is the output of git."""


def try_again(work: Callable[[], Result]) -> Result:
    """Return the result of `work`, retried after a pause for `TryAgainError`.

    Raises `UserError` after too many attempts.
    """
    import stamina  # noqa: PLC0415 - a push need not load it

    try:
        for attempt in stamina.retry_context(
            on=TryAgainError,
            attempts=MAX_ATTEMPTS,
            timeout=None,
            wait_initial=FIRST_PAUSE,
            wait_jitter=FIRST_PAUSE,
            wait_max=MAX_PAUSE,
        ):
            with attempt:
                return work()
    except TryAgainError as error:
        raise UserError(
            f"the push to origin failed {MAX_ATTEMPTS} times ({error})."
            " No data is lost; run it again."
        ) from None
    raise AssertionError("unreachable")


def address(git: Git) -> str:
    """Return the address of origin without credentials, the same for every clone."""
    return for_people(git("remote", "get-url", ORIGIN))


def fetch(git: Git) -> None:
    """Fetch origin's main and all its release tags.

    Raises `UserError` if origin is unreachable or has other releases than this clone.
    """
    if git("rev-parse", "--is-shallow-repository") == "true":
        raise UserError("this clone is shallow; releases need the history: git fetch --unshallow")
    try:
        git.fetch(f"+refs/heads/{MAIN}:{TRACKED_MAIN}", "refs/tags/v*:refs/tags/v*")
        listed = git("ls-remote", "--tags", "--refs", ORIGIN, "v*").split()
    except GitError as error:
        _try_again_if(error, TRANSIENT)
        raise UserError(f"cannot fetch main and tags from origin: {error.output}") from None
    published = {name.removeprefix("refs/tags/") for name in listed}
    for tag in git("tag", "--list", "v*").split():
        if releases.TAG.fullmatch(tag) and tag not in published:
            raise UserError(
                f"the tag {tag} exists here but not at origin, and only this command makes"
                f" releases. Remove it: git tag -d {tag}"
            )


def publish_tag(git: Git, tag: str, commit: str) -> None:
    """Push the annotated tag before it is created here, so no local tag is unpublished.

    Raises `TryAgainError`, or `UserError` if origin refuses it.
    """
    made = commits.tag_object(git, tag, commit, f"version {releases.number(tag)}")
    try:
        git("push", "--quiet", ORIGIN, f"{made}:refs/tags/{tag}")
    except GitError as error:
        _try_again_if(error, CONFLICT + TRANSIENT)
        raise UserError(f"origin rejected the tag {tag}: {error.output}") from None
    git("update-ref", f"refs/tags/{tag}", made)


def push_main(git: Git, commit: str) -> str | None:
    """Push `commit` as main, without force; return the output of git if a rule forbids it.

    Raises `TryAgainError`, or `UserError` for any other failure.
    """
    try:
        git("push", "--quiet", ORIGIN, f"{commit}:refs/heads/{MAIN}")
    except GitError as error:
        _try_again_if(error, CONFLICT + TRANSIENT)
        if not any(words in error.output for words in REFUSED):
            raise UserError(f"cannot push main to origin ({error.output}). Run it again.") from None
        return error.output
    return None


def push_proposal(git: Git, branch: str, commit: str) -> None:
    """Push `commit` as a branch of this project, and replace that of an earlier run.

    Raises `UserError` if the branch has commits by somebody else, or origin refuses.
    """
    name = f"refs/heads/{branch}"
    try:
        before = git("ls-remote", ORIGIN, name).partition("\t")[0]
        if before:
            git.fetch(name)
            # A branch of this project is one commit on main.
            if int(git("rev-list", "--count", before, f"^{commit}~")) > 1:
                raise UserError(
                    f"the branch {branch} has commits by somebody else. Merge its pull request, or"
                    " delete the branch."
                )
        lease = f"--force-with-lease={name}:{before}"
        git("push", "--quiet", lease, ORIGIN, f"{commit}:{name}")
    except GitError as error:
        raise UserError(f"cannot push {branch} to origin ({error.output}). Run it again.") from None


def fetch_branches(git: Git, pattern: str) -> dict[str, str]:
    """Fetch the branches of origin that match `pattern`, and return their commits by name."""
    names = f"refs/heads/{pattern}:refs/remotes/{ORIGIN}/{pattern}"
    try:
        if listed := git("ls-remote", ORIGIN, f"refs/heads/{pattern}").splitlines():
            git.fetch(f"+{names}")
    except GitError as error:
        _try_again_if(error, TRANSIENT)
        raise UserError(f"cannot fetch branches from origin: {error.output}") from None
    branches = [line.split("\trefs/heads/")[1] for line in listed]
    return {name: git.commit(f"refs/remotes/{ORIGIN}/{name}") for name in branches}


def push_branch(git: Git, branch: str, commit: str | None, before: str | None) -> None:
    """Move a branch from the commit `before` to `commit`, also if it is not a fast-forward.

    None means no branch. Raises `TryAgainError` if the branch is no longer at `before`, or
    `UserError` if origin refuses it.
    """
    name = f"refs/heads/{branch}"
    lease = f"--force-with-lease={name}:{before or ''}"
    try:
        git("push", "--quiet", lease, ORIGIN, f"{commit or ''}:{name}")
    except GitError as error:
        _try_again_if(error, CONFLICT + TRANSIENT)
        raise UserError(f"origin rejected the branch {branch}: {error.output}") from None


@contextmanager
def everything(
    git: Git, namespace: str, pulls: Sequence[int] | None
) -> Iterator[dict[int, str | None]]:
    """Fetch everything from origin to references below `namespace`, for the block.

    That is all branches, all tags, and the pull requests `pulls`, by default all. Main and the tags
    of releases are fetched as by `fetch`. Gives the reason why each pull request could not be
    fetched within the limits, by number; None if it could. Raises `UserError` if anything else
    cannot be fetched.
    """
    fetch(git)
    try:
        _remove_references(git, namespace)
        yield _fetch_everything(git, namespace, pulls)
    finally:
        _remove_references(git, namespace)


def _fetch_everything(
    git: Git, namespace: str, pulls: Sequence[int] | None
) -> dict[int, str | None]:
    try:
        kinds = [f"+refs/{kind}/*:{namespace}/{kind}/*" for kind in ("heads", "tags")]
        git.fetch(*kinds)
        listed = git("ls-remote", ORIGIN, "refs/pull/*").splitlines()
    except GitError as error:
        _try_again_if(error, TRANSIENT)
        raise UserError(f"cannot fetch everything from origin: {error.output}") from None
    fetched: dict[int, str | None] = {}
    for name in (line.partition("\t")[2] for line in listed):
        number = int(name.split("/")[2])
        if pulls is None or number in pulls:
            failure = _fetch_limited(git, name, name.replace("refs", namespace, 1))
            fetched[number] = fetched.get(number) or failure
    return fetched


def _fetch_limited(git: Git, name: str, target: str) -> str | None:
    """Fetch untrusted commits; return the reason if it failed."""
    try:
        limited = LimitedGit(git.root, SECONDS, BYTES)
        limited("fetch", "--quiet", "--no-tags", ORIGIN, f"+{name}:{target}")
    except GitError as error:
        _try_again_if(error, TRANSIENT)
        return f"it cannot be fetched: {error.output}"
    return None


def _remove_references(git: Git, namespace: str) -> None:
    names = git("for-each-ref", "--format=delete %(refname)", namespace)
    git("update-ref", "--stdin", stdin=f"{names}\n".encode() if names else b"")


def _try_again_if(error: GitError, printed: tuple[str, ...]) -> None:
    if any(words in error.output for words in printed):
        raise TryAgainError(error.output) from None
