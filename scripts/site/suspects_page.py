"""Writes the page of suspects: samples of the newest release whose label is probably wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.config import ORIGINAL, Split
from scripts.insight import suspects
from scripts.insight.suspects import Suspect, Suspects
from scripts.publish import repair
from scripts.releases import resolve
from scripts.site import atlas, made
from scripts.site.changes import Placed
from scripts.site.made import MadePages
from scripts.site.pictures import Pictures
from scripts.site.render import ListedRelease, PageWriter
from scripts.sources.source import classes

FOLDER = "suspects"
# The suspects of each split that are shown, and the similar images beside each.
MOST, NEIGHBORS = 40, 5
# Compared pairs of images: about ten seconds on two cores, for 70,000 images.
MAX_PAIRS = 700_000_000


class ShownSuspect(NamedTuple):
    """A suspect with its picture, those of the most similar images, and how they voted."""

    placed: Placed
    label: str
    suggested: str
    why: str
    near: Sequence[Placed]


def write(
    git: Git, old: Path, pages: PageWriter, pictures: Pictures, newest: ListedRelease
) -> None:
    """Write the page for the release `newest`, or take it over from the catalogue `old`."""
    key = newest.made.key
    if made.take_over(old, pages.folder, FOLDER, key, pictures, kind=MadePages):
        return
    reason, shown, atlases = "", dict[Split, list[ShownSuspect]](), set[str]()
    found, labels = Suspects(), list[str]()
    try:
        dataset = _dataset(git, newest)
        labels = classes(dataset.source)
        found = suspects.find(dataset, dataset.selection.places(), MAX_PAIRS, MOST)
        if found.is_telling:
            shown, atlases = _shown(dataset, found, pictures)
    except UserError as error:
        reason = str(error)
    content = pages.write(
        f"{FOLDER}/{made.INDEX}",
        "suspects.html.j2",
        newest.made.title,
        tag=newest.tag,
        reason=reason,
        words=suspects.in_words(found),
        shown=shown,
        labels=labels,
    )
    if not reason:
        record = MadePages(
            key=key,
            pages={made.INDEX: made.checksum(made.INDEX, content)},
            atlases=made.atlases_of(pictures, atlases),
        )
        made.keep(pages.folder / FOLDER, record)


def _dataset(git: Git, newest: ListedRelease) -> Dataset:
    """Return the dataset of a release; raises `UserError` if it cannot be made again."""
    if repair.is_of_other_rule(newest.release):
        raise UserError("its selection rule is older than this code")
    return resolve.of_release(git, newest.release)


def _shown(
    dataset: Dataset, found: Suspects, pictures: Pictures
) -> tuple[dict[Split, list[ShownSuspect]], set[str]]:
    """Return suspects by split, test first, and the atlases of their pictures, which are drawn."""
    images, places = dataset.images, dataset.selection.places()
    rows = {row for one in found.worst for row in (one.row, *(near.row for near in _near(one)))}
    # As on the other pages, photos are in squares.
    shape = atlas.in_square if dataset.config.encoding == ORIGINAL else atlas.reduced
    drawn = pictures.draw(
        {images.identifier(row): shape(images.image(row)) for row in sorted(rows)}
    )

    def place(row: int) -> Placed:
        identifier = images.identifier(row)
        # A similar image need not be in the dataset.
        return Placed(identifier, *places.get(row, ("", "")), *drawn[identifier])

    def show(one: Suspect) -> ShownSuspect:
        near = [place(similar.row) for similar in _near(one)]
        return ShownSuspect(place(one.row), one.label, one.suggested, one.why, near)

    by_split = found.worst_by_split(places).items()
    shown = {split: [*map(show, of_split)] for split, of_split in by_split}
    return shown, {sheet.key for sheet, _ in drawn.values()}


def _near(one: Suspect) -> Sequence[suspects.Similar]:
    return one.neighbors[:NEIGHBORS]
