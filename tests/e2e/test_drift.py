"""Images in production, from the weekly check to the issue and its end."""

from scripts.github.drift import MARKER
from tests.commands.test_drift import CONFIG, digits, inverted
from tests.doubles.github import BOT, REPOSITORY
from tests.doubles.storage import BUCKET
from tests.e2e.forge import Forge


def check(forge: Forge) -> str:
    """Run the workflow; return its log."""
    run = forge.on_dispatch("drift.yml")
    assert run.jobs == {"drift": "success"}, run.log
    assert "authenticated as ingest@example.iam" in run.log
    return run.log


def test_inverted_digits_in_production_are_reported_and_others_close_the_issue(
    forge: Forge,
) -> None:
    forge.merge(forge.open_pull("all", {"dataset_config.yaml": CONFIG}))
    forge.release()
    forge.environment["STORAGE_EMULATOR_HOST"] = forge.bucket.url
    forge.variables["PRODUCTION"] = f"gs://{BUCKET}/production"
    for name, content in digits(25, inverted).items():
        forge.bucket.overwrite(f"production/{name}", content)

    assert "the images are not like those of v0" in check(forge)

    (issue,) = forge.hub.ask("GET", f"/repos/{REPOSITORY}/issues")
    assert issue["user"]["login"] == BOT
    assert issue["body"].startswith(MARKER)
    assert issue["title"] == "Images in production are not like those of v0"
    assert "blob/previews/drift-" in issue["body"]
    assert forge.file("previews", "").count("drift-") == 1

    for name, content in digits(25).items():
        forge.bucket.overwrite(f"production/{name}", content)
    assert f"closed {issue['html_url']}" in check(forge)
    assert forge.hub.ask("GET", f"/repos/{REPOSITORY}/issues") == []
