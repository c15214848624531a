"""Random histories; an independent judge checks each release and what is said of it."""

import hashlib
import io
import os
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from scripts.__main__ import main
from scripts.dataset.order import order
from scripts.releases import releases
from scripts.site import release_file
from scripts.sources import copies
from tests.repository import Result, config_text, contents, create
from tests.soak import NUMBERS, oracle, statements, stored
from tests.soak.oracle import Judge
from tests.soak.stored import Picture, Sources, Version

STEPS = 12
# A batch has some of the digits, so that two sources have the same images, and some of noise.
LABELS = ("3", "5", "8")
DIGITS_IN_BATCH, NOISE_IN_BATCH = 30, 12
MAX_LOOKED_AT = 3
# How often what is kept is spoiled, and how many files of it.
SPOILING, SPOILED = 0.5, 6
# What DVC keeps for itself.
LOCKS = {"lock", "rwlock", "rwlock.lock", "btime"}
START: dict[str, Any] = {"source": "digits", "class_": [3, 5], "samples": 6, "test_size": 2}


def digits() -> dict[str, Picture]:
    """Return the images of the source `digits`, by identifier."""
    data = load_digits()
    images = (data.images * 15).astype(np.uint8)
    return {
        f"{row:05}": Picture(image, [str(label)])
        for row, (image, label) in enumerate(zip(images, data.target.tolist(), strict=True))
    }


class Life:
    """A repository in which people change the dataset at random."""

    def __init__(self, place: Path, chance: Random) -> None:
        """Make a repository with a first config, which is not released."""
        self.chance = chance
        self.values = dict(START)
        self.curation: list[str] = []
        self.withdrawn: list[str] = []
        self.repository = create(place, config_text(**self.values))
        self.sources: Sources = {"digits": digits()}
        self.judge = Judge(self.repository.origin, self.repository.bucket, self.sources)
        self.log: list[str] = []
        # What files had before they were spoiled, by name.
        self.older: dict[str, bytes] = {}

    # What people do.

    def grow(self) -> None:
        if self.values["samples"] != "all":
            self.values["samples"] += self.chance.randint(1, 12)

    def shrink(self) -> None:
        self.values |= {"samples": self.chance.randint(4, 9), "test_size": 2}

    def take_all(self) -> None:
        self.values |= {"samples": "all", "test_size": self.chance.choice([0.1, 0.25, 0.3])}

    def change_the_test_set(self) -> None:
        self.values["test_size"] = self.chance.choice([1, 2, 3, 0.2, 0.25, 0.5])

    def change_the_validation_set(self) -> None:
        self.values["validation_size"] = self.chance.choice([None, None, 1, 0.1])

    def change_the_class(self) -> None:
        self.values["class_"] = self.chance.choice([3, [3, 5], [5, 3], [3, 5, 8], "all"])

    def change_the_image_size(self) -> None:
        self.values["image_size"] = self.chance.choice([None, None, 6, 16, "12x9"])
        if self.chance.random() < 0.4:
            self.change_the_seed()

    def change_the_seed(self) -> None:
        self.values["seed"] = self.chance.randint(0, 2)

    def begin_a_new_split(self) -> None:
        self.values |= {"seed": self.chance.randint(0, 3), "comparable_since": self.next}

    def demand_other_releases(self) -> None:
        numbers = [None, *range(len(self.judge.versions) + 1)]
        since = self.chance.choice(numbers)
        self.values["comparable_since"] = None if since is None else f"v{since}"

    def change_the_source(self) -> None:
        others = sorted(self.sources.keys() - {self.values["source"]})
        if others:
            self.values["source"] = others[0]
            self.curation = []

    def ingest(self) -> None:
        """Ingest a batch into the custom source; sometimes an image a second time."""
        folder = self.repository.place / f"batch{self.chance.random()}"
        source = self.sources.setdefault("own", {})
        known = [one for one in self.sources["digits"].values() if one.labels[0] in LABELS]
        batch = [(one.pixels, one.labels[0]) for one in self.chance.sample(known, DIGITS_IN_BATCH)]
        noise = np.random.default_rng(self.chance.randrange(2**32))
        for _ in range(NOISE_IN_BATCH):
            pixels = noise.integers(0, 256, (8, 8), np.uint8)
            batch.append((pixels, self.chance.choice(LABELS)))
        batch += [(pixels, self.chance.choice(LABELS)) for pixels, _ in batch[-2:]]
        for count, (pixels, label) in enumerate(batch):
            (folder / label).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / label / f"{count}.png")
            one = "s" + hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
            source.setdefault(one, Picture(pixels, [])).labels.append(label)
        self.pull()
        assert self.run("ingest", "own", str(folder)).code == 0
        if self.values["source"] == "digits" and self.chance.random() < 0.5:
            self.change_the_source()

    def curate(self) -> None:
        """Decide about some samples, rather about those of the newest release."""
        source = self.sources[self.values["source"]]
        newest = list(self.judge.versions.values())[-1:]
        there = sorted(newest[0].places.keys() & source) if newest else []
        decided = {row.partition(",")[0] for row in self.curation}
        for _ in range(self.chance.randint(1, 3)):
            one = self.chance.choice(there if there and self.chance.random() < 0.6 else [*source])
            action = self.chance.choice(["exclude", "train", "test", "test", "relabel"])
            labels = [source[one].labels[0], self.chance.choice(LABELS)]
            if one not in decided:
                label, new = labels if action == "relabel" else ("", "")
                self.curation.append(f"{one},{action},{label},{new},")
                decided.add(one)

    def forget_a_decision(self) -> None:
        if self.curation:
            self.curation.remove(self.chance.choice(self.curation))

    def revert(self) -> None:
        """Ask for what an earlier release had."""
        if self.judge.versions:
            version = self.chance.choice([*self.judge.versions.values()])
            self.restore(version)

    def withdraw(self) -> None:
        left = sorted(self.judge.versions.keys() - set(self.withdrawn))
        if left:
            self.withdrawn.append(self.chance.choice(left))

    # What happens then.

    @property
    def next(self) -> str:
        return f"v{len(self.judge.versions)}"

    def restore(self, version: Version) -> None:
        self.values = {"class_" if key == "class" else key: v for key, v in version.config.items()}
        self.curation = [",".join(row.values()) for row in version.curation]

    def pull(self) -> None:
        self.repository.git("pull", "--quiet", "--ff-only", "--tags", "origin", "main")

    def merge(self) -> None:
        """Commit what people wrote to origin's main."""
        self.pull()
        root = self.repository.root
        self.repository.configure(config_text(**self.values))
        rows = ["sample,action,label,new_label,reason", *self.curation]
        (root / "curation.csv").write_text("\n".join(rows) + "\n")
        if self.withdrawn:
            lines = ["withdrawn:", *(f"  {tag}: some reason" for tag in self.withdrawn)]
            (root / "releases.yaml").write_text("\n".join(lines) + "\n")
        self.repository.git("add", "--all")
        self.repository.git("commit", "--quiet", "--allow-empty", "--message", "Change the dataset")
        self.repository.git("push", "--quiet", "origin", "HEAD:main")

    def run(self, *arguments: str) -> Result:
        """Run a verb; anything but success or a message fails the test."""
        out, err = io.StringIO(), io.StringIO()
        with chdir(self.repository.root), redirect_stdout(out), redirect_stderr(err):
            code = main(arguments)
        self.log.append(f"{' '.join(arguments)}: {code}\n{err.getvalue()}")
        assert code == 0 or (code == 1 and err.getvalue()), self.history
        return Result(code, out.getvalue(), err.getvalue())

    def spoil(self) -> None:
        """Damage, delete or bring back older states of what earlier runs kept to save time."""
        root, cache = self.repository.root, Path(os.environ["XDG_CACHE_HOME"])
        shared = [
            self.repository.bucket / "records" / version.lock["meta"].get("cumulative", "")
            for version in self.judge.versions.values()
        ]
        places = (root / ".dvc" / "tmp", root / ".dvc" / "cache" / "records", cache)
        kept = sorted(file for place in places for file in place.rglob("*") if file.is_file())
        kept = [file for file in [*kept, *shared] if file.is_file() and file.name not in LOCKS]
        for file in self.chance.sample(kept, min(len(kept), SPOILED)):
            content, how = file.read_bytes(), self.chance.choice(["delete", "damage", "cut", "old"])
            older = self.older.get(file.name, b"")
            self.older[file.name] = content
            file.unlink()
            if how != "delete" and content:
                at = self.chance.randrange(len(content))
                changes = {"damage": content[:at] + b"x" + content[at + 1 :], "cut": content[:at]}
                file.write_bytes(changes.get(how, older))
            self.log.append(f"spoiled: {how} {file}")
        # As in a new process.
        for function in (releases._checked, order, copies._verified):
            function.cache_clear()

    @property
    def history(self) -> str:
        return "\n".join(self.log)

    def turn(self) -> None:
        """Merge what people wrote, with the checks of a pull request before, and release it."""
        self.merge()
        if self.chance.random() < SPOILING:
            self.spoil()
        self.log.append(f"{self.values} {self.curation} {self.withdrawn}")
        merged, before = self.repository.tip(), [None, *self.judge.versions][-1]
        valid, planned = self.run("validate"), self.run("plan")
        if valid.code and "leak:" in valid.err and self.run("build").code == 0:
            self.judge.judge_refusal(stored.built(self.repository.root, self.next))
        released = self.run("release")
        new = self.judge.judge()
        if not new:
            assert valid.code == released.code, self.history
        if len(new) == 1 and self.repository.at_origin("rev-parse", f"{new[0]}^") == merged:
            self.judge.judge_text(planned.out, new[0])
            self.judge.judge_change(planned.out, before, new[0])
        if released.code and self.judge.versions and self.chance.random() < 0.8:
            # People undo what was refused.
            self.restore([*self.judge.versions.values()][-1])

    def judge_diffs(self) -> None:
        tags = [*self.judge.versions]
        for after in tags[1:]:
            before = self.chance.choice(tags[: tags.index(after)])
            text = self.run("diff", before, after).out
            self.judge.judge_text(text, after, about=before)
            self.judge.judge_change(text, before, after)

    def judge_cards(self) -> None:
        """Judge the cards of some releases."""
        tags = [*self.judge.versions]
        for tag in self.chance.sample(tags, min(len(tags), MAX_LOOKED_AT)):
            folder = self.repository.place / f"package-{tag}"
            assert self.run("package", tag, "--out", str(folder)).code == 0
            card, version = (folder / "README.md").read_text(), self.judge.versions[tag]
            self.judge.judge_text(card, tag)
            counts = {*version.places.values()}
            splits = [one for one in oracle.SPLITS if one in version.lock["meta"]["counts"]]
            for folder_name, numbers in statements.table(card).items():
                assert numbers == [version.count(split, folder_name) for split in splits], card
            assert statements.table(card).keys() >= {one for _, one in counts}

    def write_catalogue(self, name: str) -> Path:
        """Write the catalogue, also over an older one; return its folder."""
        folder = self.repository.place / name
        assert self.run("site", "--out", str(folder)).code == 0
        return folder

    def damage(self, folder: Path) -> None:
        """Damage or delete some of the files that a later catalogue takes over."""
        names = sorted(name for name in contents(folder) if name.startswith(("v", "images/")))
        for name in self.chance.sample(names, MAX_LOOKED_AT):
            content = (folder / name).read_bytes()
            at = self.chance.randrange(len(content))
            (folder / name).unlink()
            if self.chance.random() < 0.5:
                (folder / name).write_bytes(content[:at] + b"x" + content[at + 2 :])

    def judge_catalogue(self) -> None:
        """Judge the page of each release, and what a browser compares of any two."""
        folder = self.write_catalogue("catalogue")
        made = contents(self.write_catalogue("catalogue-from-nothing"))
        assert contents(folder) == made
        self.damage(folder)
        assert contents(self.write_catalogue("catalogue")) == made
        for tag, version in self.judge.versions.items():
            page = (folder / tag / "index.html").read_text()
            self.judge.judge_text(page, tag)
            assert statements.md5(page) == version.lock["outs"][0]["md5"]
            found = release_file.read((folder / tag / release_file.NAME).read_bytes())
            listed = {name for run in found["comparable"] for name in tags_between(*run)}
            for other, earlier in self.judge.versions.items():
                if int(other[1:]) < int(tag[1:]):
                    leaks = bool(self.judge.leaks(earlier, version))
                    assert leaks == (other not in listed), (other, tag)


def tags_between(first: str, last: str) -> list[str]:
    return [f"v{number}" for number in range(int(first[1:]), int(last[1:]) + 1)]


def show(life: Life, what: Callable[[], None]) -> None:
    """Run a part of the test; name what happened before it failed."""
    try:
        what()
    except AssertionError as error:
        pytest.fail(f"{error}\n\nafter:\n{life.history}")


def test_a_release_is_judged_by_what_was_withdrawn_when_it_was_made(tmp_path: Path) -> None:
    life = Life(tmp_path, Random(0))
    show(life, life.turn)
    other = life.values | {"seed": 1}
    life.values = other
    show(life, life.turn)
    assert [*life.judge.versions] == ["v0"], life.history

    # The release of the refused change still comes from its own commit, which withdraws nothing.
    life.values, life.withdrawn = other, ["v0"]
    show(life, life.turn)

    assert [*life.judge.versions] == ["v0", "v1"], life.history
    made = life.judge.versions["v1"]
    assert life.judge.leaks(life.judge.versions["v0"], made)
    life.judge.judge_refusal(replace(made, withdrawn=frozenset()))


@pytest.mark.parametrize("seed", NUMBERS)
def test_every_release_and_every_statement_is_true(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, Random(seed))
    steps = [life.grow, life.grow, life.shrink, life.take_all, life.change_the_test_set]
    steps += [life.change_the_validation_set, life.change_the_class, life.change_the_image_size]
    steps += [life.change_the_seed, life.begin_a_new_split, life.begin_a_new_split, life.revert]
    steps += [life.demand_other_releases, life.change_the_source, life.ingest, life.ingest]
    steps += [life.curate, life.curate, life.forget_a_decision, life.revert, life.withdraw]
    show(life, life.turn)
    for number in range(STEPS):
        step = life.chance.choice(steps)
        life.log.append(f"-- {step.__name__}")
        step()
        show(life, life.turn)
        if number == STEPS // 2:
            # One of fewer releases, which is taken over in the end.
            life.write_catalogue("catalogue")
    for look in (life.judge_diffs, life.judge_cards, life.judge_catalogue):
        show(life, look)
    assert life.run("verify").code == 0, life.history
