"""What is wrong with images that are ingested: all of it at once, but bounded."""

from dataclasses import dataclass, field

from scripts.errors import UserError

MAX_LISTED = 20
INDENTED = "\n    "


@dataclass
class Findings:
    """Messages, each about one file: the first few, and how many there are."""

    listed: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, where: str, message: str) -> None:
        """Note what is wrong with the file `where`."""
        self.count += 1
        if len(self.listed) < MAX_LISTED:
            self.listed.append(f"{where}: {message}")

    def __str__(self) -> str:
        """Return them in lines of their own."""
        more = self.count - len(self.listed)
        lines = [*self.listed, *([f"and {more:,} more"] if more else [])]
        return "".join(INDENTED + line for line in lines)

    def refuse(self, location: str) -> None:
        """Raise `UserError` with all of them, if there are any."""
        if self.count:
            problems = "problem" if self.count == 1 else "problems"
            raise UserError(
                f"{self.count:,} {problems} in {location}, so nothing is ingested:{self}"
            )
