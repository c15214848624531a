"""What a change does to a model, for reviewers: the probe, and a team's own model."""

from contextlib import suppress

from scripts.curation.samples import Samples
from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.paths import PREDICTIONS_FILE
from scripts.inputs.tree import Tree
from scripts.insight import predictions, probe, team_model
from scripts.insight.predictions import Predictions
from scripts.insight.probe import Change, Probe
from scripts.releases import index, resolve
from scripts.releases.diff import Diff
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.releases import Release
from scripts.review.report import Plan
from scripts.review.report_accuracy import ReportedProbe, reported


def with_probe(
    git: Git,
    planned: Plan,
    difference: Diff,
    dataset: Dataset,
    tree: Tree,
    *,
    probes: bool = True,
) -> Plan:
    """Return `planned` with what the probe says, and the predictions in `tree`.

    `difference` is the change of `dataset`. Without `probes` only the predictions are compared,
    which takes no time. Raises `InputError` if they are invalid.
    """
    before, change = difference.before, None
    if before and difference.old and difference.new:
        change = change_of(git, before, difference.old, difference.new, dataset)
    found = None
    if probes and before and planned.changed:
        found = probe.find(change) if change else Probe(0, silence="unread")
    return planned.model_copy(
        update={
            "probe": reported(found) if found else None,
            "model": _model(git, before, change, dataset, tree),
        }
    )


def change_of(git: Git, before: Release, old: Index, new: Index, dataset: Dataset) -> Change:
    """Return the change of `before` to `dataset`; `old` and `new` are the indexes of both."""
    return Change(
        old,
        new,
        dataset,
        lambda: resolve.of_release(git, before),
        before.lock.meta.config.get("label_by"),
    )


def _model(
    git: Git, before: Release | None, change: Change | None, dataset: Dataset, tree: Tree
) -> ReportedProbe | None:
    """Return what the predictions in `tree` say; None if there are none, or no new ones."""
    content = tree.read(PREDICTIONS_FILE)
    earlier = git.file(before.commit, PREDICTIONS_FILE) if before else None
    if content is None or content == earlier:
        return None
    samples = Samples(dataset, History(git, tree=tree))
    after = predictions.parse(content, PREDICTIONS_FILE, samples)
    was = _earlier(earlier, samples)
    if change is None or change.is_other_question:
        # Nothing to compare with: the accuracy on the whole test set.
        made = index.of_dataset(dataset)
        change, was = Change(made, made, dataset, lambda: dataset, dataset.config.label_by), None
    return reported(team_model.compare(change.tests, was, after), is_compared=was is not None)


def _earlier(content: bytes | None, samples: Samples) -> Predictions | None:
    """Return the predictions of the version before; None if it has none that can be read."""
    with suppress(UserError):
        return predictions.parse(content, PREDICTIONS_FILE, samples) if content else None
    return None
