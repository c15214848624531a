"""Random histories of merges, kills, races and stray tags."""

import hashlib
import io
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from scripts.git.git import Git
from scripts.inputs.images import decode
from scripts.releases import lock, releases
from scripts.releases.lock import Lock
from tests.killing import attempt, broken
from tests.repository import config_text, create, git, objects
from tests.soak import NUMBERS

STEPS = 12
# Kills of one run of a release, at most; a run has 30 to 60 points where it can be killed.
MAX_KILLS = 3
MAX_POINT = 60


class History:
    """A repository to which random things happen."""

    def __init__(self, place: Path, chance: Random) -> None:
        """Make a repository with a first config."""
        self.chance = chance
        self.values: dict[str, object] = {"class_": [3, 5], "samples": 6, "test_size": 2}
        self.repository = create(place, config_text(**self.values))
        self.strays = 0

    def merge(self, **changes: object) -> None:
        self.values |= changes
        self.repository.merge(config_text(**self.values))

    def grow(self) -> None:
        more = self.chance.randint(1, 60)
        self.merge(samples=min(170, int(str(self.values["samples"])) + more))

    def shrink(self) -> None:
        self.merge(samples=self.chance.randint(3, 20), test_size=self.chance.choice([1, 2, 0.25]))

    def enlarge_the_test_set(self) -> None:
        self.merge(samples=170, test_size=self.chance.choice([10, 40, 85, 0.5]))

    def change_the_class(self) -> None:
        self.merge(class_=self.chance.choice([3, [3, 5], [5, 3, 8], "all"]))

    def begin_a_new_split(self) -> None:
        self.repository.git("fetch", "--quiet", "--tags", "origin", "main")
        since = releases.scan(Git(self.repository.root)).next_tag
        self.merge(seed=self.chance.randint(0, 3), comparable_since=since)

    def ask_for_the_impossible(self) -> None:
        self.repository.merge(config_text(**{**self.values, "samples": 5000}))

    def change_something_else(self) -> None:
        self.repository.merge_file("README.md", f"{self.chance.random()}\n")

    def edit_the_lock(self) -> None:
        if self.repository.releases():
            text = self.repository.at_origin("show", f"{self.repository.releases()[0]}:dataset.dvc")
            self.repository.merge_file("dataset.dvc", f"# by hand\n{text}\n")

    def tag_by_hand(self) -> None:
        self.strays += 1
        commits = self.repository.at_origin("rev-list", "main").split()
        name = f"v{self.chance.choice([self.strays + 40, 999_999_999 - self.strays])}"
        kind = self.chance.choice([[], ["--annotate", "--message", "mine"]])
        self.repository.at_origin(
            "-c",
            "user.name=x",
            "-c",
            "user.email=x",
            "tag",
            *kind,
            name,
            self.chance.choice(commits),
        )

    def release(self) -> int:
        """Release, killed a few times before; sometimes from a fresh clone."""
        where = self.repository.root
        if self.chance.random() < 0.3:
            where = self.repository.place / f"clone-{self.chance.random()}"
            git(self.repository.place, "clone", "--quiet", "origin.git", str(where))
        for _ in range(self.chance.randint(0, MAX_KILLS)):
            attempt(where, "release", self.chance.randint(0, MAX_POINT))
            assert broken(self.repository) == []
        return attempt(where, "release", None)

    def locks(self) -> dict[str, Lock]:
        """Return the locks of all releases, oldest first."""
        return {
            tag: lock.parse(self.repository.at_origin("show", f"{tag}:dataset.dvc").encode())
            for tag in self.repository.releases()
        }


def split(found: dict[str, bytes], made: Lock, name: str) -> set[str]:
    """Return the digests of the pixels of all images of one split."""
    return {
        hashlib.sha256(decode(found[entry["md5"]]).tobytes()).hexdigest()
        for entry in json.loads(found[made.md5])
        if entry["relpath"].startswith(f"{name}/")
    }


def assert_consistent(history: History) -> None:
    repository = history.repository
    assert broken(repository) == []
    made = history.locks()
    if not made:
        return
    newest = list(made)[-1]
    repository.at_origin("merge-base", "--is-ancestor", newest, "main")
    assert repository.at_origin("show", "main:dataset.dvc") == repository.at_origin(
        "show", f"{newest}:dataset.dvc"
    )
    found = objects(repository.bucket)
    sides = {
        tag: (split(found, one, "train"), split(found, one, "test")) for tag, one in made.items()
    }
    for number, (tag, one) in enumerate(made.items()):
        train, test = sides[tag]
        assert not train & test
        for other in list(made)[:number]:
            leaks = bool(train & sides[other][1] or test & sides[other][0])
            assert one.is_comparable_with(other) is not leaks, (tag, other)


@pytest.mark.parametrize("number", NUMBERS)
def test_no_history_breaks_a_promise(tmp_path: Path, number: int) -> None:
    history = History(tmp_path, Random(number))
    steps: list[Callable[[], None]] = [
        history.grow,
        history.grow,
        history.shrink,
        history.enlarge_the_test_set,
        history.change_the_class,
        history.begin_a_new_split,
        history.ask_for_the_impossible,
        history.change_something_else,
        history.edit_the_lock,
        history.tag_by_hand,
    ]
    log = io.StringIO()
    for _ in range(STEPS):
        step = history.chance.choice(steps)
        log.write(f"{step.__name__}\n")
        with suppress(AssertionError):
            # Git refuses to tag twice by one name.
            step()
        if history.chance.random() < 0.6:
            code = history.release()
            assert code in (0, 1), log.getvalue()
            assert_consistent(history)
    history.merge(samples=10, test_size=2, class_=[3, 5])
    # What is due so far gets its number before the next one is named.
    history.release()
    history.begin_a_new_split()
    assert history.release() == 0, log.getvalue()
    assert_consistent(history)
    assert history.release() == 0
