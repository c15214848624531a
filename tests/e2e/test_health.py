"""A damaged object, from the weekly check to the repair."""

import re
import shlex

from scripts.github.health import MARKER
from scripts.releases import lock
from scripts.storage import manifest
from tests.doubles import storage
from tests.doubles.github import BOT, REPOSITORY
from tests.doubles.storage import BUCKET
from tests.e2e.forge import Forge, config
from tests.repository import process

CONFIG = "dataset_config.yaml"


def check(forge: Forge) -> str:
    """Run the workflow; return its log."""
    run = forge.on_dispatch("health.yml")
    assert run.jobs == {"health": "success"}, run.log
    assert "authenticated as pull-request@example.iam" in run.log
    return run.log


def test_a_damaged_object_is_reported_and_the_issue_closes_after_the_repair(forge: Forge) -> None:
    forge.release()
    forge.merge(forge.open_pull("grow", {CONFIG: config(samples=12)}))
    forge.release()
    assert "all 2 releases are complete and intact" in check(forge)

    # One that only v1 has.
    old, new = (files_of(forge, tag) for tag in ("v0", "v1"))
    file, md5 = next((name, md5) for name, md5 in new.items() if md5 not in old.values())
    place = f"data/files/md5/{md5[:2]}/{md5[2:]}"
    whole = forge.bucket.content(place)
    forge.bucket.overwrite(place, b"damaged")
    check(forge)

    (issue,) = forge.hub.ask("GET", f"/repos/{REPOSITORY}/issues")
    assert issue["user"]["login"] == BOT
    assert issue["body"].startswith(MARKER)
    assert issue["title"] == "v1 is damaged"
    assert f"`dataset/{file}: checksum mismatch in gs://{BUCKET}/data`" in issue["body"]
    (removal,) = re.findall(r"^gcloud storage rm (\S+)$", issue["body"], re.MULTILINE)
    (verb,) = re.findall(r"^python -m scripts (repair v\d+)$", issue["body"], re.MULTILINE)

    # What the issue says is done, in a clone.
    forge.git("fetch", "--quiet", "--tags", "origin", "main")
    forge.git("switch", "--quiet", "--detach", "origin/main")
    refused = process(forge.work, verb, **storage.ENVIRONMENT)
    assert refused.returncode == 1
    assert refused.stdout.decode() == f"gcloud storage rm {removal}\n"
    (address,) = shlex.split(removal)
    forge.bucket.delete(address.removeprefix(f"gs://{BUCKET}/"))
    repaired = process(forge.work, verb, **storage.ENVIRONMENT)
    assert repaired.returncode == 0, repaired.stderr.decode()
    assert repaired.stdout.decode().endswith("(1 copied)\n")
    assert forge.bucket.content(place) == whole

    assert f"closed {issue['html_url']}" in check(forge)
    assert forge.hub.ask("GET", f"/repos/{REPOSITORY}/issues") == []


def files_of(forge: Forge, tag: str) -> dict[str, str]:
    md5 = lock.parse(forge.file(tag, "dataset.dvc").encode()).md5
    return manifest.entries(forge.bucket.content(f"data/files/md5/{md5[:2]}/{md5[2:]}"))
