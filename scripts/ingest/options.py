"""What a person says about the images of a location, and the commands that say more."""

import shlex
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace

PARENT, PATH, NAME = "parent", "path", "name:"
IN_WORDS = f"{PARENT}, {PATH}, {NAME}PATTERN"


@dataclass(frozen=True)
class IngestOptions:
    """How files become labeled images, where that is given.

    `table` is a table at the location; `file`, `label`, `split` and `group` are columns of it. The
    label can be `parent`, `path` or `name:PATTERN` too. `dry_run` stops before any image is read,
    `skip_invalid` leaves out what is invalid.
    """

    table: str | None = None
    file: str | None = None
    label: str | None = None
    split: str | None = None
    group: str | None = None
    dry_run: bool = False
    skip_invalid: bool = False

    @property
    def label_from_path(self) -> str | None:
        """Where in a path the label is, None where that is not given."""
        is_given = self.label in {PARENT, PATH} or (self.label or "").startswith(NAME)
        return self.label if is_given else None

    @property
    def columns(self) -> dict[str, str]:
        """The columns that are given, by option."""
        given = {"file": self.file, "split": self.split, "group": self.group}
        if self.label and not self.label_from_path:
            given["label"] = self.label
        return {option: column for option, column in given.items() if column}


@dataclass(frozen=True)
class IngestRequest:
    """Which location becomes part of which source, and how. `known` are labels of the source."""

    name: str
    address: str
    options: IngestOptions = field(default_factory=IngestOptions)
    known: Collection[str] = ()

    def command(self, *, below: str = "", **changes: str | bool) -> str:
        """Return the command that asks for the same with `changes`, in a line of its own.

        `below` is a folder of the location.
        """
        address = f"{self.address.rstrip('/')}/{below}" if below else self.address
        options = asdict(replace(self.options, **changes))  # type: ignore[arg-type]
        words = ["python", "-m", "scripts", "ingest", self.name, address]
        for option, value in options.items():
            if value is True:
                words.append(f"--{option.replace('_', '-')}")
            elif value:
                words += [f"--{option}", value]
        return f"\n    {' '.join(map(shlex.quote, words))}"
