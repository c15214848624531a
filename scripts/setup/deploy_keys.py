"""The key with which the release pushes, and other keys that could."""

import json
from dataclasses import replace

from scripts.setup.hub import RELEASE, names, path, secrets_of, send
from scripts.setup.step import (
    Command,
    Half,
    Json,
    Look,
    Step,
    Verdict,
    Wanted,
    gh,
    look_gh,
    missing,
    wrong,
)

DEPLOY_KEY = "RELEASE_DEPLOY_KEY"


def _keys(wanted: Wanted) -> Look:
    return look_gh("api", f"{path(wanted, 'keys')}?per_page=100", is_admins=True)


def _judge_deploy_key(wanted: Wanted, keys: Json, secrets: Json) -> Verdict:
    ours = [key for key in keys or [] if key["title"] == RELEASE]
    has_secret = DEPLOY_KEY in names(secrets)
    problems = []
    if ours and any(key["read_only"] for key in ours):
        problems.append("it cannot write")
    if len(ours) > 1:
        problems.append(f"there are {len(ours)}")
    if not ours:
        problems.append("the repository has none")
    if not has_secret:
        problems.append(f"the environment has no secret {DEPLOY_KEY}")
    # In this order, whatever fails leaves a secret that is missing, not one of another key.
    mend = (
        *([_secret(wanted, "delete")] if has_secret else ()),
        *(_without_key(wanted, key) for key in ours),
        Command(
            send(path(wanted, "keys"), "POST", {}).words,
            json.dumps({"title": RELEASE, "key": "{}", "read_only": False}),
            Half.PUBLIC,
        ),
        replace(_secret(wanted, "set"), stdin="{}", half=Half.PRIVATE),
    )
    if not ours and not has_secret:
        return missing("there is none", *mend)
    return wrong(problems, *mend)


def _secret(wanted: Wanted, verb: str) -> Command:
    return gh("secret", verb, DEPLOY_KEY, "--env", RELEASE, "--repo", wanted.repository)


def _without_key(wanted: Wanted, key: Json) -> Command:
    return gh("repo", "deploy-key", "delete", str(key["id"]), "--repo", wanted.repository)


def _judge_other_keys(wanted: Wanted, keys: Json) -> Verdict:
    other = [key for key in keys or [] if key["title"] != RELEASE and not key["read_only"]]
    problems = (f"{key['title']!r} can push to main and move tags" for key in other)
    return wrong(problems, *(_without_key(wanted, key) for key in other))


STEPS = (
    Step(
        "deploy key",
        "The release pushes tags, main and stable with it; the built-in token cannot bypass rules.",
        lambda wanted: (_keys(wanted), secrets_of(wanted, RELEASE)),
        _judge_deploy_key,
    ),
    Step(
        "other deploy keys",
        "Every deploy key that can write bypasses the rules.",
        lambda wanted: (_keys(wanted),),
        _judge_other_keys,
        by_hand=True,
    ),
)
