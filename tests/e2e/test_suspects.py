"""Labels that look wrong: the known ones of MNIST, and the monthly issue."""

from scripts.github.doubtful_labels import MARKER
from scripts.insight import suspects
from tests.doubles.github import REPOSITORY
from tests.e2e.forge import Forge, config
from tests.insight.test_suspects import dataset_of, source

CONFIG = "dataset_config.yaml"
# Labels of MNIST's test set that a majority of five reviewers did not confirm, with the right ones,
# empty if nobody can tell (https://labelerrors.com).
KNOWN_ERRORS = {
    **{60947: "9", 61621: "6", 61901: "4", 62462: "0", 62597: "3", 63558: "0", 65937: "3"},
    **{66651: "6", 66783: "6", 69729: "6", 62130: "", 62654: "", 63520: "", 68527: "", 69679: ""},
}


def test_the_monthly_run_opens_an_issue(forge: Forge) -> None:
    forge.merge(
        forge.open_pull("all", {CONFIG: config(**{"class": "all"}, samples=10, test_size=2)})
    )
    forge.release()

    forge.variables = {**forge.variables, "SUSPECTS": "true"}
    run = forge.on_dispatch("suspects.yml")
    assert run.jobs == {"suspects": "success"}, run.log
    (issue,) = forge.hub.ask("GET", f"/repos/{REPOSITORY}/issues")
    assert issue["body"].startswith(MARKER)
    assert f"suspects in v0: {issue['html_url']}" in run.log


def test_known_label_errors_of_mnist_are_among_the_first_hundred(mnist: None) -> None:
    found = suspects.find(dataset_of(source("mnist_784")), range(60_000, 70_000), most=10_000)

    assert (found.judged, found.others, found.is_complete) == (10_000, 70_000, True)
    places = {one.row: place for place, one in enumerate(found.ranked)}
    assert sum(places.get(row, 10_000) < 100 for row in KNOWN_ERRORS) == 9
    suggested = {one.row: one.suggested for one in found.ranked}
    # 11 are known to have another label, the others are no digit that anybody could tell.
    assert sum(suggested.get(row) == label for row, label in KNOWN_ERRORS.items() if label) == 9
