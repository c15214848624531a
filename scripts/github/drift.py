"""Drift: reports in one issue whether images in production are like those of the newest release."""

from urllib.parse import urlencode

from scripts import output
from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.github import actions, previews
from scripts.github.client import GitHub
from scripts.ingest import drifted
from scripts.ingest.drifted import LocationDrift
from scripts.publish import origin
from scripts.releases import releases, resolve
from scripts.review import drift_sheet, render
from scripts.review.drift_sheet import NewImage

# The first line of the issue; a later run finds it by this line and the author.
MARKER = "<!-- dataset-drift -->\n"
# The form that a click on an image opens, in .github/ISSUE_TEMPLATE.
FORM = "samples.yml"
# The variable with the address of the images.
PRODUCTION = "PRODUCTION"
MAX_INVALID = 10


def report(git: Git) -> str:
    """Compare the images in production, and open, update or close the issue; return a message.

    Too few images say nothing, and change no issue. Raises `UserError` if the release or the
    images cannot be read.
    """
    hub, address = GitHub(), actions.variable(PRODUCTION)
    origin.try_again(lambda: origin.fetch(git))
    release = releases.scan(git).latest
    if release is None:
        return "there is no release to compare with"
    dataset = resolve.of_release(git, release)
    found = drifted.compare(dataset, address)
    verdict = found.verdict(release.tag)
    if not found.drift.traits:
        return verdict
    if found.drift.is_different:
        text = _text(hub, found, release.tag, _put_sheet(git, hub, dataset, found))
        title = f"Images in production are not like those of {release.tag}"
        return f"{verdict}: {hub.keep_issue(MARKER, title, text)}"
    closed = hub.close_issue(MARKER, _text(hub, found, release.tag, ""))
    if closed:
        previews.put_drift(git, hub, None)
    return f"{verdict}; closed {closed}" if closed else verdict


def _put_sheet(git: Git, hub: GitHub, dataset: Dataset, found: LocationDrift) -> str:
    """Publish the sheet; return its address, empty if origin refuses it."""
    strange = [NewImage(one.path, one.picture, one.similar) for one in found.strange]
    try:
        return previews.put_drift(git, hub, drift_sheet.draw(dataset, strange))
    except UserError as error:
        output.log(f"the issue has no picture: {error}")
        return ""


def _text(hub: GitHub, found: LocationDrift, tag: str, picture: str) -> str:
    return render.TEMPLATES.get_template("drift.md.j2").render(
        found=found,
        tag=tag,
        picture=picture,
        run=hub.run_url,
        page=f"{hub.url}/blob/main/docs/drift.md",
        form=lambda path: _form(hub, f"{found.address.rstrip('/')}/{path}", tag),
        max_invalid=MAX_INVALID,
    )


def _form(hub: GitHub, address: str, tag: str) -> str:
    """Return the address of the form that adds an image; GitHub fills in text fields only."""
    fields = {
        "template": FORM,
        "title": "Add an image",
        "samples": f"{address} ",
        "reason": f"unlike any image of {tag}",
    }
    return f"{hub.url}/issues/new?{urlencode(fields)}"
