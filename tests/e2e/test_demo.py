"""`make demo`, as the README shows it."""

import os
import subprocess
import sys

from scripts import demo
from tests.repository import PROJECT


def test_the_demo_runs_two_pull_requests_their_releases_and_a_consumer() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.demo"],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("v0 is published", "v1 is published", "images: (", demo.CATALOGUE.name):
        assert said in done.stdout, said
    assert (demo.CATALOGUE / "index.html").is_file()
