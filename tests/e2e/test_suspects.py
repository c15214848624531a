"""The monthly issue about labels that look wrong."""

from scripts.github.doubtful_labels import MARKER
from tests.doubles.github import REPOSITORY
from tests.e2e.forge import Forge, config

CONFIG = "dataset_config.yaml"


def test_the_monthly_run_opens_an_issue(forge: Forge) -> None:
    forge.merge(
        forge.open_pull("all", {CONFIG: config(**{"class": "all"}, samples=10, test_size=2)})
    )
    forge.release()

    forge.variables = {**forge.variables, "SUSPECTS": "true"}
    run = forge.on_dispatch("suspects.yml")
    assert run.jobs == {"suspects": "success"}, run.log
    (issue,) = forge.hub.ask("GET", f"/repos/{REPOSITORY}/issues")
    assert issue["body"].startswith(MARKER)
    assert f"suspects in v0: {issue['html_url']}" in run.log
