import io

import numpy as np
import pytest
from PIL import Image

from scripts.curation.similar import Similar
from scripts.dataset.neighbors import Neighbor
from scripts.review import neighbor_sheet
from scripts.review.neighbor_sheet import MAX_NEIGHBORS, MAX_ROWS
from scripts.sources.table import Table
from tests.curation.test_proposals import ROWS, SOURCE, samples

COLORS = Table("pool", np.repeat(SOURCE.pixels[..., None], 3, axis=3), SOURCE.labels)
# Images and captions are darker than the paper.
PAPER = 255


def drawn(similar: Similar, source: Table = SOURCE) -> Image.Image:
    content = neighbor_sheet.draw(samples(source=source), similar)
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("source", [SOURCE, COLORS], ids=["gray", "color"])
def test_neighbors_stand_beside_their_sample(source: Table) -> None:
    alone = drawn({0: []}, source)
    page = drawn({0: [Neighbor(row, 12.3) for row in range(1, 20)], 5: []}, source)

    assert page.width > alone.width
    assert page.height > alone.height
    # The first row reaches further to the right than the second one.
    second = np.array(page.convert("L"))[-neighbor_sheet.LINE :]
    assert np.flatnonzero((second < PAPER).any(axis=0)).max() < page.width // 4


def test_the_sheet_is_bounded() -> None:
    rows = {row: [Neighbor(row, 1.0)] * (MAX_NEIGHBORS + 50) for row in range(len(ROWS))}
    many = {number: rows[number % len(rows)] for number in range(len(rows))}

    assert drawn(many).width == drawn({0: [Neighbor(0, 1.0)] * MAX_NEIGHBORS}).width


def test_what_is_not_shown_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbor_sheet, "MAX_ROWS", 2)

    assert MAX_ROWS == 100
    assert drawn({row: [] for row in range(9)}).height == drawn({0: [], 1: []}).height
