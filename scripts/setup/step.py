"""A step of the setup: what it looks at, how it judges that, and which commands mend it."""

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = Any

# What a team can want beyond the basics.
INGEST, GC, CATALOGUE, CLUSTER = "ingest", "gc", "catalogue", "cluster"
EXTRAS = (INGEST, GC, CATALOGUE, CLUSTER)
# Not wanted by a team that stores keys because federation is not possible.
FEDERATION = "federation"
# What the roles in a store are for.
CREATES = "It can create and read objects, but neither overwrite nor delete them."
DELETES = "It can delete and read objects, but not create them."
SETUP = "python -m scripts setup"


class State(StrEnum):
    """What a step is found to be."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"


class Store(StrEnum):
    """Where the bucket is: the scheme of its address."""

    GOOGLE = "gs"
    S3 = "s3"
    AZURE = "azure"


class Half(StrEnum):
    """A half of a new key pair."""

    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True)
class Command:
    """A command line that changes something, with its standard input.

    With `half`, a half of a new key pair takes the place of `{}` in the input. The pair is made
    when the command runs, and is never written to a disk or shown. `file` is one that a person has
    to give as the input. With `given`, what this command prints takes the place of `{}` among the
    words.
    """

    words: tuple[str, ...]
    stdin: str = ""
    half: Half | None = None
    file: str = ""
    given: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the command as a line of a shell."""
        line = shlex.join(self.words)
        if self.given:
            line = line.replace("'{}'", f'"$({shlex.join(self.given)})"')
        if self.half:
            return f"{line}  # reads the {self.half} half of a new key"
        if self.file:
            return f"{line} < {self.file}"
        return f"printf %s {shlex.quote(self.stdin)} | {line}" if self.stdin else line


@dataclass(frozen=True)
class Look:
    """A command line that reads something, as JSON.

    `is_admins` means that GitHub also answers "not found" to those who may not see it. With `each`,
    it lists things, and the answer has what the same path tells about each of them by its number.
    """

    words: tuple[str, ...]
    is_admins: bool = False
    each: bool = False


@dataclass(frozen=True)
class Wanted:
    """What should be set up: the answers of a person, or what a repository says of itself.

    `repository_id`, `owner_id` and `project_number` are those of GitHub and Google, which nobody
    can take over. `project` is one of Google, `account` the number of one of AWS or the name of a
    storage account at Azure, which is in `group`. `is_alone` means that nobody else could approve a
    pull request. `unseen` is why nothing of the store can be seen.
    """

    repository: str
    repository_id: int = 0
    owner_id: int = 0
    store: Store = Store.GOOGLE
    bucket: str = ""
    location: str = ""
    project: str = ""
    project_number: str = ""
    account: str = ""
    group: str = ""
    subscription: str = ""
    tenant: str = ""
    extras: frozenset[str] = field(default_factory=frozenset)
    scheduler: str = ""
    is_alone: bool = False
    unseen: str = ""

    @property
    def name(self) -> str:
        """The name of the repository, without its owner."""
        return self.repository.partition("/")[2]

    @property
    def address(self) -> str:
        """The address of the bucket."""
        return f"{self.store}://{self.bucket}"


@dataclass(frozen=True)
class Verdict:
    """What a step is found to be: why, and the commands that mend it, in their order."""

    state: State
    detail: str = ""
    mend: tuple[Command, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether something has to be mended."""
        return self.state in {State.MISSING, State.WRONG}


@dataclass(frozen=True)
class Step:
    """One thing that the setup makes and the doctor checks.

    `judge` gets what is wanted and the answer to each of `looks`, None where there is nothing.
    `needs` are the extras without which the step does not apply; with `store`, it applies to this
    one only. What is `by_hand` is never done by the setup: it would take something away from
    others, or needs what only a person has.
    """

    name: str
    why: str
    looks: Callable[[Wanted], tuple[Look, ...]]
    judge: Callable[..., Verdict]
    needs: tuple[str, ...] = ()
    by_hand: bool = False
    store: Store | None = None

    def applies(self, wanted: Wanted) -> bool:
        """Return whether the step is one of the store, and all extras that it needs are wanted."""
        return self.store in {None, wanted.store} and wanted.extras.issuperset(self.needs)


Judged = tuple[Step, Verdict]


def right(detail: str = "") -> Verdict:
    """Return that all is as it should be."""
    return Verdict(State.RIGHT, detail)


def missing(detail: str, *mend: Command) -> Verdict:
    """Return that something is not there yet, and what makes it."""
    return Verdict(State.MISSING, detail, mend)


def wrong(problems: Iterable[str], *mend: Command) -> Verdict:
    """Return what is wrong, and what mends it; right where there are no problems."""
    found = [*problems]
    return Verdict(State.WRONG, "; ".join(found), mend) if found else right()


def gh(*words: str, stdin: str = "", half: Half | None = None) -> Command:
    """Return a command of GitHub's command line."""
    return Command(("gh", *words), stdin, half)


def look_gh(*words: str, is_admins: bool = False, each: bool = False) -> Look:
    """Return what reads something with GitHub's command line."""
    return Look(("gh", *words), is_admins, each)
