"""Release: publish every unreleased change on main, in order, then update main's lock."""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from scripts.errors import UserError
from scripts.inputs import reader
from scripts.inputs.paths import CONFIG_FILE, INPUT_PATHS
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Inputs
from scripts.storage.cache import Cache
from scripts.storage.push import push
from scripts.storage.remote import Remote, open_remote
from scripts.storage.settings import CONFIG_PATH, is_template
from scripts.versions import lock, releases
from scripts.versions.git import MAIN, ORIGIN, TRACKED_MAIN, Git, GitError, GitTree
from scripts.versions.lock import LOCK_FILE
from scripts.versions.releases import Release
from scripts.versions.resolve import intact_lock, resolve

MAX_ATTEMPTS = 5
# Who signs commits and tags where nobody is configured, as on a runner.
BOT_IDENTITY = (
    "github-actions[bot]",
    "41898282+github-actions[bot]@users.noreply.github.com",
)
# What git and its servers print when another push came first, and when a rule forbids a push.
OVERTAKEN = (
    "already exists",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "incorrect old value",
)
REFUSED = ("declined", "protected", "GH006", "GH013", "rule violations", "Permission", "denied")
FOLDER_ON_RUNNER = (
    "the remote is {url}, a folder on this runner's disk, which is deleted after the run. Set a"
    " bucket as the remote and commit it: python -m scripts remote gs://BUCKET/PATH"
)


class _OvertakenError(Exception):
    """Another run published or merged meanwhile, so this attempt is out of date.

    Its text is git's output.
    """


@dataclass
class Outcome:
    """What a run did.

    `published` are its releases. `skipped` are commits with an invalid config that a later commit
    fixed; if the newest one is still invalid there is a `failure`. `main_refused` is git's output
    when main could not be updated. `no_bucket` says that nothing was released because the
    repository still has the template's folder as its remote.
    """

    published: list[Release] = field(default_factory=list)
    skipped: dict[str, InputError] = field(default_factory=dict)
    failure: InputError | None = None
    main_refused: str | None = None
    no_bucket: bool = False


def release(git: Git, *, on_runner: bool = False) -> Outcome:
    """Publish every change of the dataset on origin's main that has no release yet, in order.

    Can be run again after a crash at any point, and at the same time as another run. `on_runner`
    refuses a folder as the remote, because a runner's disk is deleted. Raises `UserError` when
    origin or the remote refuses.
    """
    outcome, printed = Outcome(), ""
    for _ in range(MAX_ATTEMPTS):
        try:
            fetch(git)
            _publish_all(git, outcome, on_runner=on_runner)
            outcome.main_refused = _update_main(git)
        except _OvertakenError as error:
            printed = str(error)
            continue
        return outcome
    raise UserError(
        f"other runs keep publishing at the same time ({printed}). Nothing is lost: run it again."
    )


def lacks_bucket(git: Git, committed: bytes | None) -> bool:
    """Return whether nothing is released and `committed` names the template's folder as remote."""
    return not releases.tags(git) and is_template(git.root, committed)


def fetch(git: Git) -> None:
    """Fetch origin's main and all its release tags.

    Raises `UserError` when origin is unreachable or has other releases than this clone.
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
        raise UserError(f"cannot fetch main and tags from origin: {error.output}") from None
    published = {name.removeprefix("refs/tags/") for name in listed}
    for tag in releases.tags(git):
        if tag not in published:
            raise UserError(
                f"the tag {tag} exists here but not at origin, and only this command makes"
                f" releases. Remove it: git tag -d {tag}"
            )


def _publish_all(git: Git, outcome: Outcome, *, on_runner: bool) -> None:
    before = releases.latest(git)
    outcome.skipped, outcome.failure = {}, None
    commits = _unreleased(git, before)
    if not commits:
        return
    # The remote that main names now, whatever each commit names: consumers of its release will
    # use it, because the commit of the release takes it along.
    committed = git.file(git.commit(TRACKED_MAIN), CONFIG_PATH) or b""
    remote = open_remote(git.root, committed, f"{CONFIG_PATH} on {MAIN}")
    if on_runner and remote.is_folder:
        outcome.no_bucket = lacks_bucket(git, committed)
        if outcome.no_bucket:
            return
        raise UserError(FOLDER_ON_RUNNER.format(url=remote.url))
    for commit in commits:
        try:
            made = _publish(git, remote, committed, commit, before)
        except InputError as error:
            outcome.skipped[commit] = outcome.failure = error
            continue
        outcome.failure = None
        if made:
            outcome.published.append(made)
            before = made


def _unreleased(git: Git, before: Release | None) -> list[str]:
    """Return the commits on main since `before` that change version inputs, oldest first.

    Before the first release it is the newest one alone.
    """
    since = [f"^{before.commit}"] if before else []
    commits = git("rev-list", "--first-parent", *since, TRACKED_MAIN).split()
    # Not left to rev-list: its own filter by path skips a merge right behind the excluded commit.
    changing = (commit for commit in commits if _changes_inputs(git, commit))
    return list(changing)[::-1] if before else list(islice(changing, 1))


def _changes_inputs(git: Git, commit: str) -> bool:
    parents = git("rev-list", "--parents", "--max-count=1", commit).split()[1:]
    return not parents or bool(
        git("diff-tree", "-r", "--name-only", parents[0], commit, "--", *INPUT_PATHS)
    )


def _publish(
    git: Git, remote: Remote, committed: bytes, commit: str, before: Release | None
) -> Release | None:
    """Release the dataset of one commit, if it differs from the one `before`.

    Its files go to `remote`; `committed`, which names it, goes into the commit of the release.
    """
    tree = GitTree(git, commit)
    inputs = reader.read(tree)
    if before and _is_same(git, inputs, commit, before):
        return None
    dataset = resolve(inputs, before.lock if before else intact_lock(tree), before)
    cache = Cache(git.root)
    made = dataset.store(cache)
    if before and made.md5 == before.lock.md5:
        return None
    tag = releases.next_tag(git)
    print(f"{tag}: pushing {len(made.files):,} files to {remote.url}", file=sys.stderr)
    push(cache, remote, made.md5)
    record = lock.of(dataset, made)
    files = {LOCK_FILE: lock.render(record).encode(), CONFIG_PATH: committed}
    if any(git.file(commit, name) != content for name, content in files.items()):
        commit = _commit(git, files, f"Record version {releases.number(tag)}", commit)
    _publish_tag(git, tag, commit)
    return Release(tag, commit, record)


def _is_same(git: Git, inputs: Inputs, commit: str, before: Release) -> bool:
    """Return whether nothing but the wording of the config differs from the release `before`."""
    changed = git("diff", "--name-only", before.commit, commit, "--", *INPUT_PATHS).split()
    return set(changed) <= {CONFIG_FILE} and inputs.config.record() == before.lock.meta.config


def _commit(git: Git, files: Mapping[str, bytes], message: str, *parents: str) -> str:
    """Return a new commit with the first parent's files, but for `files`.

    Made without a work tree, and dated as its first parent, so that a run after a crash makes the
    very same commit.
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
    """Push the annotated tag before it exists here: no local tag is unpublished."""
    tagger = git("var", "GIT_COMMITTER_IDENT", env=_signature(git, commit))
    content = (
        f"object {commit}\ntype commit\ntag {tag}\ntagger {tagger}\n\n"
        f"version {releases.number(tag)}\n"
    )
    made = git("mktag", stdin=content.encode())
    try:
        git("push", "--quiet", ORIGIN, f"{made}:refs/tags/{tag}")
    except GitError as error:
        if any(words in error.output for words in OVERTAKEN):
            raise _OvertakenError(error.output) from None
        raise UserError(f"origin rejected the tag {tag}: {error.output}") from None
    git("update-ref", f"refs/tags/{tag}", made)


def _update_main(git: Git) -> str | None:
    """Make main at origin contain the newest release and its lock.

    A fast-forward where main has not moved on, otherwise a merge of the release into main. Returns
    git's output when a rule of origin's forbids the push.
    """
    newest = releases.latest(git)
    tip = git.commit(TRACKED_MAIN)
    if newest is None:
        return None
    content = git.file(newest.commit, LOCK_FILE) or b""
    contained = git.is_ancestor(newest.commit, tip)
    if contained and git.file(tip, LOCK_FILE) == content:
        return None
    if git.is_ancestor(tip, newest.commit):
        target = newest.commit
    else:
        merged = [] if contained else [newest.commit]
        message = f"Update the lock to {newest.tag}"
        target = _commit(git, {LOCK_FILE: content}, message, tip, *merged)
    try:
        git("push", "--quiet", ORIGIN, f"{target}:refs/heads/{MAIN}")
    except GitError as error:
        if any(words in error.output for words in OVERTAKEN):
            raise _OvertakenError(error.output) from None
        if not any(words in error.output for words in REFUSED):
            raise UserError(f"cannot push main to origin ({error.output}). Run it again.") from None
        return error.output
    return None


def _signature(git: Git, dated_as: str) -> dict[str, str]:
    date = git("show", "--no-patch", "--format=%cI", dated_as)
    env = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    if "GIT_COMMITTER_EMAIL" in os.environ or git.succeeds("config", "user.email"):
        return env
    name, email = BOT_IDENTITY
    return env | {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
