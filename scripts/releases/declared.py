"""Reads and checks `releases.yaml`, and finds its changes."""

from dataclasses import dataclass

from scripts.errors import UserError
from scripts.git.git import Git, GitTree
from scripts.inputs import releases_file
from scripts.inputs.paths import RELEASES_FILE
from scripts.inputs.problems import InputError, Problem
from scripts.inputs.releases_file import ReleasesFile
from scripts.inputs.strict_yaml import KEY
from scripts.inputs.tree import Tree
from scripts.releases import releases
from scripts.releases.releases import Releases

# The branch that holds the stable release.
STABLE = "stable"


@dataclass(frozen=True)
class DeclaredChange:
    """A change of `releases.yaml`.

    `before` and `after` are the stable release, None without one. `withdrawn` are newly withdrawn
    releases, `restored` those that are no longer withdrawn.
    """

    before: str | None
    after: str | None
    withdrawn: list[str]
    restored: list[str]


def read(git: Git, tree: Tree) -> ReleasesFile:
    """Return the content of `releases.yaml` in `tree`; raises `InputError` with every problem."""
    parsed = releases_file.parse(tree.read(RELEASES_FILE))
    if wrong := _problems(parsed, releases.scan(git)):
        raise InputError(wrong)
    return parsed


def problems(git: Git, tree: Tree) -> list[Problem]:
    """Return the problems of `releases.yaml` in `tree`."""
    try:
        read(git, tree)
    except InputError as error:
        return error.problems
    return []


def on_main(git: Git) -> ReleasesFile:
    """Return the content of `releases.yaml` on main; empty if it is invalid."""
    try:
        return read(git, GitTree(git, releases.main_of(git)))
    except InputError:
        return ReleasesFile()


def change(git: Git, tree: Tree) -> DeclaredChange | None:
    """Return the change in `tree` compared with main; None if there is none.

    Raises `InputError` if its `releases.yaml` is invalid.
    """
    before, after = on_main(git), read(git, tree)
    withdrawn = [tag for tag in after.withdrawn if tag not in before.withdrawn]
    restored = [tag for tag in before.withdrawn if tag not in after.withdrawn]
    found = DeclaredChange(before.stable, after.stable, withdrawn, restored)
    return found if found.before != found.after or withdrawn or restored else None


def _problems(parsed: ReleasesFile, found: Releases) -> list[Problem]:
    places = {tag: ("withdrawn", tag, KEY) for tag in parsed.withdrawn}
    wrong = [parsed.problem(at, text) for tag, at in places.items() if (text := _none(found, tag))]
    if parsed.stable is None:
        return wrong
    if text := _none(found, parsed.stable):
        wrong.append(parsed.problem((STABLE,), text))
    elif parsed.stable in parsed.withdrawn:
        text = f"{parsed.stable} is withdrawn, so it cannot be stable. Name another release"
        wrong.append(parsed.problem((STABLE,), text))
    return wrong


def _none(found: Releases, tag: str) -> str | None:
    """Return the reason why `tag` is not a release; None if it is one."""
    try:
        found.get(tag)
    except UserError as error:
        return str(error)
    return None
