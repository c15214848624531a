"""The setup and the doctor for stores other than Google's."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from scripts.setup import steps
from scripts.setup.step import Store
from tests.doubles.cloud import Cloud, State
from tests.doubles.cloud_aws import ACCOUNT, PROVIDER
from tests.doubles.cloud_azure import GROUP_SCOPE
from tests.repository import Run
from tests.setup.conftest import CERTIFICATES, EVERYTHING, OTHER_STORES, Use
from tests.setup.test_doctor import lines, mend
from tests.setup.test_setup import without_numbers

PROGRAMS = {Store.S3: "aws", Store.AZURE: "az"}
# In the state of the stand-ins.
KEYS = {Store.S3: "aws", Store.AZURE: "azure"}
NAMES = ("pull-request", "release", "ingest", "gc")
SUBJECT = "repo:octo@77/ds@4242"
Break = Callable[[State], object]
BREAKS: dict[str, tuple[Store, str, Break]] = {}
Begin = Callable[[Store], Cloud]


@pytest.fixture(scope="module")
def done() -> dict[Store, Cloud]:
    return {}


@pytest.fixture
def begin(use: Use, run: Run, done: dict[Store, Cloud]) -> Begin:
    """Return a cloud in which everything is set up, and the first pull request is open."""

    def begun(store: Store) -> Cloud:
        if store not in done:
            made = use(Cloud())
            assert run("setup", *OTHER_STORES[store], *EVERYTHING).code == 0
            made.github["environments"]["release"]["secrets"] |= dict.fromkeys(CERTIFICATES, "x")
            done[store] = made
        return use(done[store].copy())

    return begun


@pytest.fixture
def whole(begin: Begin) -> Begin:
    """Return a cloud in which the first pull request is merged, too."""

    def merged(store: Store) -> Cloud:
        made = begin(store)
        made.merge()
        made.log.clear()
        return made

    return merged


def breaks(store: Store, step: str) -> Callable[[Break], Break]:
    """Register what somebody can do to a `step`."""

    def register(change: Break) -> Break:
        BREAKS[f"{store}-{change.__name__}"] = (store, step, change)
        return change

    return register


# Any store.


@pytest.mark.parametrize("store", OTHER_STORES)
def test_steps_of_another_store_do_not_appear(begin: Begin, run: Run, store: Store) -> None:
    cloud = begin(store)
    programs = {line.partition(" ")[0] for line in cloud.log}
    assert programs == {"gh", PROGRAMS[store]}
    assert not [name for name in cloud.github["variables"] if name.startswith("GCP_")]
    cloud.merge()
    result = run("doctor")
    assert (result.code, lines(result)) == (0, {})
    assert "unknown" not in result.out
    due = [one for one in (*steps.STEPS, *steps.LOCAL) if one.store in {None, store}]
    assert result.out.count("\n") == len(due)


@pytest.mark.parametrize("store", OTHER_STORES)
def test_a_second_run_does_nothing_and_asks_for_nothing(
    begin: Begin, run: Run, store: Store
) -> None:
    cloud = begin(store)
    cloud.log.clear()
    result = run("setup", "--yes")
    assert (result.code, cloud.log) == (0, [])
    assert "https://github.com/octo/ds/pull/1" in result.out


def settled(cloud: Cloud, store: Store) -> State:
    """Return what is set up in a store."""
    found: State = cloud.state[KEYS[store]]
    return found


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("store", OTHER_STORES)
def test_a_run_after_a_failure_at_any_command_continues(
    use: Use, run: Run, store: Store, late: bool
) -> None:
    whole = use(Cloud())
    extras = () if late else ("--with", "ingest,gc")
    assert run("setup", *OTHER_STORES[store], *extras).code == 0
    numbers = [n for n, line in enumerate(whole.log, 1) if line.startswith(f"{PROGRAMS[store]} ")]
    assert numbers
    for number in numbers:
        broken = use(Cloud())
        broken.state |= {"fail_at": number, "fail_late": late}
        failed = run("setup", *OTHER_STORES[store], *extras)
        assert failed.code == 1
        assert "connection reset by peer" in failed.err
        broken.state["fail_at"] = None
        assert run("setup", *OTHER_STORES[store], *extras).code == 0, broken.log
        assert without_numbers(broken) == without_numbers(whole), broken.log
        assert settled(broken, store) == settled(whole, store)


# Amazon S3


def bucket(aws: State) -> State:
    found: State = aws["buckets"]["acme-dataset"]
    return found


def role(aws: State, name: str) -> State:
    found: State = aws["roles"][f"dataset-4242-{name}"]
    return found


def trust(aws: State, name: str) -> dict[str, Any]:
    (statement,) = role(aws, name)["trust"]["Statement"]
    conditions: dict[str, Any] = statement["Condition"]
    return conditions


def statement(aws: State, name: str, action: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (
        x for x in role(aws, name)["inline"]["dataset"]["Statement"] if x["Action"] == action
    )
    return found


def allowed(*actions: str, principal: object = None) -> dict[str, Any]:
    one: dict[str, Any] = {"Effect": "Allow", "Action": [*actions], "Resource": "*"}
    one |= {"Principal": principal} if principal else {}
    return {"Version": "2012-10-17", "Statement": [one]}


SUB = "token.actions.githubusercontent.com:sub"


@breaks(Store.S3, "bucket")
def the_bucket_keeps_no_versions(aws: State) -> None:
    bucket(aws)["versioning"] = "Suspended"


@breaks(Store.S3, "bucket")
def objects_have_owners_of_their_own(aws: State) -> None:
    bucket(aws)["ownership"] = "ObjectWriter"


@breaks(Store.S3, "public access")
def the_bucket_could_be_made_public(aws: State) -> None:
    bucket(aws)["block"]["BlockPublicPolicy"] = False


@breaks(Store.S3, "public access")
def public_access_is_not_blocked(aws: State) -> None:
    bucket(aws)["block"] = None


@breaks(Store.S3, "others who can write")
def another_account_can_delete(aws: State) -> None:
    other = {"AWS": "arn:aws:iam::210987654321:root"}
    bucket(aws)["policy"] = allowed("s3:DeleteObject", principal=other)


@breaks(Store.S3, "others who can write")
def everybody_can_overwrite(aws: State) -> None:
    policy = allowed("s3:GetObject", principal="*")
    policy["Statement"] += allowed("s3:PutObject", principal="*")["Statement"]
    bucket(aws)["policy"] = policy


@breaks(Store.S3, "identity provider")
def the_provider_accepts_other_tokens(aws: State) -> None:
    aws["providers"][PROVIDER]["ClientIDList"] = ["https://github.com/octo"]


@breaks(Store.S3, "role pull-request")
def every_repository_can_use_a_role(aws: State) -> None:
    del trust(aws, "pull-request")["StringEquals"][SUB]


@breaks(Store.S3, "role release")
def every_repository_of_the_owner_can_use_a_role(aws: State) -> None:
    conditions = trust(aws, "release")
    del conditions["StringEquals"][SUB]
    conditions["StringLike"] = {SUB: "repo:octo@77/*"}


@breaks(Store.S3, "role release")
def pull_requests_can_use_the_role_of_the_release(aws: State) -> None:
    trust(aws, "release")["StringEquals"][SUB] = [
        f"{SUBJECT}:environment:release",
        f"{SUBJECT}:pull_request",
    ]


@breaks(Store.S3, "role release")
def somebody_else_can_use_a_role(aws: State) -> None:
    other = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "210987654321"}}
    role(aws, "release")["trust"]["Statement"].append(other)


@breaks(Store.S3, "role gc")
def a_login_is_too_short(aws: State) -> None:
    role(aws, "gc")["seconds"] = 3600


@breaks(Store.S3, "access of pull-request")
def pull_requests_can_delete(aws: State) -> None:
    statement(aws, "pull-request", "s3:GetObject")["Action"] = ["s3:GetObject", "s3:DeleteObject"]


@breaks(Store.S3, "access of pull-request")
def pull_requests_can_overwrite(aws: State) -> None:
    del statement(aws, "pull-request", "s3:PutObject")["Condition"]


@breaks(Store.S3, "access of pull-request")
def pull_requests_can_do_everything(aws: State) -> None:
    role(aws, "pull-request")["attached"].append("arn:aws:iam::aws:policy/AmazonS3FullAccess")


@breaks(Store.S3, "access of release")
def another_policy_can_overwrite(aws: State) -> None:
    role(aws, "release")["inline"]["more"] = allowed("s3:*")


@breaks(Store.S3, "access of gc")
def the_collector_cannot_delete(aws: State) -> None:
    statement(aws, "gc", "s3:DeleteObject")["Action"] = "s3:GetObjectVersion"


@breaks(Store.S3, "access of ingest")
def a_policy_is_deleted(aws: State) -> None:
    role(aws, "ingest")["inline"].clear()


def test_who_can_use_a_role_and_what_it_may_do(begin: Begin) -> None:
    aws = begin(Store.S3).aws
    subjects = {name: trust(aws, name)["StringEquals"][SUB] for name in NAMES}
    assert subjects == {
        "pull-request": [f"{SUBJECT}:pull_request", f"{SUBJECT}:ref:refs/heads/main"],
        **{name: [f"{SUBJECT}:environment:{name}"] for name in ("release", "ingest", "gc")},
    }
    for name in NAMES:
        statements = role(aws, name)["inline"]["dataset"]["Statement"]
        # Only one can delete, and nobody can overwrite.
        assert [*role(aws, name)["inline"]] == ["dataset"]
        assert ("s3:DeleteObject" in repr(statements)) is (name == "gc")
        for one in statements:
            condition = {"Null": {"s3:if-none-match": "false"}}
            assert one.get("Condition") == (condition if "Put" in one["Action"] else None)


def test_images_and_keys_of_a_role_and_people_who_ingest_are_right(whole: Begin, run: Run) -> None:
    aws = whole(Store.S3).aws
    images = allowed("s3:ListBucket", "s3:GetObject", "kms:GenerateDataKey")
    role(aws, "ingest")["inline"]["images"] = images
    policy = allowed("s3:PutObject", principal={"AWS": "arn:aws:iam::210987654321:user/eve"})
    policy["Statement"][0]["Condition"] = {"Null": {"s3:if-none-match": "false"}}
    policy["Statement"] += allowed("s3:GetObject", principal="*")["Statement"]
    bucket(aws)["policy"] = policy
    bucket(aws)["block"] = None
    result = run("doctor")
    assert (result.code, lines(result)) == (0, {})
    assert "right    public access: everybody can read the bucket\n" in result.out


def test_the_login_of_another_account_sees_nothing_and_changes_nothing(
    whole: Begin, run: Run
) -> None:
    cloud = whole(Store.S3)
    cloud.aws["account"] = "210987654321"
    reason = f"the login is of account 210987654321, not of {ACCOUNT}"
    result = run("doctor")
    assert (result.code, lines(result)) == (0, {})
    assert f"unknown  role release: {reason}\n" in result.out
    result = run("setup", "--yes")
    assert (result.code, cloud.log) == (1, [])
    assert f"cannot set up s3://acme-dataset: {reason}" in result.err


def test_what_a_reader_cannot_see_is_unknown(whole: Begin, run: Run) -> None:
    cloud = whole(Store.S3)
    cloud.aws["forbidden"] += ["iam", "s3api"]
    result = run("doctor")
    assert (result.code, lines(result)) == (0, {})
    assert "unknown  access of gc: An error occurred (AccessDenied)" in result.out
    assert "right    variable AWS_REGION\n" in result.out


def test_without_a_login_at_aws_there_is_one_message(whole: Begin, run: Run) -> None:
    cloud = whole(Store.S3)
    cloud.aws["login"] = False
    result = run("doctor")
    assert [*lines(result)] == ["aws"]
    assert "\n    aws configure\n" in result.out
    result = run("setup", "--yes")
    assert (result.code, result.out) == (1, "")
    assert "Unable to locate credentials" in result.err


def test_a_bucket_keeps_its_region(whole: Begin, run: Run) -> None:
    cloud = whole(Store.S3)
    bucket(cloud.aws)["region"] = "us-east-1"
    result = run("doctor")
    assert [*lines(result)] == ["variable AWS_REGION"]
    mend(cloud, result, run)
    assert run("setup", "--yes", "--location", "eu-west-1").code == 0
    assert cloud.github["variables"]["AWS_REGION"] == "us-east-1"


# Azure


ACCOUNT_SCOPE = f"{GROUP_SCOPE}/providers/Microsoft.Storage/storageAccounts/acmedata"
SCOPE = f"{ACCOUNT_SCOPE}/blobServices/default/containers/acme-dataset"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"


def identity(azure: State, name: str) -> State:
    found: State = azure["identities"][f"dataset-4242-{name}"]
    return found


def assign(azure: State, principal: str, role: str, scope: str = SCOPE, kind: str = "User") -> None:
    azure["assignments"].append(
        {
            "id": f"/assignments/{role}",
            "principalId": principal,
            "principalName": "eve@acme.example",
            "principalType": kind,
            "roleDefinitionName": role,
            "scope": scope,
        }
    )


@breaks(Store.AZURE, "storage account")
def keys_of_the_account_can_be_used(azure: State) -> None:
    azure["accounts"]["acmedata"]["keys"] = True


@breaks(Store.AZURE, "older versions")
def the_account_keeps_no_versions(azure: State) -> None:
    azure["accounts"]["acmedata"]["versioning"] = False


@breaks(Store.AZURE, "older versions")
def deleted_objects_are_gone(azure: State) -> None:
    azure["accounts"]["acmedata"]["days"] = 0


@breaks(Store.AZURE, "public access")
def the_container_could_be_made_public(azure: State) -> None:
    azure["accounts"]["acmedata"]["public"] = True


@breaks(Store.AZURE, "container")
def the_container_is_deleted(azure: State) -> None:
    azure["accounts"]["acmedata"]["containers"].clear()


@breaks(Store.AZURE, "role Dataset writer")
def the_writer_can_overwrite(azure: State) -> None:
    azure["roles"]["Dataset writer 4242"].append(f"{BLOBS}/write")


@breaks(Store.AZURE, "role Dataset writer")
def the_writer_can_delete(azure: State) -> None:
    azure["roles"]["Dataset writer 4242"].append(f"{BLOBS}/delete")


@breaks(Store.AZURE, "role Dataset collector")
def the_collector_cannot_read(azure: State) -> None:
    azure["roles"]["Dataset collector 4242"].remove(f"{BLOBS}/read")


@breaks(Store.AZURE, "users of release")
def pull_requests_can_use_the_identity_of_the_release(azure: State) -> None:
    theirs = identity(azure, "pull-request")["credentials"]["pull_request"]
    identity(azure, "release")["credentials"]["pull_request"] = dict(theirs)


@breaks(Store.AZURE, "users of pull-request")
def another_repository_can_use_an_identity(azure: State) -> None:
    one = identity(azure, "pull-request")["credentials"]["pull_request"]
    one["subject"] = "repo:eve/ds:pull_request"


@breaks(Store.AZURE, "users of gc")
def every_repository_can_use_an_identity(azure: State) -> None:
    one = identity(azure, "gc")["credentials"]["environment-gc"]
    expression = "claims['sub'] matches 'repo:*'"
    one |= {"subject": None, "claimsMatchingExpression": {"value": expression}}


@breaks(Store.AZURE, "users of ingest")
def tokens_of_another_issuer_are_trusted(azure: State) -> None:
    identity(azure, "ingest")["credentials"]["environment-ingest"]["issuer"] = (
        "https://tokens.example"
    )


@breaks(Store.AZURE, "users of pull-request")
def workflows_on_main_cannot_log_in(azure: State) -> None:
    del identity(azure, "pull-request")["credentials"]["ref-refs-heads-main"]


@breaks(Store.AZURE, "access of pull-request")
def pull_requests_can_delete_in_the_account(azure: State) -> None:
    principal = identity(azure, "pull-request")["principalId"]
    assign(azure, principal, "Storage Blob Data Contributor", ACCOUNT_SCOPE, "ServicePrincipal")


@breaks(Store.AZURE, "access of release")
def the_release_cannot_write(azure: State) -> None:
    principal = identity(azure, "release")["principalId"]
    azure["assignments"] = [x for x in azure["assignments"] if x["principalId"] != principal]


@breaks(Store.AZURE, "others who can write")
def somebody_else_can_write(azure: State) -> None:
    assign(azure, "eve", "Storage Blob Data Owner", GROUP_SCOPE)


@breaks(Store.AZURE, "others who can write")
def somebody_else_can_collect(azure: State) -> None:
    assign(azure, "eve", "Dataset collector 4242")


@breaks(Store.AZURE, "others who can write")
def another_program_can_write(azure: State) -> None:
    assign(azure, "app", "Dataset writer 4242", kind="ServicePrincipal")


def test_an_identity_that_is_made_again_gets_its_access_and_variable(
    whole: Begin, run: Run
) -> None:
    cloud = whole(Store.AZURE)
    gone = cloud.azure["identities"].pop("dataset-4242-release")
    cloud.azure["assignments"] = [
        one for one in cloud.azure["assignments"] if one["principalId"] != gone["principalId"]
    ]
    assert {"identity release", "users of release", "access of release"} < {*lines(run("doctor"))}
    assert run("setup", "--yes").code == 0
    made = identity(cloud.azure, "release")["clientId"]
    assert cloud.github["variables"]["AZURE_RELEASE_CLIENT"] == made != gone["clientId"]
    assert run("doctor").code == 0


def test_people_who_ingest_and_readers_of_a_public_container_are_right(
    whole: Begin, run: Run
) -> None:
    azure = whole(Store.AZURE).azure
    assign(azure, "ada", "Dataset writer 4242")
    assign(azure, "consumer", "Storage Blob Data Reader")
    assign(azure, "boss", "Owner", GROUP_SCOPE)
    azure["accounts"]["acmedata"]["public"] = True
    azure["accounts"]["acmedata"]["containers"]["acme-dataset"] = "Container"
    result = run("doctor")
    assert (result.code, lines(result)) == (0, {})
    assert "right    public access: everybody can read the container\n" in result.out


def test_a_new_role_takes_some_minutes(use: Use, run: Run) -> None:
    cloud = use(Cloud())
    cloud.state["fresh"] = 3
    result = run("setup", *OTHER_STORES[Store.AZURE])
    assert result.code == 0
    assert "what was just made is not known everywhere yet; waiting" in result.err


def test_a_subscription_that_the_login_does_not_see_is_unknown(whole: Begin, run: Run) -> None:
    cloud = whole(Store.AZURE)
    cloud.github["variables"]["AZURE_SUBSCRIPTION_ID"] = "other"
    reason = "the login does not see the subscription other"
    result = run("doctor")
    assert (result.code, lines(result)) == (0, {})
    assert f"unknown  role Dataset writer: {reason}\n" in result.out
    assert reason in run("setup", "--yes").err
    assert cloud.log == []


def test_without_a_login_at_azure_there_is_one_message(whole: Begin, run: Run) -> None:
    whole(Store.AZURE).azure["login"] = False
    result = run("doctor")
    assert [*lines(result)] == ["az"]
    assert "\n    az login\n" in result.out
    assert "Please run 'az login'" in run("setup", "--yes").err


def test_a_container_needs_an_account(use: Use, run: Run) -> None:
    use(Cloud())
    result = run("setup", *OTHER_STORES[Store.AZURE][:3])
    assert result.code == 1
    assert "--account is missing: the name of a storage account at Azure" in result.err


@pytest.mark.parametrize("name", BREAKS)
def test_the_doctor_names_what_somebody_broke_and_its_commands_mend_it(
    whole: Begin, run: Run, name: str
) -> None:
    store, step, change = BREAKS[name]
    cloud = whole(store)
    before = json.dumps(cloud.state[KEYS[store]])
    change(cloud.state[KEYS[store]])
    assert json.dumps(cloud.state[KEYS[store]]) != before
    result = run("doctor")
    assert (result.code, cloud.log) == (1, [])
    assert [*lines(result)] == [step]
    mend(cloud, result, run)
    assert run("doctor").code == 0
