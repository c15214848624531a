"""Collects all problems of ingested images."""

from dataclasses import dataclass, field

from scripts.storage import faults
from scripts.storage.faults import Fault, FaultsError

INDENTED = "\n    "


@dataclass
class Findings:
    """Faults of files. `kind` is set if all are of the same kind."""

    kind: str = ""
    found: list[Fault] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of faults."""
        return len(self.found)

    def add(self, where: str, message: str) -> None:
        """Add a problem of the file `where`."""
        self.found.append(Fault(where, message, self.kind))

    def __str__(self) -> str:
        """Return some faults of every kind, one per line."""
        return "".join(INDENTED + line for line in faults.shortened(self.found))

    @property
    def whole(self) -> list[str]:
        """The lines of all faults, none if the text shows all."""
        return [one.line for one in self.found] if self.count > faults.MOST else []

    def refuse(self, location: str, advice: str = "") -> None:
        """Raise `FaultsError` if there are any faults; `advice` comes after them."""
        if self.count:
            problems = "problem" if self.count == 1 else "problems"
            message = f"{self.count:,} {problems} in {location}, so nothing is ingested:{self}"
            raise FaultsError(message + advice, self.whole)
