"""What a change does to a model, for reviewers: insight into it, and a team's own model."""

from contextlib import suppress

from scripts.curation.samples import Samples
from scripts.errors import UserError
from scripts.inputs.paths import PREDICTIONS_FILE
from scripts.inputs.tree import Tree
from scripts.insight import policy_check, predictions, team_model
from scripts.insight.facts import Facts
from scripts.insight.predictions import Predictions
from scripts.insight.probe import Change
from scripts.releases import index
from scripts.releases.history import History
from scripts.review.report import Plan
from scripts.review.report_accuracy import ReportedProbe, reported
from scripts.review.report_copies import reported_copies
from scripts.review.report_insight import reported_policy, reported_suspects


def with_insight(planned: Plan, found: Facts, tree: Tree, *, searches: bool = True) -> Plan:
    """Return `planned` with policy, probe, suspects, changed copies, and the predictions in `tree`.

    Without `searches`, there is only what takes no time, and what the policy has rules for. Raises
    `InputError` if the predictions are invalid.
    """
    is_searched = searches and planned.changed
    probe = found.probe if is_searched else None
    suspects = found.suspects if is_searched else None
    has_rules = found.dataset.config.require is not None
    return planned.model_copy(
        update={
            "probe": reported(probe) if probe else None,
            "changed_copies": reported_copies(found.copies) if is_searched else None,
            "suspects": reported_suspects(found.dataset, suspects) if suspects else None,
            "policy": reported_policy(policy_check.check(found)) if has_rules else None,
            "model": _model(found, tree),
        }
    )


def _model(found: Facts, tree: Tree) -> ReportedProbe | None:
    """Return what the predictions in `tree` say; None if there are none, or no new ones."""
    content, dataset, change = tree.read(PREDICTIONS_FILE), found.dataset, found.change
    earlier = found.git.file(found.before.commit, PREDICTIONS_FILE) if found.before else None
    if content is None or content == earlier:
        return None
    samples = Samples(dataset, History(found.git, tree=tree))
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
