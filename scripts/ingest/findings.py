"""What is wrong with images that are ingested: all of it at once."""

from dataclasses import dataclass, field

from scripts.storage import faults
from scripts.storage.faults import Fault, FaultsError

INDENTED = "\n    "


@dataclass
class Findings:
    """Faults, each in one file. `kind` is that of all of them, where they are of one."""

    kind: str = ""
    found: list[Fault] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.found)

    def add(self, where: str, message: str) -> None:
        """Note what is wrong with the file `where`."""
        self.found.append(Fault(where, message, self.kind))

    def __str__(self) -> str:
        """Return some of every kind, in lines of their own."""
        return "".join(INDENTED + line for line in faults.shortened(self.found))

    @property
    def whole(self) -> list[str]:
        """The lines of all, none where the text shows all."""
        return [one.line for one in self.found] if self.count > faults.MOST else []

    def refuse(self, location: str) -> None:
        """Raise `FaultsError` with all of them, if there are any."""
        if self.count:
            problems = "problem" if self.count == 1 else "problems"
            message = f"{self.count:,} {problems} in {location}, so nothing is ingested:{self}"
            raise FaultsError(message, self.whole)
