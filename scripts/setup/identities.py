"""The identities of the workflows in Amazon S3 and Azure, and how GitHub's tokens name a run."""

from dataclasses import dataclass

from scripts.setup.google_federation import ISSUER
from scripts.setup.hub import path, send
from scripts.setup.step import GC, INGEST, Json, Step, Verdict, Wanted, look_gh, wrong

HOST = ISSUER.removeprefix("https://")


@dataclass(frozen=True)
class Identity:
    """What some workflows log in as, for runs with certain ends of the token's subject."""

    name: str
    why: str
    runs: tuple[str, ...]
    needs: tuple[str, ...] = ()
    deletes: bool = False

    def full_name(self, wanted: Wanted) -> str:
        """Return a name that no other repository uses."""
        return f"dataset-{wanted.repository_id}-{self.name}"

    def subjects(self, wanted: Wanted) -> list[str]:
        """Return the subjects of the tokens of the runs that may use it."""
        return [f"{prefix(wanted)}:{run}" for run in self.runs]

    def variable(self, store: str, kind: str) -> str:
        """Return the name of the variable by which the workflows find it."""
        return f"{store}_{self.name.upper().replace('-', '_')}_{kind}"


IDENTITIES = (
    Identity(
        "pull-request",
        "Pull requests use it, and the workflows that publish candidates, propose and verify.",
        ("pull_request", "ref:refs/heads/main"),
    ),
    Identity("release", "The release uses it.", ("environment:release",)),
    Identity("ingest", "The workflow Ingest uses it.", ("environment:ingest",), (INGEST,)),
    Identity(
        "gc",
        "Garbage collection uses it, the only one that can delete.",
        ("environment:gc",),
        (GC,),
        deletes=True,
    ),
)
# Names could be taken by somebody else after a rename, so subjects have to have numbers, too.
WITH_NUMBERS = {"use_default": True, "use_immutable_subject": True}


def prefix(wanted: Wanted) -> str:
    """Return how the subjects of the tokens of all runs of the repository begin."""
    owner, _, name = wanted.repository.partition("/")
    return f"repo:{owner}@{wanted.owner_id}/{name}@{wanted.repository_id}"


def _subject(wanted: Wanted) -> str:
    return path(wanted, "actions", "oidc", "customization", "sub")


def _judge_subject(wanted: Wanted, found: Json) -> Verdict:
    has = {key: (found or {}).get(key) for key in WITH_NUMBERS}
    problems = [] if has == WITH_NUMBERS else ["it does not have the numbers of the repository"]
    return wrong(problems, send(_subject(wanted), "PUT", WITH_NUMBERS))


STEPS = (
    Step(
        "subject of tokens",
        "The store knows this repository by its number in it; a name can be taken by others.",
        lambda wanted: (look_gh("api", _subject(wanted), is_admins=True),),
        _judge_subject,
    ),
)
