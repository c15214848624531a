import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository import (
    PROJECT,
    Repository,
    Run,
    config_text,
    copy,
    git,
    objects,
    snapshot,
)

# Settings that people have, and some that could do harm.
HOSTILE = """\
[core]
    hooksPath = {hooks}
    fsmonitor = {hooks}/fsmonitor
    quotePath = false
    attributesFile = {attributes}
    splitIndex = true
    logAllRefUpdates = always
[fetch]
    prune = true
    pruneTags = true
    fsckObjects = true
    recurseSubmodules = true
[remote "origin"]
    prune = true
    pruneTags = true
    mirror = true
    tagOpt = --tags
    fetch = +refs/tags/*:refs/tags/*
[push]
    gpgSign = true
    followTags = true
    pushOption = ci.skip
    recurseSubmodules = only
    default = nothing
    useForceIfIncludes = true
[submodule]
    recurse = true
[commit]
    gpgSign = true
[tag]
    gpgSign = true
    forceSignAnnotated = true
    sort = -version:refname
[gpg]
    program = {hooks}/gpg
[color]
    ui = always
    advice = always
    push = always
    remote = always
    transport = always
[column]
    ui = always
[log]
    diffMerges = off
    showRoot = false
    showSignature = true
    date = relative
    follow = true
[diff]
    external = {hooks}/external
    orderFile = {hooks}/none
    renames = copies
    noprefix = true
    mnemonicPrefix = true
[merge]
    renames = false
    ff = only
[i18n]
    commitEncoding = ISO-8859-15
    logOutputEncoding = UTF-16
[init]
    templateDir = {hooks}/template
    defaultBranch = trunk
[gc]
    auto = 1
    autoDetach = false
    pruneExpire = now
[protocol "file"]
    allow = user
[checkout]
    defaultRemote = upstream
[advice]
    detachedHead = true
[status]
    short = true
    branch = true
[user]
    useConfigOnly = true
"""
HOOKS = (
    *("pre-push", "post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"),
    *("post-merge", "pre-commit", "fsmonitor", "gpg", "external"),
)


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Give the user these settings from then on.

    Returns the folder where each of their programs leaves a file when it is run.
    """
    hooks, ran = tmp_path / "hooks", tmp_path / "ran"
    (hooks / "template" / "hooks").mkdir(parents=True)
    ran.mkdir()
    for place in (hooks, hooks / "template" / "hooks"):
        for name in HOOKS:
            (place / name).write_text(f"#!/bin/sh\ntouch '{ran}/{name}'\nexit 1\n")
            (place / name).chmod(0o755)
    attributes = tmp_path / "attributes"
    attributes.write_text("*.dvc text eol=crlf\n*.md ident\n")
    settings = tmp_path / "gitconfig"
    settings.write_text(HOSTILE.format(hooks=hooks, attributes=attributes))

    def begin() -> Path:
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        return ran

    return begin


def merged(repository: Repository) -> Repository:
    """Let origin have an unreleased change, and a hook that is its own."""
    repository.merge(config_text(samples=6), "Größe ändern")
    git(repository.origin, "config", "core.hooksPath", "hooks")
    repository.git("tag", "--annotate", "mine", "--message", "Mine")
    repository.git("tag", "v-mine")
    repository.git("branch", "unpushed")
    return repository


def refs(where: Path) -> str:
    return git(where, "for-each-ref", "--format=%(refname) %(objectname)")


def test_settings_of_the_user_change_no_release(
    released: Repository,
    run: Run,
    tmp_path: Path,
    hostile: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    merged(released)
    (tmp_path / "other").mkdir()
    other = copy(released, tmp_path / "other")
    verbs = (["validate"], ["plan"], ["release"], ["plan"], ["verify"], ["diff", "v0", "v1"])
    clean = [run(*verb, where=other.root) for verb in (*verbs, ["gc"])]
    assert [done.code for done in clean] == [0] * len(clean)

    ran = hostile()
    found = [run(*verb) for verb in (*verbs, ["gc"])]

    def local(text: str) -> str:
        return text.replace(str(other.place), str(tmp_path))

    assert [(one.code, one.out) for one in found] == [(one.code, local(one.out)) for one in clean]
    assert sorted(file.name for file in ran.iterdir()) == []
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert refs(released.origin) == refs(other.origin)
    assert refs(released.root) == refs(other.root)
    assert objects(released.bucket) == objects(other.bucket)


def test_what_a_root_commit_names_is_kept(
    released: Repository, run: Run, hostile: Callable[[], Path]
) -> None:
    named = released.object_file("0123456789abcdef0123456789abcdef")
    named.parent.mkdir(exist_ok=True)
    named.write_bytes(b"old")
    os.utime(named, (0, 0))
    released.git("checkout", "--quiet", "--orphan", "other")
    released.lock.write_text(f"outs:\n- md5: {named.parent.name}{named.name}\n  path: dataset\n")
    released.git("add", "--all")
    released.git("commit", "--quiet", "--message", "Begin again")
    released.git("push", "--quiet", "origin", "other")
    released.git("checkout", "--quiet", "main")
    hostile()

    assert run("gc", "--yes").code == 0

    assert named.exists()


def test_a_release_in_a_hook_of_another_repository_changes_nothing_there(
    released: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged(released)
    other = tmp_path / "other"
    shutil.copytree(released.root, other, symlinks=True)
    (other / "unsaved.txt").write_text("mine")
    before = snapshot(other)
    led_elsewhere = {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_INDEX_FILE": other / ".git" / "index",
        "GIT_OBJECT_DIRECTORY": other / ".git" / "objects",
        "GIT_NAMESPACE": "other",
        "GIT_PREFIX": "other/",
    }
    for name, value in led_elsewhere.items():
        monkeypatch.setenv(name, str(value))

    assert run("plan").code == 0
    assert run("release").code == 0

    for name in led_elsewhere:
        monkeypatch.delenv(name)
    assert snapshot(other) == before
    assert released.tags() == ["v0", "v1"]


def test_a_release_by_an_alias_in_a_linked_worktree_moves_no_head(
    released: Repository, tmp_path: Path
) -> None:
    merged(released)
    linked = tmp_path / "linked"
    released.git("worktree", "add", "--quiet", str(linked), "unpushed")
    shutil.copytree(released.root / ".dvc", linked / ".dvc", dirs_exist_ok=True)
    (linked / "staged.txt").write_text("mine")
    git(linked, "add", "staged.txt")
    heads = [git(where, "rev-parse", "HEAD") for where in (linked, released.root)]
    code = f"import sys; sys.path.insert(0, '{PROJECT}'); from scripts.__main__ import main;"
    verb = f"!{sys.executable} -c \"{code} sys.exit(main(['release']))\""

    git(linked, "-c", f"alias.publish={verb}", "publish")

    assert released.tags() == ["v0", "v1"]
    assert [git(where, "rev-parse", "HEAD") for where in (linked, released.root)] == heads
    assert git(linked, "symbolic-ref", "HEAD") == "refs/heads/unpushed"
    assert git(linked, "status", "--porcelain") == "A  staged.txt"


# `{place}` is the folder of the origin. Both do what a connection to another machine would.
SSH = """\
#!/bin/sh
echo "$GIT_TOKEN" > '{place}/connected'
exec sh -c "$(echo "$2" | sed "s#/team#{place}#")"
"""


def test_identity_and_access_of_the_user_stay_theirs(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(SSH.format(place=tmp_path))
    ssh.chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f"[user]\n    name = Grace\n    email = grace@example.com\n[core]\n    sshCommand = {ssh}\n"
        '[ssh]\n    variant = simple\n[url "ssh://git.example/team/"]\n    insteadOf = team:\n'
    )
    repository.git("remote", "set-url", "origin", "team:origin.git")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    # What a program for access needs.
    monkeypatch.setenv("GIT_TOKEN", "secret")
    for role in ("AUTHOR", "COMMITTER"):
        for key in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{key}")

    assert run("release").code == 0

    assert (tmp_path / "connected").read_text() == "secret\n"
    assert repository.at_origin("show", "--no-patch", "--format=%an %ce", "v0^{commit}") == (
        "Grace grace@example.com"
    )
