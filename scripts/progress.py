"""Progress of long work: a bar on a terminal, periodic lines in a log."""

import sys
from collections.abc import Iterable
from threading import RLock
from typing import Any

from tqdm import tqdm

from scripts import output
from scripts.errors import one_line

# Seconds between two lines in a log; shorter work writes none.
LOG_INTERVAL = 30.0

# Bars of this process do not draw over each other. The lock that tqdm would make for several
# processes outlives one that is ended, and Python warns of it.
tqdm.set_lock(RLock())


class Bar(tqdm):  # type: ignore[type-arg]
    """A progress bar that removes itself; without a terminal it writes plain lines."""

    def __init__(self, items: Iterable[Any] | None = None, /, **options: Any) -> None:
        """Show the progress of `items`, or of `total` steps."""
        self._is_log = not sys.stderr.isatty()
        options["desc"] = one_line(options["desc"])
        if self._is_log:
            # tqdm checks the time only after `miniters` steps; 1 is exact.
            options |= {"mininterval": LOG_INTERVAL, "delay": LOG_INTERVAL, "miniters": 1}
        super().__init__(items, leave=False, unit=options.pop("unit", "file"), **options)

    def display(  # type: ignore[override]
        self, msg: str | None = None, pos: int | None = None
    ) -> bool:
        """Draw the bar, or write a line; return whether there is a bar to remove."""
        if not self._is_log:
            return bool(super().display(msg, pos))
        if msg is None:
            total = f" of {self.total:,}" if self.total else ""
            output.log(f"{self.desc}: {self.n:,}{total} {self.unit}s")
        return False
