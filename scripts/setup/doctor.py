"""Checks what was set up, and changes nothing."""

from collections.abc import Mapping

from scripts.errors import UserError
from scripts.setup import shell, steps
from scripts.setup.hub import about, variables_of
from scripts.setup.known import known
from scripts.setup.looks import Looks, UnseenError
from scripts.setup.step import Json, Judged, Store, Wanted


def repository_here() -> str:
    """Return the repository at GitHub that this is a clone of; raises `UserError` without one."""
    ran = shell.run(("gh", "repo", "view", "--json", "nameWithOwner", "--jq", ".nameWithOwner"))
    if ran.code:
        raise UserError(f"cannot tell which repository at GitHub this is: {ran.reason}")
    return ran.out.strip()


def opened(repository: str, variables: Mapping[str, str] | None = None) -> tuple[Looks, Json]:
    """Return looks at a repository, and what GitHub says about it.

    `variables` are those of the repository, where they are known. Raises `UserError` if the
    repository cannot be seen.
    """
    wanted = Wanted(repository)
    listed = [{"name": name, "value": value} for name, value in (variables or {}).items()]
    looks = Looks(known={variables_of(wanted): listed} if variables is not None else {})
    try:
        found = looks.answer(about(wanted))
    except UnseenError as error:
        raise UserError(f"cannot see the repository {repository}: {error}") from None
    if found is None:
        raise UserError(
            f"there is no repository {repository} at GitHub, or you may not see it. Name another"
            " one with --repository, or log in: gh auth login"
        )
    looks.is_admin = bool(found.get("permissions", {}).get("admin"))
    return looks, found


def check(
    repository: str, variables: Mapping[str, str] | None = None
) -> tuple[Wanted, list[Judged]]:
    """Return what a repository says that it wants, and what each step at GitHub and the store is.

    `variables` are those of the repository, where they are known. Raises `UserError` if the
    repository cannot be seen.
    """
    looks, about_it = opened(repository, variables)
    wanted = known(about_it, looks)
    return wanted, list(steps.judged(wanted, looks))


def check_machine(store: Store) -> list[Judged]:
    """Return what each step on this machine is found to be, for a store."""
    return list(steps.judged(Wanted("", store=store), Looks(), steps.LOCAL))
