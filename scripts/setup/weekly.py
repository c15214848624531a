"""What the weekly check of a workflow says about the settings, as far as it may see them."""

from collections import Counter

from scripts.errors import UserError
from scripts.git.git import Git
from scripts.github import actions
from scripts.github.health import SettingsCheck, WrongSetting
from scripts.setup import doctor, first_pull, text
from scripts.setup.step import State
from scripts.storage.settings import CONFIG_PATH


def check(git: Git) -> SettingsCheck:
    """Return what is wrong with the settings of the repository whose workflow runs."""
    committed = git.file("HEAD", CONFIG_PATH) or b""
    if not first_pull.place_of(committed.decode(errors="replace")).bucket:
        # Nothing is set up yet, or not by the setup.
        return SettingsCheck([], 0, "")
    try:
        _, judged = doctor.check(actions.variable("GITHUB_REPOSITORY"), actions.variables())
    except UserError as error:
        return SettingsCheck([], 0, f"; the settings are not checked: {error}")
    counts = Counter(verdict.state for _, verdict in judged)
    wrong = [
        WrongSetting(text.line(step, verdict), text.mending(step, verdict))
        for step, verdict in text.broken(judged)
    ]
    summary = (
        f"; settings: {counts[State.RIGHT]} right, {len(wrong)} missing or wrong,"
        f" {counts[State.UNKNOWN]} that this workflow cannot see"
    )
    return SettingsCheck(wrong, counts[State.UNKNOWN], summary)
