"""Writes the report of a run to files, which the job that comments reads."""

from pathlib import Path

from scripts.git.git import MAIN, Git
from scripts.github import actions
from scripts.inputs.paths import INPUT_PATHS
from scripts.inputs.tree import WorkTree
from scripts.publish import bucket
from scripts.review import plan, report_json
from scripts.review.report import Report, Stored
from scripts.storage.settings import CONFIG_PATH

REPORT_FILE = "report.json"
SHEET_FILE = "samples.png"


def write_report(git: Git, folder: Path, stored: Stored | None) -> Report:
    """Write the report on the work tree to `folder`, with a contact sheet."""
    found, sheet = plan.review(git, actions.runner())
    found = found.model_copy(
        update={
            "stored": stored,
            "no_bucket": bucket.is_missing(git, WorkTree(git.root).read(CONFIG_PATH)),
            **_of_pull_request(git),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT_FILE).write_text(report_json.dump(found), encoding="utf-8")
    if sheet:
        (folder / SHEET_FILE).write_bytes(sheet)
    return found


def _of_pull_request(git: Git) -> dict[str, object]:
    """Return the part of the report about the pull request that started the workflow, if any."""
    pull = actions.event().get("pull_request") if actions.running() else None
    if pull is None:
        return {}
    # The work tree is the merge that GitHub proposes.
    commits = git("rev-list", "--no-merges", "HEAD^1..HEAD^2", "--", *INPUT_PATHS).split()
    return {"onto_main": pull["base"]["ref"] == MAIN, "commits": len(commits)}
