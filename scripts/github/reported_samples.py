"""Proposes the samples that an issue reports on a branch, and comments on the issue."""

import shlex
from pathlib import PurePosixPath
from typing import Any

from scripts.curation import proposals
from scripts.curation.proposals import Checked
from scripts.curation.samples import Samples
from scripts.dataset.folders import first_names, folder_names
from scripts.errors import UserError
from scripts.git import commits
from scripts.git.git import Git
from scripts.github import actions, branches, issue_form
from scripts.github.client import GitHub
from scripts.github.issue_form import Wrong
from scripts.inputs.config import TEST
from scripts.inputs.paths import ADDITIONS_FOLDER, CURATION_FILE
from scripts.publish import origin
from scripts.releases import resolve
from scripts.releases.history import History
from scripts.review import render
from scripts.sources.source import classes

# The first line of the comment on an issue.
MARKER = "<!-- reported-samples -->\n"
LABEL = "curate"
# Characters of an error; GitHub refuses comments of more than 65,536.
MAX_FAILURE = 2_000


def curate(git: Git) -> str:
    """Propose the samples in the issue whose label started the workflow; return a message.

    Runs only the code of main, in the work tree of main. Nothing is done unless the user who set
    the label has write access. Raises `UserError`, after a comment, if the samples cannot be
    checked.
    """
    event = actions.event()
    number, sender = int(event["issue"]["number"]), str(event["sender"]["login"])
    hub = GitHub()
    if not hub.can_write(sender):
        return _answer(hub, number, sender=sender)
    form = issue_form.parse(event["issue"]["body"] or "", number)
    try:
        checked = _checked(git, number, form) if form.proposals else Checked()
        commands, unknown = _commands(git, number, form)
    except UserError as error:
        _answer(hub, number, failure=str(error)[:MAX_FAILURE], run=hub.run_url)
        raise
    refused = [Wrong(one.proposal.sample, one.why) for one in checked.refusals]
    return _answer(
        hub,
        number,
        added=len(checked.decisions),
        branch=branch(number),
        link=_link(hub, number),
        commands=commands,
        wrong=[*form.wrong, *unknown, *refused],
    )


def branch(number: int) -> str:
    """Return the name of the branch for the issue `number`."""
    return f"curate/issue-{number}"


def _checked(git: Git, number: int, form: issue_form.Form) -> Checked:
    """Check the proposals, and push a branch with the valid ones."""
    head = git.commit("HEAD")
    samples = Samples(resolve.work_tree(git), History(git))
    checked = proposals.check(samples, form.proposals)
    if checked.decisions:
        content = git.file(head, CURATION_FILE)
        made = proposals.extended(samples.dataset, content, checked.decisions)
        message = f"Curate the samples of issue {number}"
        commit = commits.commit(git, {CURATION_FILE: made}, message, head)
        origin.push_proposal(git, branch(number), commit)
    return checked


def _commands(git: Git, number: int, form: issue_form.Form) -> tuple[list[str], list[Wrong]]:
    """Return the commands that add the images, and those of which the class is unknown.

    This run cannot read the images: only the account for ingests may.
    """
    if not form.images:
        return [], []
    source = resolve.work_tree(git).source
    known = folder_names(classes(source))
    wrong, folders, copies = list[Wrong](), dict[str, None](), list[str]()
    for place, (address, label) in enumerate(form.images, 1):
        if label not in known:
            why = f"{source.name} has no class {label}; it has {first_names(known)}"
            wrong.append(Wrong(address, why))
            continue
        folder = f"{ADDITIONS_FOLDER}/{TEST}/{known[label]}"
        folders[folder] = None
        target = f"{folder}/{number}-{place}{PurePosixPath(address).suffix}"
        copies.append(shlex.join(["gcloud", "storage", "cp", address, target]))
    return [*(shlex.join(["mkdir", "-p", folder]) for folder in folders), *copies], wrong


def _link(hub: GitHub, number: int) -> str:
    title = f"Curate the samples of issue {number}"
    return branches.link(hub.url, branch(number), title=title, body=f"Closes #{number}")


def _answer(hub: GitHub, number: int, **values: Any) -> str:
    template = render.TEMPLATES.get_template("reported_samples.md.j2")
    given = dict.fromkeys(("sender", "failure", "run", "added", "branch", "link"))
    text = template.render(given | {"wrong": [], "commands": [], "label": LABEL} | values)
    return hub.answer(number, MARKER, text)
