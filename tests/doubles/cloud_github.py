"""The stand-in for `gh`: a made repository."""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any

from tests.doubles.cloud_parts import CommandError, parsed, refuse_others

REPOSITORY = "octo/ds"
TEMPLATE_FILES = {
    ".dvc/config": "[core]\n    remote = storage\n['remote \"storage\"']\n    url = storage\n",
    ".github/CODEOWNERS": "* @OWNER/dataset-engineers\n/sources/ @OWNER/dataset-owners\n",
    "pyproject.toml": '[tool.dataset]\ntemplate = "https://github.com/OWNER/by-pull-request"\n',
}
BASE = f"repos/{REPOSITORY}"
Hub = dict[str, Any]


def new() -> Hub:
    return {
        # Of who runs `gh`: owner, reader, or the token of a workflow.
        "rights": "owner",
        "login": True,
        "repository": {
            "id": 4242,
            "full_name": REPOSITORY,
            "visibility": "private",
            "owner": {"login": "octo", "id": 77, "type": "Organization"},
            "template_repository": {"html_url": "https://github.com/tools/by-pull-request"},
            "allow_rebase_merge": True,
            "allow_squash_merge": True,
            "allow_merge_commit": True,
        },
        "environments": {},
        "variables": {},
        "secrets": {},
        "labels": ["bug"],
        "keys": [],
        "deploy_keys_allowed": True,
        "rulesets": [],
        "immutable": False,
        "pages": None,
        "subject": {"use_default": True, "use_immutable_subject": False},
        "branches": {"main": dict(TEMPLATE_FILES)},
        # What branches were before.
        "commits": {},
        "pulls": [],
        "next": 100,
    }


def run(state: dict[str, Any], words: Sequence[str], stdin: str) -> str:
    hub: Hub = state["github"]
    verb = tuple(words[:2]) if words[0] != "api" else ("api",)
    if verb == ("repo", "deploy-key"):
        verb = tuple(words[:3])
    if verb not in VERBS:
        raise CommandError(f"unknown command {' '.join(words[:2])!r} for gh")
    if not hub["login"]:
        raise CommandError("To get started with GitHub CLI, please run:  gh auth login")
    return VERBS[verb](hub, words[len(verb) :], stdin)


def _not_found() -> CommandError:
    return CommandError("gh: Not Found (HTTP 404)", '{"message":"Not Found","status":"404"}')


def _refuse(hub: Hub, *allowed: str) -> None:
    """Refuse those who are not owners, as GitHub does: a reader is told that there is nothing."""
    if hub["rights"] in ("owner", *allowed):
        return
    if hub["rights"] == "reader":
        raise _not_found()
    raise CommandError("gh: Resource not accessible by integration (HTTP 403)")


def _number(hub: Hub) -> int:
    hub["next"] += 1
    number: int = hub["next"]
    return number


def _here(options: dict[str, list[str]]) -> None:
    if options.get("--repo") != [REPOSITORY]:
        raise CommandError(f"GraphQL: Could not resolve to a Repository: {options.get('--repo')}")


# gh api


def _api(hub: Hub, words: Sequence[str], stdin: str) -> str:
    (path,), options = parsed(words)
    refuse_others(options, "--method", "-f", "-F", "--input")
    (method,) = options.get("--method", ["GET"])
    content: Any = {}
    for pair in options.get("-f", []):
        key, _, value = pair.partition("=")
        content[key] = value
    for pair in options.get("-F", []):
        key, _, value = pair.partition("=")
        content[key] = json.loads(value)
    if "--input" in options:
        assert options["--input"] == ["-"]
        content = json.loads(stdin)
    path, _, query = path.partition("?")
    for (verb, pattern), answer in ROUTES.items():
        found = re.fullmatch(f"{BASE}{pattern}", path)
        if verb == method and found:
            made = answer(hub, content, query, *found.groups())
            return "" if made is None else json.dumps(made)
    raise _not_found()


def _repository(hub: Hub, _: Any, __: str) -> Any:
    found = {**hub["repository"], "permissions": {"admin": hub["rights"] == "owner"}}
    if hub["rights"] == "token":
        return {key: x for key, x in found.items() if not key.startswith("allow_")}
    return found


def _change_repository(hub: Hub, content: Any, _: str) -> Any:
    _refuse(hub)
    assert content.keys() <= {"allow_rebase_merge", "allow_squash_merge"}
    hub["repository"] |= content
    return hub["repository"]


def _environments(hub: Hub, _: Any, __: str) -> Any:
    made = [
        {
            "name": name,
            "deployment_branch_policy": one["policy"],
            "protection_rules": one["protection_rules"],
        }
        for name, one in hub["environments"].items()
    ]
    return {"total_count": len(made), "environments": made}


def _put_environment(hub: Hub, content: Any, _: str, name: str) -> Any:
    _refuse(hub)
    one = hub["environments"].setdefault(name, {"policies": [], "secrets": {}})
    one["policy"] = content["deployment_branch_policy"]
    # What is not repeated is removed.
    one["protection_rules"] = [
        {
            "type": "required_reviewers",
            "reviewers": [
                {"type": x["type"], "reviewer": {"id": x["id"]}} for x in content["reviewers"]
            ],
        }
        for _ in range(1)
        if content.get("reviewers")
    ]
    return {"name": name}


def _environment(hub: Hub, name: str) -> Any:
    if name not in hub["environments"]:
        raise _not_found()
    return hub["environments"][name]


def _policies(hub: Hub, _: Any, __: str, name: str) -> Any:
    return {"branch_policies": _environment(hub, name)["policies"]}


def _add_policy(hub: Hub, content: Any, _: str, name: str) -> Any:
    _refuse(hub)
    made = {"id": _number(hub), "name": content["name"], "type": "branch"}
    policies = _environment(hub, name)["policies"]
    if made["name"] in {one["name"] for one in policies}:
        raise CommandError("gh: already exists (HTTP 303)")
    policies.append(made)
    return made


def _delete_policy(hub: Hub, _: Any, __: str, name: str, number: str) -> None:
    _refuse(hub)
    policies = _environment(hub, name)["policies"]
    policies[:] = [one for one in policies if str(one["id"]) != number]


def _label(hub: Hub, _: Any, __: str, name: str) -> Any:
    if name not in hub["labels"]:
        raise _not_found()
    return {"name": name}


def _keys(hub: Hub, _: Any, __: str) -> Any:
    _refuse(hub)
    return hub["keys"]


def _add_key(hub: Hub, content: Any, _: str) -> Any:
    _refuse(hub)
    if not hub["deploy_keys_allowed"]:
        raise CommandError("gh: Deploy keys are disabled for this repository (HTTP 422)")
    assert content["key"].startswith("ssh-ed25519 ")
    hub["keys"].append({"id": _number(hub), **content})
    return hub["keys"][-1]


def _rulesets(hub: Hub, _: Any, query: str) -> Any:
    assert "includes_parents=false" in query
    return [{"id": one["id"], "name": one["name"]} for one in hub["rulesets"]]


def _ruleset(hub: Hub, _: Any, __: str, number: str) -> Any:
    (found,) = (one for one in hub["rulesets"] if str(one["id"]) == number)
    hidden = set() if hub["rights"] == "owner" else {"bypass_actors"}
    return {key: value for key, value in found.items() if key not in hidden}


def _add_ruleset(hub: Hub, content: Any, _: str) -> Any:
    _refuse(hub)
    if content["name"] in {one["name"] for one in hub["rulesets"]}:
        raise CommandError("gh: Validation Failed (HTTP 422)\nName must be unique")
    hub["rulesets"].append(_completed({"id": _number(hub), **content}))
    return hub["rulesets"][-1]


def _put_ruleset(hub: Hub, content: Any, _: str, number: str) -> Any:
    _refuse(hub)
    (found,) = (one for one in hub["rulesets"] if str(one["id"]) == number)
    found |= _completed(content)
    return found


def _completed(content: Any) -> Any:
    actors = [{"actor_id": None, **one} for one in content["bypass_actors"]]
    return {**content, "bypass_actors": actors}


def _immutable(hub: Hub, _: Any, __: str) -> Any:
    _refuse(hub)
    return {"enabled": hub["immutable"], "enforced_by_owner": False}


def _make_immutable(hub: Hub, _: Any, __: str) -> None:
    _refuse(hub)
    hub["immutable"] = True


def _pages(hub: Hub, _: Any, __: str) -> Any:
    _refuse(hub, "reader")
    if hub["pages"] is None:
        raise _not_found()
    return {"build_type": hub["pages"]}


def _make_pages(hub: Hub, content: Any, _: str) -> None:
    _refuse(hub)
    if hub["pages"] is not None:
        raise CommandError("gh: GitHub Pages is already enabled. (HTTP 409)")
    hub["pages"] = content["build_type"]


def _change_pages(hub: Hub, content: Any, _: str) -> None:
    _refuse(hub)
    hub["pages"] = content["build_type"]


def _subject(hub: Hub, _: Any, __: str) -> Any:
    _refuse(hub)
    return hub["subject"]


def _put_subject(hub: Hub, content: Any, _: str) -> None:
    _refuse(hub)
    hub["subject"] = content


def _sha(content: object) -> str:
    return hashlib.sha1(json.dumps(content, sort_keys=True).encode()).hexdigest()  # noqa: S324


def _files(hub: Hub, branch: str) -> dict[str, str]:
    if branch not in hub["branches"]:
        raise _not_found()
    files: dict[str, str] = hub["branches"][branch]
    return files


def _ref(hub: Hub, _: Any, __: str, branch: str) -> Any:
    return {"object": {"sha": _sha(_files(hub, branch))}}


def _add_ref(hub: Hub, content: Any, _: str) -> Any:
    branch = content["ref"].removeprefix("refs/heads/")
    if branch in hub["branches"]:
        raise CommandError("gh: Reference already exists (HTTP 422)")
    known = {_sha(files): files for files in hub["branches"].values()} | hub["commits"]
    hub["branches"][branch] = dict(known[content["sha"]])
    return {}


def _file(hub: Hub, _: Any, query: str, path: str) -> Any:
    files = _files(hub, query.removeprefix("ref="))
    if path not in files:
        raise _not_found()
    encoded = b64encode(files[path].encode()).decode()
    # GitHub breaks it into lines.
    lines = "\n".join(encoded[at : at + 60] for at in range(0, len(encoded), 60))
    return {"content": f"{lines}\n", "encoding": "base64", "sha": _sha(files[path])}


def _put_file(hub: Hub, content: Any, _: str, path: str) -> Any:
    files = _files(hub, content["branch"])
    if content.get("sha") != (_sha(files[path]) if path in files else None):
        raise CommandError(f"gh: {path} does not match (HTTP 409)")
    hub["commits"][_sha(files)] = dict(files)
    files[path] = b64decode(content["content"], validate=True).decode()
    return {}


def _pulls(hub: Hub, _: Any, query: str) -> Any:
    _refuse(hub, "reader")
    assert query == "state=open&head=octo:setup"
    return [{"html_url": pull["url"]} for pull in hub["pulls"] if pull["head"] == "setup"]


Route = Callable[..., Any]
ROUTES: dict[tuple[str, str], Route] = {
    ("GET", ""): _repository,
    ("PATCH", ""): _change_repository,
    ("GET", "/environments"): _environments,
    ("PUT", "/environments/([^/]+)"): _put_environment,
    ("GET", "/environments/([^/]+)/deployment-branch-policies"): _policies,
    ("POST", "/environments/([^/]+)/deployment-branch-policies"): _add_policy,
    ("DELETE", r"/environments/([^/]+)/deployment-branch-policies/(\d+)"): _delete_policy,
    ("GET", "/labels/(.+)"): _label,
    ("GET", "/keys"): _keys,
    ("POST", "/keys"): _add_key,
    ("GET", "/rulesets"): _rulesets,
    ("POST", "/rulesets"): _add_ruleset,
    ("GET", r"/rulesets/(\d+)"): _ruleset,
    ("PUT", r"/rulesets/(\d+)"): _put_ruleset,
    ("GET", "/immutable-releases"): _immutable,
    ("PUT", "/immutable-releases"): _make_immutable,
    ("GET", "/pages"): _pages,
    ("POST", "/pages"): _make_pages,
    ("PUT", "/pages"): _change_pages,
    ("GET", "/actions/oidc/customization/sub"): _subject,
    ("PUT", "/actions/oidc/customization/sub"): _put_subject,
    ("GET", "/git/ref/heads/(.+)"): _ref,
    ("POST", "/git/refs"): _add_ref,
    ("GET", "/contents/(.+)"): _file,
    ("GET", "/pulls"): _pulls,
    ("PUT", "/contents/(.+)"): _put_file,
}


# The other verbs.


def _list_variables(hub: Hub, words: Sequence[str], __: str) -> str:
    _, options = parsed(words)
    refuse_others(options, "--repo", "--json")
    _here(options)
    if hub["rights"] == "token":
        raise CommandError("HTTP 403: Resource not accessible by integration")
    return json.dumps([{"name": name, "value": x} for name, x in hub["variables"].items()])


def _set_variable(hub: Hub, words: Sequence[str], _: str) -> str:
    (name,), options = parsed(words)
    refuse_others(options, "--body", "--repo")
    _here(options)
    _refuse(hub)
    (hub["variables"][name],) = options["--body"]
    return ""


def _secrets(hub: Hub, options: dict[str, list[str]]) -> dict[str, str]:
    _here(options)
    _refuse(hub)
    if "--env" in options:
        return _named(_environment(hub, options["--env"][0]))
    return _named(hub)


def _named(where: Hub) -> dict[str, str]:
    secrets: dict[str, str] = where["secrets"]
    return secrets


def _list_secrets(hub: Hub, words: Sequence[str], __: str) -> str:
    _, options = parsed(words)
    refuse_others(options, "--repo", "--json", "--env")
    return json.dumps([{"name": name} for name in _secrets(hub, options)])


def _set_secret(hub: Hub, words: Sequence[str], stdin: str) -> str:
    (name,), options = parsed(words)
    refuse_others(options, "--repo", "--env")
    assert stdin
    # The value is encrypted by the real program; here nobody needs it.
    _secrets(hub, options)[name] = hashlib.sha256(stdin.encode()).hexdigest()
    return ""


def _delete_secret(hub: Hub, words: Sequence[str], _: str) -> str:
    (name,), options = parsed(words)
    refuse_others(options, "--repo", "--env")
    if _secrets(hub, options).pop(name, None) is None:
        raise _not_found()
    return ""


def _create_label(hub: Hub, words: Sequence[str], _: str) -> str:
    (name,), options = parsed(words)
    refuse_others(options, "--repo", "--description")
    _here(options)
    if name in hub["labels"]:
        raise CommandError(f"label with name {name!r} already exists; use `--force` to update")
    hub["labels"].append(name)
    return ""


def _delete_key(hub: Hub, words: Sequence[str], _: str) -> str:
    (number,), options = parsed(words)
    _here(options)
    _refuse(hub)
    hub["keys"][:] = [key for key in hub["keys"] if str(key["id"]) != number]
    return ""


def _create_pull(hub: Hub, words: Sequence[str], __: str) -> str:
    _, options = parsed(words)
    refuse_others(options, "--repo", "--head", "--base", "--title", "--body")
    _here(options)
    (head,) = options["--head"]
    _files(hub, head)
    if hub["pulls"]:
        raise CommandError("a pull request for branch already exists")
    url = f"https://github.com/{REPOSITORY}/pull/1"
    hub["pulls"].append({"head": head, "base": options["--base"][0], "url": url})
    return f"{url}\n"


def _view(_: Hub, words: Sequence[str], __: str) -> str:
    assert [*words] == ["--json", "nameWithOwner", "--jq", ".nameWithOwner"]
    return f"{REPOSITORY}\n"


VERBS: dict[tuple[str, ...], Callable[[Hub, Sequence[str], str], str]] = {
    ("api",): _api,
    ("auth", "status"): lambda *_: "",
    ("repo", "view"): _view,
    ("repo", "deploy-key", "delete"): _delete_key,
    ("variable", "list"): _list_variables,
    ("variable", "set"): _set_variable,
    ("secret", "list"): _list_secrets,
    ("secret", "set"): _set_secret,
    ("secret", "delete"): _delete_secret,
    ("label", "create"): _create_label,
    ("pr", "create"): _create_pull,
}
