"""What a config proposes: the dataset it wants, checked in every way, and the report on it."""

from pathlib import Path

from scripts import config, dataset, diff, images, lock, releases, report
from scripts.config import CONFIG_FILE, ConfigError, Mark, Problem
from scripts.dataset import Dataset
from scripts.errors import UserError
from scripts.git import MAIN, ORIGIN, TRACKED_MAIN, Git
from scripts.lock import LOCK_FILE, Lock
from scripts.releases import Release
from scripts.report import Change, Report, Sketch
from scripts.selection import Split

# What fits into the width of a comment, and into one look.
SKETCHED = 6
SKETCHED_ROWS = 20
ON_SHEET = 24

Looks = list[tuple[Split, str, list[int]]]


def read(git: Git) -> Dataset:
    """Return the dataset that the config in the work tree asks for.

    Raises `ConfigError` with everything that is wrong, `UserError` when the source cannot be had.
    """
    wanted = _checked(git, config.read(git.root / CONFIG_FILE), recorded(git.root))
    _refuse_edited_lock(git, wanted)
    return wanted


def read_from(git: Git, tree: str, locked: Lock) -> Dataset:
    """Return the dataset that the config in the git tree `tree` asks for; raises as `read`.

    Of the source of `locked` only: what others propose must not make us load anything else.
    """
    wanted = config.parse(git.file(tree, CONFIG_FILE) or b"")
    if wanted.source != locked.meta.source.name:
        raise UserError("the source is another one, which the pull request's own run can tell of")
    return _checked(git, wanted, locked)


def recorded(root: Path) -> Lock | None:
    """Return the lock in the work tree, None when there is none."""
    try:
        return lock.parse((root / LOCK_FILE).read_bytes())
    except FileNotFoundError:
        return None


def change(git: Git, wanted: Dataset, before: Release | None) -> Change:
    """Return what `wanted` changes against `before`, with a look at the samples."""
    earlier = [releases.get(git, tag) for tag in releases.tags(git)]
    version = releases.following(git)
    difference = diff.compare(wanted, wanted.listing, before, version, earlier)
    looks = _looks(wanted, before) if difference.changed else []
    sketches = [
        Sketch(
            split=split,
            folder=folder,
            lines=images.sketch([wanted.source.pixels[row] for row in rows[:SKETCHED]]),
        )
        for split, folder, rows in looks[:SKETCHED_ROWS]
    ]
    return report.of(difference, sketches)


def contact_sheet(wanted: Dataset, before: Release | None) -> bytes:
    """Return a PNG with some samples of each split and class, new ones where there are any."""
    counts = wanted.selection.counts()
    rows = [
        (
            f"{split}/{folder}: {len(rows[:ON_SHEET])} of {counts[split][folder]:,}",
            [wanted.source.pixels[row] for row in rows[:ON_SHEET]],
        )
        for split, folder, rows in _looks(wanted, before)
    ]
    return images.contact_sheet(rows)


def look(git: Git) -> tuple[Report, bytes | None]:
    """Return the report on the work tree's config, and a contact sheet if there is a dataset."""
    try:
        wanted, before = read(git), releases.latest(git)
        return Report(change=change(git, wanted, before)), contact_sheet(wanted, before)
    except UserError as error:
        return Report(faults=report.faults(error)), None


def _checked(git: Git, wanted: config.Config, locked: Lock | None) -> Dataset:
    made = dataset.load(wanted, locked)
    diff.refuse_moves(made, releases.latest(git))
    _ = made.selection  # raises what the source cannot give
    return made


def _refuse_edited_lock(git: Git, wanted: Dataset) -> None:
    """Refuse a lock that commits of this branch changed, unless it is what the config makes."""
    if not git.succeeds("rev-parse", "--verify", "--quiet", TRACKED_MAIN):
        return
    try:
        base = git("merge-base", TRACKED_MAIN, "HEAD")
    except UserError:
        return
    committed = git.file("HEAD", LOCK_FILE)
    if committed == git.file(base, LOCK_FILE):
        return
    if committed != lock.render(wanted.lock(wanted.listing)).encode():
        message = (
            f"{LOCK_FILE} is written by machine when a change is released, and this branch edits"
            f" it. Take the edit back: git checkout {ORIGIN}/{MAIN} -- {LOCK_FILE}"
        )
        raise ConfigError(LOCK_FILE, [Problem(Mark(1, 1), message)])


def _looks(wanted: Dataset, before: Release | None) -> Looks:
    """Return the rows to show of each split and class: what is new there, else what there is."""
    old = dataset.recorded_selection(before.lock, wanted.source) if before else None
    known = old.rows if old else {}
    return [
        (split, folder, sorted(set(rows) - set(known.get((split, folder), ()))) or rows)
        for (split, folder), rows in wanted.selection.rows.items()
    ]
