from scripts.dataset.dataset import Dataset
from scripts.inputs import config_file
from scripts.inputs.reader import Inputs
from scripts.sources import registry
from scripts.sources.source import SourceRequest
from tests.doubles.github import BOT, CONTRIBUTOR, OWNER
from tests.e2e.forge import Forge, config
from tests.github.test_issue_form import body

HEADER = "sample,action,label,new_label,reason\n"


def answer(forge: Forge, number: int) -> str:
    (comment,) = forge.hub.comments(number)
    assert comment["user"]["login"] == BOT
    text: str = comment["body"]
    return text


def a_threes_name() -> str:
    """Return a sample of class 3 in the train set of v0."""
    made = Dataset(
        Inputs(config_file.parse(config().encode())), registry.load(SourceRequest("digits"))
    )
    return made.images.identifier(made.selection.rows["train", "3"][0])


def test_reported_samples_become_a_pull_request_and_a_release(forge: Forge) -> None:
    forge.release()
    sample = a_threes_name()
    trap = forge.place / "trap"
    reason = f"`touch {trap}` ${{{{ github.token }}}} '; touch {trap} #"
    text = body(f"{sample}\n00001 $(touch {trap})", reason=reason)
    number = forge.hub.open_issue(text)

    # The label of somebody without write access has no effect.
    assert forge.on_label(number, text, "curate", CONTRIBUTOR).succeeded
    assert "Nothing was done: `contributor` cannot write" in answer(forge, number)

    run = forge.on_label(number, text, "curate", OWNER)
    assert run.jobs == {"curate": "success"}
    assert "authenticated as pull-request@example.iam" in run.log
    shown = answer(forge, number)
    assert f"/octo/ds/compare/main...curate/issue-{number}?expand=1&" in shown
    assert "- `00001 $(touch " in shown
    branch = f"curate/issue-{number}"
    curation = forge.file(branch, "curation.csv") + "\n"
    assert curation == f"{HEADER}{sample},exclude,3,,reported in #{number}: {reason}\n"
    assert not trap.exists()

    # A person opens the pull request with the link. The usual checks run, and its merge is
    # released.
    pull = forge.open_pull("opened-by-hand", {"curation.csv": curation})
    assert forge.on_pull_request(pull, "opened").succeeded
    forge.merge(pull)
    assert forge.on_push().succeeded
    assert forge.tags() == ["v0", "v1"]
