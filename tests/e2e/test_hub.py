import os
import subprocess
import sys
from pathlib import Path

from tests.doubles import hub as double
from tests.doubles.hub import NAME, TOKEN
from tests.e2e.forge import Forge, config

CONFIG = "dataset_config.yaml"
CONSUMER = f"""\
import datasets

for tag in ("v0", "v1"):
    data = datasets.load_dataset("{NAME}", revision=tag)
    print(tag, {{split: len(rows) for split, rows in data.items()}}, data["train"][0]["image"].size)
"""


def test_releases_are_mirrored_and_a_refusal_of_the_hub_fails_no_release(
    forge: Forge, tmp_path: Path
) -> None:
    forge.release()
    forge.merge(forge.open_pull("more", {CONFIG: config(samples=20)}))
    forge.only = {"release.yml": "mirror"}
    forge.variables = {**forge.variables, "HUGGINGFACE_REPOSITORY": NAME}
    forge.secrets = {"HUGGINGFACE_TOKEN": TOKEN}
    with double.running() as hub:
        forge.environment = {"HF_ENDPOINT": hub.url}
        hub.fail("POST .*/tag/", 500)

        failed = forge.on_push()
        assert failed.jobs == {"release": "success", "mirror": "failure"}
        assert f"error: cannot write {NAME} at the Hugging Face Hub: server error" in failed.log
        assert forge.tags() == ["v0", "v1"]

        again = forge.on_dispatch()
        assert again.jobs == {"release": "success", "mirror": "success"}
        assert hub.history() == ["initial commit", "v0", "v1"]
        for run in (failed, again):
            assert TOKEN not in run.log + run.summary + repr(run.annotations)

        home = {"HF_HOME": str(tmp_path / "consumer"), "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN}
        done = subprocess.run(
            [sys.executable, "-c", CONSUMER],
            env={**os.environ, **home},
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "v0 {'train': 16, 'test': 4} (8, 8)",
        "v1 {'train': 36, 'test': 4} (8, 8)",
    ]
