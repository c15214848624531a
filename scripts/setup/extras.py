"""What is set up at GitHub for the catalogue and a cluster."""

from scripts.setup.hub import RELEASE, names, path, secrets_of, variables
from scripts.setup.step import (
    CATALOGUE,
    CLUSTER,
    Command,
    Json,
    Step,
    Verdict,
    Wanted,
    gh,
    look_gh,
    missing,
    right,
    wrong,
)

CATALOGUE_VARIABLE, PUBLIC = "CATALOGUE", "public"
SCHEDULER = "DASK_SCHEDULER_ADDRESS"
CERTIFICATES = {
    "DASK_CA": "ca.pem",
    "DASK_CERTIFICATE": "release.pem",
    "DASK_KEY": "release-key.pem",
}


def _judge_pages(wanted: Wanted, found: Json) -> Verdict:
    def with_workflow(method: str) -> Command:
        return gh("api", path(wanted, "pages"), "--method", method, "-f", "build_type=workflow")

    if found is None:
        return missing("they are off", with_workflow("POST"))
    problems = ["they are built from a branch"] if found["build_type"] != "workflow" else []
    return wrong(problems, with_workflow("PUT"))


def _judge_certificates(wanted: Wanted, secrets: Json) -> Verdict:
    absent = [name for name in CERTIFICATES if name not in names(secrets)]
    mend = (
        # The file is read by the shell of the person who has it.
        Command(
            ("gh", "secret", "set", name, "--env", RELEASE, "--repo", wanted.repository),
            file=CERTIFICATES[name],
        )
        for name in absent
    )
    return missing(f"not set: {', '.join(absent)}", *mend) if absent else right()


STEPS = (
    Step(
        "pages",
        "They show the catalogue. PAGES OF A PRIVATE REPOSITORY ARE PUBLIC on most plans.",
        lambda wanted: (look_gh("api", path(wanted, "pages"), is_admins=True),),
        _judge_pages,
        (CATALOGUE,),
    ),
    variables(
        "variable of the catalogue",
        "The release publishes the catalogue, with every image, only where it is set.",
        lambda _: {CATALOGUE_VARIABLE: PUBLIC},
        CATALOGUE,
    ),
    variables(
        "variable of the cluster",
        "The release makes the files on this Dask cluster.",
        lambda wanted: {SCHEDULER: wanted.scheduler},
        CLUSTER,
    ),
    Step(
        "secrets of the cluster",
        "The certificate identifies the release; the authority of the cluster signs it.",
        lambda wanted: (secrets_of(wanted, RELEASE),),
        _judge_certificates,
        (CLUSTER,),
        by_hand=True,
    ),
)
