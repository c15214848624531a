"""Health: reports in one issue whether all releases are complete and intact."""

from collections.abc import Sequence

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


def report(git: Git) -> str:
    """Verify all releases, and open, update or close the issue; return a message.

    Raises `UserError` if a remote is unreachable.
    """
    hub = GitHub()
    found = releases.scan(git)
    unseen = {release.tag for release in found.accepted if _is_elsewhere(git, release)}
    for tag in sorted(unseen):
        message = f"The remote of {tag} is a folder, which this runner cannot read."
        output.annotate("notice", message, title="Not checked")
    checked = [one for one in _findings(git) if one.tag not in unseen]
    if not checked:
        return "there is no release to check"
    broken = [one for one in checked if one.problems]
    text = _text(hub, git, len(checked), broken)
    if broken:
        verb = "is" if len(broken) == 1 else "are"
        names = ", ".join(one.tag for one in broken[:MAX_SHOWN])
        more = f" and {len(broken) - MAX_SHOWN:,} more" if len(broken) > MAX_SHOWN else ""
        address = hub.keep_issue(MARKER, f"{names}{more} {verb} damaged", text)
        return f"{len(broken):,} of {len(checked):,} releases {verb} damaged: {address}"
    closed = hub.close_issue(MARKER, text)
    outcome = f"all {len(checked):,} releases are complete and intact"
    return f"{outcome}; closed {closed}" if closed else outcome


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


def _text(hub: GitHub, git: Git, checked: int, broken: Sequence[Finding]) -> str:
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
    )
