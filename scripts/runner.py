"""The machine of a run: a person's, or GitHub's runner."""

from collections.abc import Mapping
from dataclasses import dataclass

from scripts.errors import UserError

# Set in the workflows of pull requests: their runner would take too long to make the files of more
# images. The release makes a version of any size, perhaps on a cluster.
PLAN_ONLY_ABOVE = "PLAN_ONLY_ABOVE"
SCHEDULER = "DASK_SCHEDULER_ADDRESS"
# Events whose code nobody has merged yet.
UNTRUSTED = ("pull_request", "pull_request_target", "merge_group")


@dataclass(frozen=True)
class Runner:
    """What a run must know of its machine; verbs read it from the environment and pass it on.

    `is_temporary` is true on GitHub's runners, whose disk is deleted after the run. `event` is what
    started the workflow, `scheduler` the address of a Dask scheduler; both are empty where there is
    none. A version with more images than `plan_only_above` is planned, but not made.
    """

    is_temporary: bool = False
    event: str = ""
    scheduler: str = ""
    plan_only_above: int | None = None

    @property
    def is_trusted(self) -> bool:
        """Whether the code that runs was merged, or is a person's own."""
        return self.event not in UNTRUSTED

    def makes(self, images: int) -> bool:
        """Return whether the files of a version with so many images are made here."""
        return self.plan_only_above is None or images <= self.plan_only_above


LOCAL = Runner()


def of_environment(variables: Mapping[str, str]) -> Runner:
    """Return what environment variables say; raises `UserError` when one is invalid."""
    limit = variables.get(PLAN_ONLY_ABOVE, "")
    if limit and not limit.isdecimal():
        raise UserError(f"{PLAN_ONLY_ABOVE} is {limit!r}; it must be a number of images")
    return Runner(
        is_temporary=variables.get("GITHUB_ACTIONS") == "true",
        event=variables.get("GITHUB_EVENT_NAME", ""),
        scheduler=variables.get(SCHEDULER, ""),
        plan_only_above=int(limit) if limit else None,
    )
