"""What the machine of a person needs: programs, logins, and access to the remote."""

import sys
from collections.abc import Callable
from pathlib import Path

from scripts.errors import UserError
from scripts.git import git
from scripts.inputs.tree import WorkTree
from scripts.setup import aws, azure, shell
from scripts.setup.step import Command, State, Step, Store, Verdict, Wanted, missing, right, wrong
from scripts.storage import settings
from scripts.storage.remote_kinds import open_remote

OLDEST = (3, 11)
GH_LOGIN = Command(("gh", "auth", "login"))
GCLOUD_LOGIN = Command(("gcloud", "auth", "login"))
AWS_LOGIN = Command(("aws", "configure"))
AZURE_LOGIN = Command(("az", "login"))
# With which DVC reads the remote.
CREDENTIALS = {
    Store.GOOGLE: Command(("gcloud", "auth", "application-default", "login")),
    Store.S3: AWS_LOGIN,
    Store.AZURE: AZURE_LOGIN,
}
# No object has this name: whether it is there can be answered by every remote that can be reached.
NOBODY = "0" * 32


def python(version: tuple[int, int]) -> Verdict:
    """Return whether a version of Python is new enough."""
    oldest = ".".join(map(str, OLDEST))
    shown = ".".join(map(str, version))
    return wrong([f"it is {shown}; {oldest} is needed"] if version < OLDEST else [])


def _judge_git(_: Wanted) -> Verdict:
    ran = shell.run(("git", "--version"))
    return missing(ran.reason) if ran.code else right()


def _judge_gh(_: Wanted) -> Verdict:
    ran = shell.run(("gh", "auth", "status"))
    return missing(ran.reason, GH_LOGIN) if ran.code else right()


def _judge_gcloud(_: Wanted) -> Verdict:
    active = ("--filter=status:ACTIVE", "--format=value(account)")
    ran = shell.run(("gcloud", "auth", "list", *active))
    if ran.code:
        return missing(ran.reason, GCLOUD_LOGIN)
    return right() if ran.out.strip() else missing("nobody is logged in", GCLOUD_LOGIN)


def _judge_aws(_: Wanted) -> Verdict:
    ran = shell.run(aws.LOGIN.words)
    return missing(ran.reason, AWS_LOGIN) if ran.code else right()


def _judge_az(_: Wanted) -> Verdict:
    ran = shell.run(azure.LOGIN.words)
    return missing(ran.reason, AZURE_LOGIN) if ran.code else right()


def _judge_remote(wanted: Wanted) -> Verdict:
    root = git.find(Path.cwd()).root
    committed = WorkTree(root).read(settings.CONFIG_PATH)
    if settings.is_template(root, committed):
        return missing("it is still the folder of the template; merge the first pull request")
    try:
        open_remote(root, committed).missing([NOBODY])
    except UserError as error:
        return Verdict(State.WRONG, str(error), (CREDENTIALS[wanted.store],))
    return right()


def _step(
    name: str, why: str, judge: Callable[[Wanted], Verdict], store: Store | None = None
) -> Step:
    return Step(name, why, lambda _: (), judge, by_hand=True, store=store)


STEPS = (
    _step("Python", "All verbs need 3.11 or newer.", lambda _: python(sys.version_info[:2])),
    _step("git", "It has the history of the dataset.", _judge_git),
    _step("gh", "Setup and doctor use its login at GitHub.", _judge_gh),
    _step("gcloud", "Setup and doctor use its login at Google Cloud.", _judge_gcloud, Store.GOOGLE),
    _step("aws", "Setup and doctor use its login at Amazon Web Services.", _judge_aws, Store.S3),
    _step("az", "Setup and doctor use its login at Azure.", _judge_az, Store.AZURE),
    _step(
        "remote", "From this machine, DVC reads the remote with your credentials.", _judge_remote
    ),
)
