"""A column whose images resemble each other is named before it is on both sides of a split."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from tests.ingest.pictures import write
from tests.ingest.test_summaries import file_of, photo
from tests.repository import Repository, Run

CONFIG = "source: frames\nclass: all\nsamples: all\ntest_size: 0.3\nencoding: original\n"


def frames(folder: Path, *, alike: bool) -> Path:
    """Write frames of 20 videos; those of a video differ by noise if they are `alike`."""
    files, text = {}, io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("file_name", "label", "video", "frame"))
    for number in range(60):
        noise = np.random.default_rng(1000 + number).integers(0, 4, (48, 64, 3))
        scene = photo(number % 20 if alike else number)
        name = f"{number}.png"
        files[name] = file_of((scene.astype(int) + noise).clip(0, 255).astype(np.uint8))
        rows.writerow((name, "cat" if number % 2 else "dog", f"V{number % 20}", number))
    return write(folder, {**files, "metadata.csv": text.getvalue().encode()})


@pytest.mark.parametrize("alike", [True, False], ids=["videos", "single pictures"])
def test_a_column_that_looks_like_groups_is_named(
    repository: Repository, run: Run, tmp_path: Path, alike: bool
) -> None:
    result = run("ingest", "frames", str(frames(tmp_path / "frames", alike=alike)))
    assert result.code == 0, result.err
    repository.configure(CONFIG)

    planned = run("plan").out

    found = [line for line in planned.splitlines() if "looks like groups" in line]
    assert len(found) == alike
    if alike:
        assert "The column video looks like groups: " in found[0]
        assert "group_by in the config keeps each in one." in found[0]
        repository.configure(f"{CONFIG}group_by: video\n")
        assert "looks like groups" not in run("plan").out
