"""The setup, from an empty project to the first pull request, against stand-ins with a state."""

import hashlib
import io
import re
from collections.abc import Callable

import pytest

from scripts.setup import shell
from scripts.setup.shell import NOT_FOUND, Ran
from scripts.setup.step import Half
from tests.doubles.cloud import Cloud
from tests.doubles.cloud_github import TEMPLATE_FILES
from tests.repository import Repository, Result, Run
from tests.setup.conftest import EVERYTHING, OPTIONS, Use, files_below

Setup = Callable[..., Result]
PULL = "https://github.com/octo/ds/pull/1"
EMAIL = "@acme-data.iam.gserviceaccount.com"


def commands(script: str) -> list[str]:
    """Return the programs and their arguments in lines for a shell."""
    lines = [line.strip() for line in script.splitlines() if not line.startswith("#")]
    bare = (re.sub(r"^printf %s .* \| (?=gh )", "", line) for line in lines)
    return [re.sub(r"  # reads the \w+ half of a new key$", "", line) for line in bare if line]


def test_everything_is_set_up_and_the_first_pull_request_is_opened(
    cloud: Cloud, setup: Setup
) -> None:
    result = setup(*EVERYTHING)

    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f"{PULL}\n")
    hub, google = cloud.github, cloud.google
    assert {*hub["environments"]} == {"release", "ingest", "gc"}
    assert [one["name"] for one in hub["rulesets"]] == ["main", "stable", "releases"]
    assert [*hub["environments"]["release"]["secrets"]] == ["RELEASE_DEPLOY_KEY"]
    assert hub["secrets"] == {}
    assert hub["immutable"]
    assert not hub["repository"]["allow_rebase_merge"]
    assert google["buckets"]["acme-dataset"]["days"] == 30
    writer = google["roles"]["datasetWriter"]["includedPermissions"]
    assert not [one for one in writer if one.endswith((".delete", ".update"))]
    assert {*google["accounts"]} == {
        f"dataset-{name}{EMAIL}" for name in ("pull-request", "release", "ingest", "gc")
    }
    condition = google["providers"]["github"]["attributeCondition"]
    assert condition == "assertion.repository_id == '4242'"
    proposed = hub["branches"]["setup"]
    assert "url = gs://acme-dataset/ds\n" in proposed[".dvc/config"]
    # Before the rules, so that the pull request changes the dataset only.
    main = hub["branches"]["main"]
    assert main[".github/CODEOWNERS"].startswith("* @octo/dataset-engineers\n")
    assert "https://github.com/tools/by-pull-request" in main["pyproject.toml"]
    assert "url = storage" in main[".dvc/config"]


def test_without_extras_nothing_of_them_is_made(cloud: Cloud, setup: Setup) -> None:
    assert setup().code == 0
    assert {*cloud.github["environments"]} == {"release"}
    assert {*cloud.google["roles"]} == {"datasetWriter"}
    assert not {"CATALOGUE", "DASK_SCHEDULER_ADDRESS"} & {*cloud.github["variables"]}
    assert cloud.github["pages"] is None


def test_a_second_run_does_nothing_and_asks_for_nothing(
    cloud: Cloud, setup: Setup, run: Run
) -> None:
    setup(*EVERYTHING)
    cloud.log.clear()
    result = run("setup", "--yes")
    assert (result.code, cloud.log) == (0, [])
    assert PULL in result.out
    cloud.merge()
    assert "All is set up" in run("setup", "--yes").out
    assert cloud.log == []


def test_an_extra_can_be_added_later(cloud: Cloud, setup: Setup, run: Run) -> None:
    setup()
    cloud.merge()
    cloud.log.clear()
    assert run("setup", "--yes", "--with", "gc").code == 0
    assert "GCP_GC_ACCOUNT" in cloud.github["variables"]
    assert all("gc" in line.lower() or "datasetCollector" in line for line in cloud.log)


def test_a_dry_run_prints_the_commands_that_are_run(cloud: Cloud, setup: Setup) -> None:
    printed = setup(*EVERYTHING, "--dry-run")
    assert (printed.code, cloud.log) == (0, [])
    setup(*EVERYTHING)
    assert commands(printed.out) == cloud.log


@pytest.mark.parametrize(
    ("late", "extras"), [(False, EVERYTHING), (True, ())], ids=["before", "after"]
)
def test_a_run_after_a_failure_at_any_command_continues(
    setup: Setup, use: Use, run: Run, cloud: Cloud, late: bool, extras: tuple[str, ...]
) -> None:
    """Each command fails once: before it does its work, or after it."""
    setup(*extras)
    done, count = cloud.settled(), len(cloud.log)
    for number in range(1, count + 1):
        broken = use(Cloud())
        broken.state |= {"fail_at": number, "fail_late": late}
        failed = run("setup", *OPTIONS, *extras)
        assert failed.code == 1
        assert "connection reset by peer" in failed.err
        broken.state["fail_at"] = None
        assert run("setup", *OPTIONS, *extras).code == 0, broken.log
        assert without_numbers(broken) == without_numbers(Cloud(done)), broken.log


def without_numbers(cloud: Cloud) -> object:
    """Return what is set up, without what differs from run to run, such as keys."""
    cloud = cloud.copy()
    hub = cloud.github
    # It begins where main was.
    hub["branches"]["setup"] = hub["branches"]["setup"][".dvc/config"]
    for one in (*hub["keys"], *hub["rulesets"]):
        one.pop("id", None)
        one.pop("key", None)
    for one in hub["environments"].values():
        one["secrets"] = [*one["secrets"]]
        for policy in one["policies"]:
            policy.pop("id", None)
    return {**hub, "next": 0, "commits": {}}, cloud.google


def test_a_secret_of_another_key_never_stays(setup: Setup, cloud: Cloud, run: Run) -> None:
    setup()
    before = cloud.github["environments"]["release"]["secrets"]["RELEASE_DEPLOY_KEY"]
    cloud.github["keys"][0]["read_only"] = True
    # After the old key is deleted and the new one is added.
    cloud.state["fail_at"] = len(cloud.log) + 4
    assert run("setup", "--yes").code == 1
    assert cloud.github["environments"]["release"]["secrets"] == {}
    cloud.state["fail_at"] = None
    assert run("setup", "--yes").code == 0
    (key,) = cloud.github["keys"]
    assert not key["read_only"]
    assert cloud.github["environments"]["release"]["secrets"]["RELEASE_DEPLOY_KEY"] != before


def test_the_new_key_is_in_no_file_and_no_output(
    setup: Setup, cloud: Cloud, untouched: Repository, pairs: list[dict[Half, str]]
) -> None:
    result = setup()
    (pair,) = pairs
    private = pair[Half.PRIVATE]
    secret = private.splitlines()[2].encode()
    stored = cloud.github["environments"]["release"]["secrets"]["RELEASE_DEPLOY_KEY"]
    assert stored == hashlib.sha256(private.encode()).hexdigest()
    assert cloud.github["keys"][0]["key"] == pair[Half.PUBLIC]
    assert secret not in (result.out + result.err + "".join(cloud.log)).encode()
    assert not [one for one in files_below(untouched.place) if secret in one]


def test_a_new_account_takes_a_minute(setup: Setup, cloud: Cloud) -> None:
    cloud.state["fresh"] = 3
    result = setup()
    assert result.code == 0
    assert "what was just made is not known everywhere yet; waiting" in result.err


def test_an_account_that_never_becomes_known_is_an_error(setup: Setup, cloud: Cloud) -> None:
    cloud.state["fresh"] = 1_000
    result = setup()
    assert result.code == 1
    assert f"dataset-pull-request{EMAIL} does not exist" in result.err
    assert result.err.endswith("it continues here: python -m scripts setup\n")


def test_who_works_alone_can_merge_without_an_approval(setup: Setup, cloud: Cloud) -> None:
    cloud.github["repository"]["owner"]["type"] = "User"
    assert setup("--alone").code == 0
    (rules,) = (one["rules"] for one in cloud.github["rulesets"] if one["name"] == "main")
    (pulls,) = (rule["parameters"] for rule in rules if rule["type"] == "pull_request")
    assert pulls["required_approving_review_count"] == 0
    assert not pulls["require_code_owner_review"]
    assert cloud.github["branches"]["main"][".github/CODEOWNERS"].startswith("* @octo\n")


def test_who_works_alone_later_is_let_merge(setup: Setup, cloud: Cloud, run: Run) -> None:
    setup()
    assert "has nobody who approves" in run("setup", "--yes", "--alone").out
    assert "rules of main: nobody has to approve" in run("setup", "--yes").out


def test_main_with_rules_is_changed_by_the_pull_request_only(setup: Setup, cloud: Cloud) -> None:
    setup()
    cloud.github["pulls"].clear()
    del cloud.github["branches"]["setup"]
    before = dict(TEMPLATE_FILES)
    cloud.github["branches"]["main"] = before
    setup()
    assert cloud.github["branches"]["main"] == TEMPLATE_FILES
    proposed = cloud.github["branches"]["setup"]
    assert proposed.keys() == TEMPLATE_FILES.keys()
    assert not [name for name, text in proposed.items() if text == TEMPLATE_FILES[name]]


def test_a_bucket_of_firebase_keeps_the_access_of_others(setup: Setup, cloud: Cloud) -> None:
    cloud.google["services"] += ["storage.googleapis.com"]
    app = {"role": "roles/storage.objectAdmin", "members": ["serviceAccount:firebase@x.example"]}
    cloud.google["buckets"]["acme-dataset"] = {
        "location": "US",
        "versioning": False,
        "days": 7,
        "uniform": False,
        "private": False,
        "policy": [app],
    }
    result = setup()
    bucket = cloud.google["buckets"]["acme-dataset"]
    assert result.code == 0
    assert bucket["uniform"]
    assert bucket["private"]
    assert app in bucket["policy"]
    left = result.out.partition("Left to you:")[2]
    assert "others who can write: serviceAccount:firebase@x.example has roles/storage" in left


def test_reviewers_of_an_environment_are_kept(setup: Setup, cloud: Cloud) -> None:
    setup("--with", "gc")
    one = cloud.github["environments"]["gc"]
    one["policy"] = None
    one["protection_rules"] = [
        {"type": "required_reviewers", "reviewers": [{"type": "Team", "reviewer": {"id": 7}}]}
    ]
    kept = [*one["protection_rules"]]
    setup()
    assert one["policy"]["custom_branch_policies"]
    assert one["protection_rules"] == kept


def test_nothing_is_changed_without_a_yes(
    cloud: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = "octo/ds\nacme-dataset\nacme-data\n\n\n\n"
    for last in ("n\n", "\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answers + last))
        result = run("setup")
        assert (result.code, cloud.log) == (1, [])
    assert "Do it? [y/N]" in result.err
    assert "Say it with options, and --yes" in result.err


def test_what_is_not_said_is_asked_for(
    cloud: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["", "gs://acme-dataset", "acme-data", "us-east1", "gc, catalogue", "y", "y", ""]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers)))
    result = run("setup")
    assert result.code == 0
    assert "repository: a repository at GitHub [octo/ds]" in result.err
    assert cloud.google["buckets"]["acme-dataset"]["location"] == "us-east1"
    assert cloud.github["variables"]["CATALOGUE"] == "public"
    assert "PAGES OF A PRIVATE REPOSITORY ARE PUBLIC" in result.out
    assert "rules of main: nobody has to approve" in run("setup", "--yes").out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--repository", "dataset"), "'dataset' is not a repository at GitHub; write it as acme/"),
        (("--repository", "octo/other"), "there is no repository octo/other at GitHub"),
        (("--project", "Acme"), "'Acme' is not the ID of a project at Google Cloud"),
        (("--project", "acme-other"), "there is no project acme-other at Google Cloud"),
        (
            ("--bucket", "gs://acme/x"),
            "'gs://acme/x' is not a bucket, new or existing; write it as",
        ),
        (("--bucket", "s3://Acme"), "'s3://Acme' is not a bucket, new or existing; write it as"),
        (("--location", "E U"), "'E U' is not the location of a new bucket"),
        (("--with", "gc,all"), "unknown extra 'all'; choose among ingest, gc, catalogue, cluster"),
        (("--with", "cluster"), "--scheduler is missing: the address of a Dask scheduler"),
        (("--with", "cluster", "--scheduler", "tcp://x:1"), "write it as tls://"),
    ],
)
def test_what_is_not_valid_is_one_message(
    setup: Setup, cloud: Cloud, options: tuple[str, ...], message: str
) -> None:
    result = setup(*options)
    assert (result.code, result.out, cloud.log) == (1, "", [])
    assert message in result.err


def test_what_is_missing_is_one_message(run: Run, cloud: Cloud) -> None:
    result = run("setup", "--yes")
    assert result.code == 1
    assert "--bucket is missing: a bucket, new or existing, such as gs://" in result.err


def test_only_an_owner_can_set_up(setup: Setup, cloud: Cloud) -> None:
    cloud.github["rights"] = "reader"
    result = setup()
    assert (result.code, cloud.log) == (1, [])
    assert "you are not an owner of octo/ds" in result.err


def test_nothing_is_begun_where_something_cannot_be_seen(setup: Setup, cloud: Cloud) -> None:
    cloud.google["forbidden"] += ["iam service-accounts"]
    cloud.google["services"] += ["iam.googleapis.com"]
    result = setup()
    assert (result.code, cloud.log) == (1, [])
    assert "unknown  account dataset-release: ERROR" in result.err


@pytest.mark.parametrize(("program", "login"), [("github", "gh auth login"), ("google", "active")])
def test_without_a_login_there_is_one_message(
    setup: Setup, cloud: Cloud, program: str, login: str
) -> None:
    cloud.state[program]["login"] = False
    result = setup()
    assert (result.code, result.out) == (1, "")
    assert login in result.err


def test_an_organization_that_forbids_deploy_keys_is_told_what_to_do(
    setup: Setup, cloud: Cloud
) -> None:
    cloud.github["deploy_keys_allowed"] = False
    result = setup()
    assert result.code == 1
    assert "under Member privileges, Deploy keys" in result.err
    cloud.github["deploy_keys_allowed"] = True
    assert setup().code == 0


def test_a_program_gets_its_input_and_its_failure_is_one_line() -> None:
    counted = shell.run(("git", "stripspace"), "x  \n")
    assert counted == Ran(0, "x\n", "")
    failed = shell.run(("git", "no-such-verb"))
    assert failed.code
    assert "no-such-verb" in failed.reason
    assert "\n" not in failed.reason
    assert shell.run(("no-such-program",)) == Ran(NOT_FOUND, "", "no-such-program is not installed")
