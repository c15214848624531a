"""Whether a pull request touches the dataset. Needs nothing but Python and git, so it is quick.

Run as `python3 -m scripts.touched` on the merge that a pull request proposes; says
`dataset=true` or `dataset=false` to the workflow.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

# A change outside of these cannot change the dataset.
MADE_WITH = ("dataset_config.yaml", "scripts", "requirements.txt")
# These say where the dataset is and what it was, so a change in them is looked at too.
RECORDED_IN = ("dataset.dvc", ".dvc")


def main() -> None:
    """Look at what the merge (HEAD) changes, and at what the branch changed on the way.

    A change that was taken back changes nothing, but the comment on it must follow: by a commit,
    or by a push that replaced what was there.
    """
    net = _git("diff", "--name-only", "HEAD^1", "HEAD")
    on_the_way = _git("log", "--format=", "--name-only", "HEAD^1..HEAD^2")
    changed = sorted({*net.split(), *on_the_way.split(), *_replaced()})
    print("\n".join(changed) or "nothing that the dataset is made with", file=sys.stderr)
    line = f"dataset={str(bool(changed)).lower()}"
    print(line)
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a") as file:
            file.write(f"{line}\n")


def _replaced() -> list[str]:
    """Return what the branch changed before this push, as far as that can still be had."""
    event = os.environ.get("GITHUB_EVENT_PATH")
    before = json.loads(Path(event).read_text()).get("before") if event else None
    if before is None:
        return []
    for command in (["fetch", "--quiet", "origin", before], ["cat-file", "-e", before]):
        done = subprocess.run(["git", *command], check=False, capture_output=True)
    if done.returncode:
        return ["(what the branch changed before is not known)"]
    return _git("log", "--format=", "--name-only", f"HEAD^1..{before}").split()


def _git(*arguments: str) -> str:
    command = ["git", *arguments, "--", *MADE_WITH, *RECORDED_IN]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
