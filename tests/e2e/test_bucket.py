"""Plain DVC fetches releases from a bucket."""

import shutil
from pathlib import Path

from tests.doubles.storage import Storage
from tests.repository import Run, config_text, contents, create, dvc
from tests.storage.test_remote_google import point_at


def test_releases_in_a_bucket_are_available_to_plain_dvc(
    tmp_path: Path, run: Run, emulator: Storage
) -> None:
    clouded = create(tmp_path)
    point_at(clouded, run, emulator.url, tmp_path.name)
    assert run("release").code == 0
    clouded.merge(config_text(samples=8))
    released = run("release")
    assert (released.code, clouded.tags()) == (0, ["v0", "v1"]), released.err

    run("build")
    shutil.rmtree(clouded.cache)
    consumer = clouded.place / "consumer"
    consumer.mkdir()
    for tag, count in [("v0", 10), ("v1", 16)]:
        dvc(consumer, "get", "--quiet", str(clouded.origin), "dataset", "--rev", tag, "-o", tag)
        assert len(contents(consumer / tag)) == count
    clouded.configure(config_text(samples=8))
    run("build")
    assert contents(consumer / "v1") == contents(clouded.root / "dataset")
