"""Reconcile: give every change of the dataset on main its release, then let main follow."""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from scripts import config, dataset, diff, lock, releases
from scripts.config import CONFIG_FILE, ConfigError
from scripts.errors import UserError
from scripts.git import BOT, MAIN, ORIGIN, TRACKED_MAIN, Git, GitError
from scripts.lock import LOCK_FILE, Lock
from scripts.releases import Release
from scripts.store import Store
from scripts.touched import MADE_WITH

REMOTE_FILE = ".dvc/config"
ATTEMPTS = 5
# What git and its servers say when somebody else was first, and when a rule forbids it.
OVERTAKEN = (
    "already exists",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "incorrect old value",
)
REFUSED = ("declined", "protected", "GH006", "GH013", "rule violations", "Permission", "denied")


class _OvertakenError(Exception):
    """Somebody else published or merged meanwhile; what was planned is out of date.

    Its text is what git said.
    """


@dataclass
class Outcome:
    """What a run did: the releases it published, and the commits whose config is invalid.

    A later commit put right what is in `passed_over`; the newest is still wrong if there is a
    `failure`. `main_refused` is what origin said when it did not let main follow.
    """

    published: list[Release] = field(default_factory=list)
    passed_over: dict[str, ConfigError] = field(default_factory=dict)
    failure: ConfigError | None = None
    main_refused: str | None = None


def release(git: Git) -> Outcome:
    """Publish every change of the dataset on origin's main that has no release yet, in order.

    Can be run again after a crash at any point, and at the same time as another run. Raises
    `UserError` when origin or the remote refuses.
    """
    outcome, said = Outcome(), ""
    for _ in range(ATTEMPTS):
        try:
            fetch(git)
            _publish_all(git, outcome)
            outcome.main_refused = _move_main(git)
        except _OvertakenError as error:
            said = str(error)
            continue
        return outcome
    raise UserError(
        f"others keep publishing at the same time ({said}). Nothing is lost: run it again."
    )


def fetch(git: Git) -> None:
    """Bring origin's main and all its release tags here.

    Raises `UserError` when origin is out of reach or knows other releases than this clone.
    """
    if git("rev-parse", "--is-shallow-repository") == "true":
        raise UserError("this clone is shallow; releases need the history: git fetch --unshallow")
    try:
        git(
            "fetch",
            "--quiet",
            "--no-tags",
            ORIGIN,
            f"+refs/heads/{MAIN}:{TRACKED_MAIN}",
            "refs/tags/v*:refs/tags/v*",
        )
        listed = git("ls-remote", "--tags", "--refs", ORIGIN, "v*").split()
    except GitError as error:
        raise UserError(f"origin's {MAIN} and tags cannot be fetched: {error.said}") from None
    published = {name.removeprefix("refs/tags/") for name in listed}
    for tag in releases.tags(git):
        if tag not in published:
            raise UserError(
                f"the tag {tag} exists here but not at origin, and only this command makes"
                f" releases. Remove it: git tag -d {tag}"
            )


def _publish_all(git: Git, outcome: Outcome) -> None:
    before = releases.latest(git)
    outcome.passed_over, outcome.failure = {}, None
    commits = _unreleased(git, before)
    if not commits:
        return
    # Into the remote that main names now, whatever each commit names: its release takes that
    # along, for it is there that consumers will ask, and a remote once wrong stays so for ever.
    main = git.commit(TRACKED_MAIN)
    store, remote = Store(git.root, main), git.file(main, REMOTE_FILE) or b""
    for commit in commits:
        try:
            made = _publish(git, store, remote, commit, before)
        except ConfigError as error:
            outcome.passed_over[commit] = outcome.failure = error
            continue
        outcome.failure = None
        if made:
            outcome.published.append(made)
            before = made


def _unreleased(git: Git, before: Release | None) -> list[str]:
    """Return the commits on main since `before` that may change the dataset, oldest first.

    Before the first release it is the newest one alone.
    """
    since = [f"^{before.commit}"] if before else []
    commits = git("rev-list", "--first-parent", *since, TRACKED_MAIN).split()
    # Not left to rev-list: its own filter by path passes over a merge right behind the excluded.
    touching = (commit for commit in commits if _touches(git, commit))
    return list(touching)[::-1] if before else list(islice(touching, 1))


def _touches(git: Git, commit: str) -> bool:
    parents = git("rev-list", "--parents", "--max-count=1", commit).split()[1:]
    return not parents or bool(
        git("diff-tree", "--name-only", parents[0], commit, "--", *MADE_WITH)
    )


def _publish(
    git: Git, store: Store, remote: bytes, commit: str, before: Release | None
) -> Release | None:
    """Release the dataset of one commit, if it differs from the one `before`.

    Its files go to `store`, and `remote`, which names that, into the commit of the release.
    """
    content = git.file(commit, CONFIG_FILE)
    if content is None:
        place = config.Problem(config.Mark(1, 1), f"there is no config in {commit[:10]}")
        raise ConfigError(CONFIG_FILE, [place])
    reference = before.lock if before else _parsed(git.file(commit, LOCK_FILE))
    wanted = dataset.load(config.parse(content), reference)
    listing = wanted.cache(store)
    if before and listing.md5 == before.lock.md5:
        return None
    diff.refuse_moves(wanted, before)
    tag = releases.following(git)
    print(f"{tag}: pushing {len(listing.files):,} files to {store.url}", file=sys.stderr)
    store.push(listing.md5)
    made = wanted.lock(listing)
    files = {LOCK_FILE: lock.render(made).encode(), REMOTE_FILE: remote}
    if any(git.file(commit, name) != wanted_bytes for name, wanted_bytes in files.items()):
        commit = _commit(git, files, f"Record version {releases.number(tag)}", commit)
    _publish_tag(git, tag, commit)
    return Release(tag, commit, made)


def _parsed(content: bytes | None) -> Lock | None:
    """Return the lock that `content` holds; None too when it is broken: it is written anew."""
    try:
        return lock.parse(content) if content else None
    except UserError:
        return None


def _commit(git: Git, files: Mapping[str, bytes], message: str, *parents: str) -> str:
    """Return a new commit: the first parent's files, but for `files`.

    Made without a work tree, and dated as its first parent, so that a run after a crash makes the
    very same commit again.
    """
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git("read-tree", parents[0], env=env)
        for name, content in files.items():
            blob = git("hash-object", "-w", "--stdin", stdin=content)
            git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", env=env)
        tree = git("write-tree", env=env)
    follows = [argument for parent in parents for argument in ("-p", parent)]
    return git("commit-tree", tree, *follows, "-m", message, env=_signature(git, parents[0]))


def _publish_tag(git: Git, tag: str, commit: str) -> None:
    """Make the annotated tag at origin first: no tag exists here that is not published."""
    tagger = git("var", "GIT_COMMITTER_IDENT", env=_signature(git, commit))
    content = (
        f"object {commit}\ntype commit\ntag {tag}\ntagger {tagger}\n\n"
        f"version {releases.number(tag)}\n"
    )
    made = git("mktag", stdin=content.encode())
    try:
        git("push", "--quiet", ORIGIN, f"{made}:refs/tags/{tag}")
    except GitError as error:
        if any(words in error.said for words in OVERTAKEN):
            raise _OvertakenError(error.said) from None
        raise UserError(f"origin refused the tag {tag}: {error.said}") from None
    git("update-ref", f"refs/tags/{tag}", made)


def _move_main(git: Git) -> str | None:
    """Make main at origin hold the newest release's lock; return why origin refused, if it did.

    A fast-forward where main has not moved on, else a merge of the release into main.
    """
    newest = releases.latest(git)
    tip = git.commit(TRACKED_MAIN)
    if newest is None:
        return None
    text = lock.render(newest.lock)
    if git.file(tip, LOCK_FILE) == text.encode():
        return None
    if _is_ancestor(git, tip, newest.commit):
        target = newest.commit
    else:
        merged = [] if _is_ancestor(git, newest.commit, tip) else [newest.commit]
        files = {LOCK_FILE: text.encode()}
        target = _commit(git, files, f"Let main follow {newest.tag}", tip, *merged)
    try:
        git("push", "--quiet", ORIGIN, f"{target}:refs/heads/{MAIN}")
    except GitError as error:
        if any(words in error.said for words in OVERTAKEN):
            raise _OvertakenError(error.said) from None
        if not any(words in error.said for words in REFUSED):
            raise UserError(
                f"main cannot be pushed to origin ({error.said}). Run it again."
            ) from None
        return error.said
    return None


def _is_ancestor(git: Git, older: str, newer: str) -> bool:
    return git.succeeds("merge-base", "--is-ancestor", older, newer)


def _signature(git: Git, dated_as: str) -> dict[str, str]:
    date = git("show", "--no-patch", "--format=%cI", dated_as)
    env = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    if "GIT_COMMITTER_EMAIL" in os.environ or git.succeeds("config", "user.email"):
        return env
    name, email = BOT
    return env | {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
