"""The doctor, after the setup and after each thing that somebody can change."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.setup import doctor, local, steps, text
from scripts.setup.step import SETUP, State, Store
from scripts.storage import google_bucket
from tests.doubles import cloud as cloud_
from tests.doubles.cloud import Cloud
from tests.doubles.cloud_github import TEMPLATE_FILES
from tests.repository import PROJECT, Repository, Result, Run
from tests.setup.conftest import CERTIFICATES, EVERYTHING, OPTIONS, Use

EMAIL = "@acme-data.iam.gserviceaccount.com"
PULL_REQUEST, RELEASE = f"dataset-pull-request{EMAIL}", f"dataset-release{EMAIL}"
WRITER = "projects/acme-data/roles/datasetWriter"
Break = Callable[[Cloud], object]
BREAKS: dict[str, tuple[str, Break]] = {}


@pytest.fixture(scope="module")
def done() -> list[Cloud]:
    return []


@pytest.fixture
def whole(use: Use, run: Run, done: list[Cloud]) -> Cloud:
    """A cloud in which everything is set up, and the first pull request is merged."""
    if not done:
        made = use(Cloud())
        assert run("setup", *OPTIONS, *EVERYTHING).code == 0
        made.merge()
        made.github["environments"]["release"]["secrets"] |= dict.fromkeys(CERTIFICATES, "x")
        made.log.clear()
        done.append(made)
    return use(done[0].copy())


def breaks(step: str) -> Callable[[Break], Break]:
    """Register what somebody can do to a `step`."""

    def register(change: Break) -> Break:
        BREAKS[change.__name__] = (step, change)
        return change

    return register


def environment(cloud: Cloud, name: str) -> dict[str, object]:
    one: dict[str, object] = cloud.github["environments"][name]
    return one


def ruleset(cloud: Cloud, name: str) -> dict[str, object]:
    found: dict[str, object] = next(x for x in cloud.github["rulesets"] if x["name"] == name)
    return found


def parameters(cloud: Cloud, kind: str) -> dict[str, object]:
    rules = ruleset(cloud, "main")["rules"]
    assert isinstance(rules, list)
    found: dict[str, object] = next(rule for rule in rules if rule["type"] == kind)["parameters"]
    return found


def grant(policy: list[dict[str, object]], member: str, role: str) -> None:
    policy.append({"role": role, "members": [member]})


def bucket(cloud: Cloud) -> dict[str, object]:
    found: dict[str, object] = cloud.google["buckets"]["acme-dataset"]
    return found


def of_bucket(cloud: Cloud) -> list[dict[str, object]]:
    policy: list[dict[str, object]] = cloud.google["buckets"]["acme-dataset"]["policy"]
    return policy


# GitHub


@breaks("environment release")
def an_environment_without_policy(cloud: Cloud) -> None:
    environment(cloud, "release")["policy"] = None


@breaks("environment gc")
def an_environment_for_protected_branches(cloud: Cloud) -> None:
    both = {"protected_branches": True, "custom_branch_policies": False}
    environment(cloud, "gc")["policy"] = both


@breaks("environment release")
def an_environment_for_another_branch(cloud: Cloud) -> None:
    other = {"id": 7, "name": "dev/*", "type": "branch"}
    cloud.github["environments"]["release"]["policies"].append(other)


@breaks("environment ingest")
def an_environment_for_tags_called_main(cloud: Cloud) -> None:
    cloud.github["environments"]["ingest"]["policies"][0]["type"] = "tag"


@breaks("environment ingest")
def an_environment_is_deleted(cloud: Cloud) -> None:
    del cloud.github["environments"]["ingest"]


@breaks("merge methods")
def rebases_are_allowed(cloud: Cloud) -> None:
    cloud.github["repository"]["allow_rebase_merge"] = True


@breaks("label curate")
def the_label_is_deleted(cloud: Cloud) -> None:
    cloud.github["labels"].remove("curate")


@breaks("immutable releases")
def releases_can_be_changed(cloud: Cloud) -> None:
    cloud.github["immutable"] = False


@breaks("secrets of the repository")
def every_branch_can_read_the_deploy_key(cloud: Cloud) -> None:
    cloud.github["secrets"]["RELEASE_DEPLOY_KEY"] = "x"


@breaks("deploy key")
def the_deploy_key_is_deleted(cloud: Cloud) -> None:
    cloud.github["keys"].clear()


@breaks("deploy key")
def the_deploy_key_cannot_write(cloud: Cloud) -> None:
    cloud.github["keys"][0]["read_only"] = True


@breaks("deploy key")
def the_secret_of_the_deploy_key_is_deleted(cloud: Cloud) -> None:
    del cloud.github["environments"]["release"]["secrets"]["RELEASE_DEPLOY_KEY"]


@breaks("other deploy keys")
def another_key_can_write(cloud: Cloud) -> None:
    key = {"id": 9, "title": "laptop", "key": "ssh-rsa AAAA", "read_only": False}
    cloud.github["keys"].append(key)


@breaks("rules of main")
def the_rules_of_main_are_deleted(cloud: Cloud) -> None:
    cloud.github["rulesets"].remove(ruleset(cloud, "main"))


@breaks("rules of main")
def a_check_is_not_required(cloud: Cloud) -> None:
    checks = parameters(cloud, "required_status_checks")["required_status_checks"]
    assert isinstance(checks, list)
    del checks[0]


@breaks("rules of main")
def any_app_can_report_a_check(cloud: Cloud) -> None:
    checks = parameters(cloud, "required_status_checks")["required_status_checks"]
    assert isinstance(checks, list)
    del checks[1]["integration_id"]


@breaks("rules of main")
def pull_requests_can_be_rebased(cloud: Cloud) -> None:
    parameters(cloud, "pull_request")["allowed_merge_methods"] = ["merge", "rebase"]


@breaks("rules of main")
def owners_of_the_code_need_not_approve(cloud: Cloud) -> None:
    parameters(cloud, "pull_request")["require_code_owner_review"] = False


@breaks("rules of main")
def an_approval_stays_after_a_push(cloud: Cloud) -> None:
    parameters(cloud, "pull_request")["dismiss_stale_reviews_on_push"] = False


@breaks("rules of main")
def administrators_bypass_the_rules(cloud: Cloud) -> None:
    actor = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}
    actors = ruleset(cloud, "main")["bypass_actors"]
    assert isinstance(actors, list)
    actors.append(actor)


@breaks("rules of stable")
def the_release_cannot_move_stable(cloud: Cloud) -> None:
    ruleset(cloud, "stable")["bypass_actors"] = []


@breaks("rules of stable")
def stable_can_be_deleted(cloud: Cloud) -> None:
    ruleset(cloud, "stable")["rules"] = [{"type": "creation"}, {"type": "update"}]


@breaks("rules of releases")
def the_rules_of_tags_are_only_evaluated(cloud: Cloud) -> None:
    ruleset(cloud, "releases")["enforcement"] = "evaluate"


@breaks("rules of releases")
def some_tags_are_left_out(cloud: Cloud) -> None:
    names = {"include": ["refs/tags/v*"], "exclude": ["refs/tags/v1*"]}
    ruleset(cloud, "releases")["conditions"] = {"ref_name": names}


@breaks("rules of releases")
def the_rules_are_about_other_tags(cloud: Cloud) -> None:
    names = {"include": ["refs/tags/release-*"], "exclude": []}
    ruleset(cloud, "releases")["conditions"] = {"ref_name": names}


@breaks("pages")
def pages_are_built_from_a_branch(cloud: Cloud) -> None:
    cloud.github["pages"] = "legacy"


@breaks("pages")
def pages_are_off(cloud: Cloud) -> None:
    cloud.github["pages"] = None


@breaks("secrets of the cluster")
def a_certificate_is_deleted(cloud: Cloud) -> None:
    del cloud.github["environments"]["release"]["secrets"]["DASK_CA"]


@breaks("variable GCP_WORKLOAD_IDENTITY_PROVIDER")
def the_variable_names_another_provider(cloud: Cloud) -> None:
    variables = cloud.github["variables"]
    variables["GCP_WORKLOAD_IDENTITY_PROVIDER"] += "-other"


@breaks("variable GCP_RELEASE_ACCOUNT")
def the_release_uses_the_account_of_another_project(cloud: Cloud) -> None:
    other = "dataset-release@other-data.iam.gserviceaccount.com"
    cloud.github["variables"]["GCP_RELEASE_ACCOUNT"] = other


@breaks("variable GCP_PULL_REQUEST_ACCOUNT")
def a_variable_is_deleted(cloud: Cloud) -> None:
    del cloud.github["variables"]["GCP_PULL_REQUEST_ACCOUNT"]


@breaks("first pull request")
def main_names_nobody_as_owner(cloud: Cloud) -> None:
    cloud.github["branches"]["main"][".github/CODEOWNERS"] = "* @OWNER/dataset-engineers\n"


@breaks("first pull request")
def main_has_the_remote_of_the_template(cloud: Cloud) -> None:
    config = cloud.github["branches"]["main"]
    config[".dvc/config"] = TEMPLATE_FILES[".dvc/config"]


# Google


@breaks("services")
def a_service_is_off(cloud: Cloud) -> None:
    cloud.google["services"].remove("sts.googleapis.com")


@breaks("bucket")
def the_bucket_keeps_no_versions(cloud: Cloud) -> None:
    bucket(cloud)["versioning"] = False


@breaks("bucket")
def deleted_objects_are_kept_for_a_week(cloud: Cloud) -> None:
    bucket(cloud)["days"] = 7


@breaks("bucket")
def objects_have_permissions_of_their_own(cloud: Cloud) -> None:
    bucket(cloud)["uniform"] = False


@breaks("public access")
def the_bucket_could_be_made_public(cloud: Cloud) -> None:
    bucket(cloud)["private"] = False


@breaks("role datasetWriter")
def the_writer_can_delete(cloud: Cloud) -> None:
    permissions = cloud.google["roles"]["datasetWriter"]["includedPermissions"]
    permissions.append("storage.objects.delete")


@breaks("role datasetCollector")
def the_collector_cannot_list(cloud: Cloud) -> None:
    permissions = cloud.google["roles"]["datasetCollector"]["includedPermissions"]
    permissions.remove("storage.objects.list")


@breaks("role datasetWriter")
def the_role_is_deleted(cloud: Cloud) -> None:
    cloud.google["roles"]["datasetWriter"]["deleted"] = True


@breaks("account dataset-release")
def an_account_is_disabled(cloud: Cloud) -> None:
    cloud.google["accounts"][RELEASE]["disabled"] = True


@breaks("access of dataset-pull-request")
def pull_requests_can_delete(cloud: Cloud) -> None:
    grant(of_bucket(cloud), f"serviceAccount:{PULL_REQUEST}", "roles/storage.objectAdmin")


@breaks("access of dataset-pull-request")
def pull_requests_can_do_it_in_the_whole_project(cloud: Cloud) -> None:
    grant(cloud.google["policy"], f"serviceAccount:{PULL_REQUEST}", "roles/storage.admin")


@breaks("access of dataset-release")
def the_release_cannot_write(cloud: Cloud) -> None:
    for one in of_bucket(cloud):
        members = one["members"]
        assert isinstance(members, list)
        one["members"] = [x for x in members if x != f"serviceAccount:{RELEASE}"]


@breaks("others who can write")
def somebody_else_can_write(cloud: Cloud) -> None:
    grant(of_bucket(cloud), "user:eve@acme.example", "roles/storage.objectUser")


@breaks("others who can write")
def everybody_can_write(cloud: Cloud) -> None:
    grant(of_bucket(cloud), "allAuthenticatedUsers", WRITER)


@breaks("identity pool")
def the_pool_is_disabled(cloud: Cloud) -> None:
    cloud.google["pools"]["github"]["disabled"] = True


@breaks("identity pool")
def the_pool_is_deleted(cloud: Cloud) -> None:
    cloud.google["pools"]["github"]["state"] = "DELETED"


@breaks("identity provider")
def every_repository_can_log_in(cloud: Cloud) -> None:
    del cloud.google["providers"]["github"]["attributeCondition"]


@breaks("identity provider")
def the_condition_is_about_a_name(cloud: Cloud) -> None:
    condition = "assertion.repository == 'octo/ds'"
    cloud.google["providers"]["github"]["attributeCondition"] = condition


@breaks("identity provider")
def the_attributes_differ(cloud: Cloud) -> None:
    mapping = cloud.google["providers"]["github"]["attributeMapping"]
    mapping["attribute.event"] = "assertion.repository + ':' + assertion.event_name"


@breaks("identity provider")
def the_provider_trusts_another_issuer(cloud: Cloud) -> None:
    cloud.google["providers"]["github"]["oidc"]["issuerUri"] = "https://tokens.example"


@breaks("identity provider")
def the_provider_is_deleted(cloud: Cloud) -> None:
    cloud.google["providers"]["github"]["state"] = "DELETED"


@breaks("identity provider")
def the_provider_is_disabled(cloud: Cloud) -> None:
    cloud.google["providers"]["github"]["disabled"] = True


@breaks("other identity providers")
def another_provider_is_in_the_pool(cloud: Cloud) -> None:
    name = "projects/1/locations/global/workloadIdentityPools/github/providers/other"
    cloud.google["providers"]["other"] = {"name": name, "state": "ACTIVE"}


@breaks("users of dataset-release")
def every_pull_request_can_use_the_release(cloud: Cloud) -> None:
    pool = "projects/987654321/locations/global/workloadIdentityPools/github"
    member = f"principalSet://iam.googleapis.com/{pool}/attribute.event/4242:pull_request"
    role = "roles/iam.workloadIdentityUser"
    cloud.google["accounts"][RELEASE]["policy"].append({"role": role, "members": [member]})


@breaks("users of dataset-release")
def somebody_can_make_tokens_of_the_release(cloud: Cloud) -> None:
    policy = cloud.google["accounts"][RELEASE]["policy"]
    grant(policy, "user:eve@acme.example", "roles/iam.serviceAccountTokenCreator")


@breaks("users of dataset-pull-request")
def issues_cannot_use_their_account(cloud: Cloud) -> None:
    (binding,) = cloud.google["accounts"][PULL_REQUEST]["policy"]
    binding["members"] = [one for one in binding["members"] if not one.endswith(":issues")]


def lines(result: Result) -> dict[str, str]:
    """Return what the doctor says of each step that is missing or wrong."""
    found = re.findall(r"^(?:missing|wrong) +([^:\n]+)(?:: (.*))?$", result.out, re.MULTILINE)
    return dict(found)


def answer(cloud: Cloud, command: str) -> str:
    return cloud(shlex.split(command)).out.strip()


def mend(cloud: Cloud, result: Result, run: Run) -> None:
    """Run the commands that the doctor prints."""
    for printed in re.findall(r"^    (.*)$", result.out, re.MULTILINE):
        line = re.sub(r'"\$\((.*?)\)"', lambda found: answer(cloud, found[1]), printed)
        stdin, _, command = line.rpartition(" | ") if line.startswith("printf ") else ("", "", line)
        words = shlex.split(command)
        if command == SETUP:
            # It asks for a bucket that the repository does not name any more.
            assert run("setup", *OPTIONS).code == 0
            continue
        if "<" in words:
            words, stdin = words[: words.index("<")], "certificate"
        elif stdin:
            stdin = shlex.split(stdin)[2]
        ran = cloud(words, stdin)
        assert ran.code == 0, ran


def test_after_the_setup_everything_is_right(whole: Cloud, run: Run) -> None:
    result = run("doctor")
    assert (result.code, result.err, lines(result)) == (0, "", {})
    made = [step for step in (*steps.STEPS, *steps.LOCAL) if step.store in {None, Store.GOOGLE}]
    assert result.out.count("\n") == len(made)
    assert "unknown" not in result.out
    assert whole.log == []


def test_before_the_setup_everything_is_named(use: Use, run: Run) -> None:
    use(Cloud())
    result = run("doctor")
    assert result.code == 1
    assert {"environment release", "deploy key", "rules of main", "first pull request"} <= {
        *lines(result)
    }
    assert "unknown  bucket: the repository does not say which project it uses" in result.out


@pytest.mark.parametrize("name", BREAKS)
def test_the_doctor_names_what_somebody_broke_and_its_commands_mend_it(
    whole: Cloud, run: Run, name: str
) -> None:
    step, change = BREAKS[name]
    change(whole)
    result = run("doctor")
    assert (result.code, whole.log) == (1, [])
    assert [*lines(result)] == [step]

    mend(whole, result, run)

    if whole.github["pulls"]:
        whole.merge()
    again = run("doctor")
    assert (again.code, lines(again)) == (0, {})


def test_enough_is_broken() -> None:
    assert len(BREAKS) >= 50
    made = {step.name for step in steps.STEPS}
    assert {step for step, _ in BREAKS.values()} <= made


def test_a_public_bucket_and_people_who_ingest_are_right(whole: Cloud, run: Run) -> None:
    bucket(whole)["private"] = False
    grant(of_bucket(whole), "allUsers", "roles/storage.objectViewer")
    grant(of_bucket(whole), "group:data@acme.example", WRITER)
    result = run("doctor")
    assert result.code == 0
    assert "right    public access: everybody can read the bucket\n" in result.out


def test_what_a_team_added_to_its_rules_is_kept(whole: Cloud, run: Run) -> None:
    rules = ruleset(whole, "main")["rules"]
    assert isinstance(rules, list)
    rules.append({"type": "required_signatures"})
    checks = parameters(whole, "required_status_checks")["required_status_checks"]
    assert isinstance(checks, list)
    checks.append({"context": "Legal"})
    parameters(whole, "pull_request")["required_approving_review_count"] = 2
    assert run("doctor").code == 0
    parameters(whole, "pull_request")["allowed_merge_methods"] = ["rebase"]
    mend(whole, run("doctor"), run)
    rules = ruleset(whole, "main")["rules"]
    assert isinstance(rules, list)
    assert {"type": "required_signatures"} in rules
    checks = parameters(whole, "required_status_checks")["required_status_checks"]
    assert isinstance(checks, list)
    assert {"context": "Legal"} in checks
    assert parameters(whole, "pull_request")["required_approving_review_count"] == 2


def test_a_team_with_keys_in_place_of_federation_is_not_asked_for_it(
    whole: Cloud, run: Run
) -> None:
    for name in [*whole.github["variables"]]:
        if name.startswith("GCP_"):
            del whole.github["variables"][name]
    whole.github["secrets"]["GCP_PULL_REQUEST_KEY"] = "x"
    result = run("doctor")
    assert (result.code, lines(result)) == (0, {})
    assert "identity" not in result.out
    assert "unknown  role datasetWriter: the repository does not say which project" in result.out
    run("setup", *OPTIONS)
    assert not [name for name in whole.github["variables"] if name.startswith("GCP_")]


@pytest.mark.parametrize("rights", ["reader", "token"])
def test_what_cannot_be_seen_is_unknown_and_not_wrong(whole: Cloud, run: Run, rights: str) -> None:
    whole.github["rights"] = rights
    whole.google["forbidden"] += ["projects", "iam", "storage buckets get-iam-policy", "services"]
    result = run("doctor")
    assert (result.code, lines(result)) == (0, {})
    for name in ("deploy key", "immutable releases", "account dataset-release", "public access"):
        assert re.search(f"^unknown  {name}: ", result.out, re.MULTILINE), name
    assert "unknown  rules of main: they are right, but only owners see who" in result.out
    assert "right    environment release\n" in result.out
    assert ("right    bucket\n" in result.out) is (rights == "reader")


def test_a_reader_still_sees_what_is_wrong(whole: Cloud, run: Run) -> None:
    whole.github["rights"] = "reader"
    the_rules_of_main_are_deleted(whole)
    assert [*lines(run("doctor"))] == ["rules of main"]


@pytest.mark.parametrize("program", ["github", "google"])
def test_without_a_login_the_doctor_says_so(whole: Cloud, run: Run, program: str) -> None:
    whole.state[program]["login"] = False
    result = run("doctor")
    assert result.code == 1
    if program == "github":
        assert "gh auth login" in result.err
    else:
        assert "missing  gcloud: ERROR: You do not currently have an active" in result.out
        assert "\n    gcloud auth login\n" in result.out


def test_an_unreachable_remote_is_named_with_the_command_that_mends_it(
    whole: Cloud, run: Run, untouched: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setattr(google_bucket, "FIRST_WAIT", 0.0)
    config = untouched.root / ".dvc" / "config"
    config.write_text("[core]\n    remote = s\n['remote \"s\"']\n    url = gs://acme-dataset/x\n")
    result = run("doctor")
    assert result.code == 1
    assert [*lines(result)] == ["remote"]
    assert "\n    gcloud auth application-default login\n" in result.out


def test_a_machine_needs_a_new_python() -> None:
    assert local.python((3, 11)).state == State.RIGHT
    assert local.python((3, 9)).detail == "it is 3.9; 3.11 is needed"


def test_the_programs_are_called_as_they_are_installed(
    whole: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-ins as programs on the PATH, which get the words and the input of the commands."""
    monkeypatch.undo()
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    file = cloud_.install(tmp_path, whole.state)
    _, judged = doctor.check("octo/ds")
    assert not text.broken(judged)
    assert file.read_text()
