"""Runs git with a fixed environment and settings, independent of those of the user.

The user's settings for access are used: identity, credentials, proxies, SSH, `url.*.insteadOf`.
Needs only Python, so that it works before anything is installed.
"""

import os
from collections.abc import Iterable, Mapping

# Git sets some of these in a hook or an alias. They would select another repository, index or work
# tree.
DROPPED = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_PREFIX", "GIT_COMMON_DIR"),
    *("GIT_INDEX_FILE", "GIT_INDEX_VERSION", "GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"),
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
    *("GIT_REPLACE_REF_BASE", "GIT_CONFIG", "GIT_ATTR_SOURCE", "GIT_TEMPLATE_DIR"),
    *("GIT_DEFAULT_HASH", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_REFLOG_ACTION"),
    *("GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS"),
    "GIT_ICASE_PATHSPECS",
}
ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    # Reading the work tree writes nothing.
    "GIT_OPTIONAL_LOCKS": "0",
    # Ignore replacements of commits in this clone.
    "GIT_NO_REPLACE_OBJECTS": "1",
    # DVC can read only this format.
    "GIT_DEFAULT_REF_FORMAT": "files",
}
SETTINGS = {
    # Run no programs of the user.
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    # No automatic garbage collection: new objects have no reference at first.
    "gc.auto": "0",
    "maintenance.auto": "false",
    # Fetch, push and remove only what the command line says.
    "fetch.prune": "false",
    "fetch.pruneTags": "false",
    "fetch.recurseSubmodules": "false",
    "push.followTags": "false",
    "push.recurseSubmodules": "no",
    "submodule.recurse": "false",
    # Not every server has these.
    "push.gpgSign": "false",
    "push.pushOption": "",
    # The bytes of a commit.
    "i18n.commitEncoding": "UTF-8",
    # The output of git is parsed.
    "i18n.logOutputEncoding": "UTF-8",
    "core.quotePath": "true",
    "column.ui": "never",
    **dict.fromkeys(
        (f"color.{kind}" for kind in ("ui", "advice", "push", "remote", "transport")), "false"
    ),
    "diff.orderFile": "/dev/null",
    "diff.renames": "false",
    # The same merges as on a server.
    "merge.renames": "true",
    "merge.directoryRenames": "conflict",
    "merge.renormalize": "false",
    "merge.default": "text",
    "log.diffMerges": "separate",
    "log.follow": "false",
    "log.showRoot": "true",
    "log.showSignature": "false",
}
SETTINGS_OF = {
    # For other commands, these would create a remote called origin.
    "fetch": {"remote.origin.prune": "false", "remote.origin.pruneTags": "false"},
    "push": {"remote.origin.mirror": "false"},
    # Needed by commands that compare files with those that git stores.
    "merge-tree": {"core.attributesFile": "/dev/null"},
}


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for git, with the variables in `given`."""
    return {**clean_environment(), **ENVIRONMENT, **(given or {})}


def clean_environment() -> dict[str, str]:
    """Return the environment of this process without variables that select another repository."""
    return {name: value for name, value in os.environ.items() if name not in DROPPED}


def command(arguments: Iterable[str], more: Mapping[str, str] | None = None) -> list[str]:
    """Return the command line of git with `arguments` and `more` settings."""
    name, *rest = arguments
    settings = {**SETTINGS, **SETTINGS_OF.get(name, {}), **(more or {})}
    return ["git", *(word for pair in settings.items() for word in _option(*pair)), name, *rest]


def _option(key: str, value: str) -> tuple[str, str]:
    return "-c", f"{key}={value}"
