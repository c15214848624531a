"""Doubtful labels: lists the suspects of the newest release in one issue."""

from itertools import chain

from scripts.git.git import Git
from scripts.github.client import GitHub
from scripts.inputs import curation
from scripts.insight import suspects
from scripts.publish import repair
from scripts.releases import releases, resolve
from scripts.review import render

# The first line of the issue; a later run finds it by this line and the author.
MARKER = "<!-- dataset-suspects -->\n"
# The suspects of each split that the issue lists.
MOST = 20


def report(git: Git) -> str:
    """Rank the samples of the newest release, and open, update or close the issue.

    Returns a message. Raises `UserError` if the release cannot be made again here.
    """
    release = releases.scan(git).latest
    if release is None:
        return "there is no release to check"
    if repair.is_of_other_rule(release):
        return f"{release.tag} was made by another selection rule, so its samples are not judged"
    hub, dataset = GitHub(), resolve.of_release(git, release)
    places = dataset.selection.places()
    found = suspects.find(dataset, places, most=MOST)
    if not found.is_telling:
        return " ".join(suspects.in_words(found))
    worst = [*chain(*found.worst_by_split(places).values())]
    rows = [suspects.decision_of(dataset, one) for one in worst]
    text = render.TEMPLATES.get_template("doubtful_labels.md.j2").render(
        tag=release.tag,
        words=suspects.in_words(found),
        worst=worst,
        places=places,
        identifier=dataset.images.identifier,
        rows=curation.extended(None, [row for row in rows if row]).decode(),
        edit=f"{hub.url}/edit/main/curation.csv",
        run=hub.run_url,
    )
    if worst:
        title = f"{found.count:,} labels of {release.tag} look wrong"
        return f"{found.count:,} suspects in {release.tag}: {hub.keep_issue(MARKER, title, text)}"
    closed = hub.close_issue(MARKER, text)
    return f"no suspects in {release.tag}" + (f"; closed {closed}" if closed else "")
