from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.doubles import browser as chromium
from tests.e2e.forge import Forge, Run, config
from tests.repository import contents

CONFIG = "dataset_config.yaml"
MAKE_DOCS = "make docs SITE=catalogue/docs"


def artifact(forge: Forge, run: Run) -> Path:
    return forge.hub.artifacts / str(run.number) / "catalogue" / "catalogue"


@pytest.mark.skipif(bool(chromium.MISSING), reason=str(chromium.MISSING))
def test_a_release_run_leaves_a_catalogue_which_is_public_only_where_the_team_says_so(
    forge: Forge,
) -> None:
    forge.release()
    for samples in (20, 30):
        forge.merge(forge.open_pull(f"to-{samples}", {CONFIG: config(samples=samples)}))
    forge.only = {}
    run = forge.on_push()
    assert run.jobs == {"release": "success", "catalogue": "success"}
    assert MAKE_DOCS not in run.log
    assert not (forge.place / "pages").exists()
    with chromium.running() as browser:
        page, said = browser.new_page(), list[str]()
        page.on("console", lambda message: said.append(message.text))
        page.goto((artifact(forge, run) / "index.html").as_uri())
        for tag in ("v2", "v1", "v0"):
            page.get_by_role("link", name=tag, exact=True).click()
            expect(page.locator("h1")).to_have_text(tag)
            page.go_back()
        page.get_by_role("link", name="v2", exact=True).click()
        page.get_by_role("link", name="28 images of train/3").click()
        expect(page.locator(".cells li")).to_have_count(28)
        assert said == []

    # Once the team has said so, the next run publishes it. Nothing else has changed.
    forge.variables = {**forge.variables, "CATALOGUE": "public", "DOCS": "public"}
    public = forge.on_dispatch()
    assert public.jobs == {
        "release": "success",
        "catalogue": "success",
        "publish-catalogue": "success",
    }
    assert MAKE_DOCS in public.log
    assert contents(forge.place / "pages") == contents(artifact(forge, run))


def test_before_the_first_release_there_is_no_catalogue(fresh: Forge) -> None:
    fresh.only = {}

    run = fresh.on_push()

    assert run.jobs == {"release": "success", "catalogue": "success"}
    assert "there is no release yet" in run.log
    assert not artifact(fresh, run).exists()
