"""Mirror the releases to a dataset repository at the Hugging Face Hub.

Each release has the same tag there, the branch stable follows, and the card lists the releases that
are withdrawn. Can be run again at any time.
"""

import argparse
import importlib.util

from scripts import output
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.github import actions


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise UserError(
            "the client of the Hugging Face Hub is not installed:"
            " pip install --require-hashes -r requirements-hub.txt"
        )
    from scripts.hub import mirror  # noqa: PLC0415 - needs the client
    from scripts.hub.repository import HubRepository  # noqa: PLC0415

    name = actions.variable("HUGGINGFACE_REPOSITORY")
    changes = 0
    for line in mirror.mirror(git, HubRepository(name, actions.secret("HUGGINGFACE_TOKEN"))):
        output.say(line)
        changes += 1
    if not changes:
        output.say(f"{name} is up to date")
