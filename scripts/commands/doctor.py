"""Check what `setup` has set up, and change nothing.

Each line is right, missing, wrong, or unknown where you may not see it; below it are the commands
that mend it. Exits with code 1 if something is missing or wrong.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.setup import doctor, text


def run(_: argparse.Namespace, __: Git) -> int:
    """Run the verb."""
    wanted, judged = doctor.check(doctor.repository_here())
    judged += doctor.check_machine(wanted.store)
    output.say(text.checked(judged))
    return 1 if text.broken(judged) else 0
