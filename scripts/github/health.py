"""Health: reports in one issue whether all releases are intact, and the settings right."""

from collections.abc import Sequence
from typing import NamedTuple

from scripts import output
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.github import actions
from scripts.github.client import GitHub
from scripts.publish import bucket, repair, verify
from scripts.publish.verify import Finding
from scripts.releases import releases
from scripts.releases.declared import STABLE
from scripts.releases.releases import Release
from scripts.review import render

# The first line of the issue; a later run finds it by this line and the author.
MARKER = "<!-- dataset-health -->\n"
# Bounds, so that the text stays far below the 65,536 characters that GitHub allows.
MAX_SHOWN = 20
MAX_REMOVALS = 10
MAX_PROBLEM = 600
MAX_SETTINGS = 10


class WrongSetting(NamedTuple):
    """A setting that is missing or wrong, with the commands that mend it."""

    problem: str
    mend: list[str]


class SettingsCheck(NamedTuple):
    """What this run could see of the settings: which are wrong, and how many it could not see.

    `summary` says the same in one line.
    """

    wrong: list[WrongSetting]
    unseen: int
    summary: str


def report(git: Git, settings: SettingsCheck) -> str:
    """Verify all releases, and open, update or close the issue; return a message.

    The issue also lists what is wrong with the `settings`. Raises `UserError` if a remote is
    unreachable.
    """
    hub = GitHub()
    found = releases.scan(git)
    unseen = {release.tag for release in found.accepted if _is_elsewhere(git, release)}
    for tag in sorted(unseen):
        message = f"The remote of {tag} is a folder, which this runner cannot read."
        output.annotate("notice", message, title="Not checked")
    checked = [one for one in _findings(git) if one.tag not in unseen]
    broken = [one for one in checked if one.problems]
    if not checked and not settings.wrong and not settings.unseen:
        return "there is no release to check"
    text = _text(hub, git, len(checked), broken, settings)
    outcome = _outcome(len(checked), len(broken))
    if broken or settings.wrong:
        address = hub.keep_issue(MARKER, _title(broken, settings), text)
        return f"{outcome}{settings.summary}: {address}"
    closed = hub.close_issue(MARKER, text)
    return f"{outcome}{settings.summary}" + (f"; closed {closed}" if closed else "")


def _outcome(checked: int, broken: int) -> str:
    if not checked:
        return "there is no release to check"
    if broken:
        return f"{broken:,} of {checked:,} releases {'is' if broken == 1 else 'are'} damaged"
    return f"all {checked:,} releases are complete and intact"


def _title(broken: Sequence[Finding], settings: SettingsCheck) -> str:
    parts = []
    if broken:
        names = ", ".join(one.tag for one in broken[:MAX_SHOWN])
        more = f" and {len(broken) - MAX_SHOWN:,} more" if len(broken) > MAX_SHOWN else ""
        parts.append(f"{names}{more} {'is' if len(broken) == 1 else 'are'} damaged")
    if count := len(settings.wrong):
        parts.append(f"{count} {'setting is' if count == 1 else 'settings are'} wrong")
    return "; ".join(parts)


def _findings(git: Git) -> list[Finding]:
    """Return a finding for each release, and one for `stable` if it has problems of its own."""
    found = list(verify.verify(git, [], quick=False))
    known = {problem for one in found if not _is_stable(one) for problem in one.problems}
    return [one for one in found if not _is_stable(one) or not known.issuperset(one.problems)]


def _is_stable(finding: Finding) -> bool:
    return finding.tag.partition(" ")[0] == STABLE


def _is_elsewhere(git: Git, release: Release) -> bool:
    try:
        return bucket.is_lost(releases.remote_of(git, release), actions.runner())
    except UserError:
        return False


def _text(
    hub: GitHub, git: Git, checked: int, broken: Sequence[Finding], settings: SettingsCheck
) -> str:
    found = releases.scan(git)
    return render.TEMPLATES.get_template("health.md.j2").render(
        checked=checked,
        findings=broken,
        shown=broken[:MAX_SHOWN],
        run=hub.run_url,
        rejected=found.rejected,
        known=[release.tag for release in found.accepted],
        own_scripts={
            release.tag: repair.own_scripts(release.tag)
            for release in found.accepted
            if repair.is_of_other_rule(release)
        },
        max_problem=MAX_PROBLEM,
        max_removals=MAX_REMOVALS,
        settings=settings,
        max_settings=MAX_SETTINGS,
    )
