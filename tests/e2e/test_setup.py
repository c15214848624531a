"""From a copy of the template and an empty project to the first release, in one command."""

import json
import os
from pathlib import Path

from tests.doubles import cloud
from tests.doubles.storage import BUCKET
from tests.e2e.forge import Forge
from tests.repository import PROJECT, process

FILES = (".dvc/config", ".github/CODEOWNERS", "pyproject.toml")
SETUP = f"setup --yes --project acme-data --bucket {BUCKET} --alone"


def test_one_command_leads_to_the_first_release(fresh: Forge, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    state = cloud.new()
    template = (PROJECT / "pyproject.toml").read_text()
    (fresh.work / "pyproject.toml").write_text(template)
    main = {name: (fresh.work / name).read_text() for name in FILES}
    state["github"]["branches"] = {"main": main}
    file = cloud.install(programs, state)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(PROJECT)}

    done = process(fresh.work, SETUP, **environment)

    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().endswith("https://github.com/octo/ds/pull/1\n")
    hub = json.loads(file.read_text())["github"]

    # The pull request that it opened, at the forge. The bucket there has another address.
    proposed = hub["branches"]["setup"]
    url = f"url = gs://{BUCKET}/ds\n"
    assert url in proposed[".dvc/config"]
    endpoint = f"{url}    endpointurl = {fresh.bucket.proxy.url}\n"
    proposed[".dvc/config"] = proposed[".dvc/config"].replace(url, endpoint)
    (fresh.work / "pyproject.toml").unlink()
    fresh.variables |= hub["variables"]
    pull = fresh.open_pull("setup", {".dvc/config": proposed[".dvc/config"]})
    run = fresh.on_pull_request(pull, "opened")
    assert run.jobs == {"changes": "success", "dataset": "success", "passed": "success"}
    account = "dataset-pull-request@acme-data.iam.gserviceaccount.com"
    assert f"authenticated as {account}" in run.log
    body = fresh.hub.comments(pull.number)[0]["body"]
    assert "### dataset v0: +20 samples, 2 classes" in body

    fresh.merge(pull)
    release = fresh.on_push()
    assert release.jobs == {"release": "success"}
    assert "authenticated as dataset-release@acme-data.iam.gserviceaccount.com" in release.log
    assert fresh.tags() == ["v0"]

    # Whoever is asked says that all is right.
    hub["branches"]["main"][".dvc/config"] = hub["branches"].pop("setup")[".dvc/config"]
    hub["pulls"].clear()
    state = json.loads(file.read_text())
    file.write_text(json.dumps({**state, "github": hub}))
    fresh.git("pull", "--quiet", "origin", "main")
    checked = process(fresh.work, "doctor", **environment, NO_GCE_CHECK="true")
    assert checked.returncode == 0, checked.stdout.decode()
    assert "right    rules of main: nobody has to approve\n" in checked.stdout.decode()
