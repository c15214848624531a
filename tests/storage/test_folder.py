"""A folder that is changed by difference, compared with one that is made anew."""

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.storage import folder
from tests.repository import contents

NAMES = st.sampled_from(["a", "b/c", "b/d", "b/e/f", "e", "g/h/i/j"])
CONTENTS = st.sampled_from([b"1", b"2", b"3"])


def objects(place: Path) -> dict[bytes, Path]:
    """Make a file for each content."""
    made = {content: place / content.decode() for content in (b"1", b"2", b"3")}
    for content, path in made.items():
        path.write_bytes(content)
    return made


@settings(max_examples=200)
@given(
    st.dictionaries(NAMES, CONTENTS, min_size=1),
    st.dictionaries(NAMES, CONTENTS),
    st.sets(st.sampled_from(["b", "b/e", "g/h", "x/y", "e/z"])),
    st.booleans(),
)
def test_any_folder_becomes_what_is_wanted(
    wanted: dict[str, bytes], before: dict[str, bytes], folders: set[str], linked: bool
) -> None:
    with tempfile.TemporaryDirectory() as place:
        source, target = objects(Path(place)), Path(place, "folder")
        for name, content in before.items():
            if not any(parent.is_file() for parent in (target / name).parents):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                if not (target / name).exists():
                    if linked:
                        os.link(source[content], target / name)
                    else:
                        (target / name).write_bytes(content)
        for name in folders:
            if not any(path.is_file() for path in ((target / name), *(target / name).parents)):
                (target / name).mkdir(parents=True, exist_ok=True)
        inodes = {name: source[content].stat().st_ino for name, content in wanted.items()}

        change = folder.compare(target, inodes)
        change.apply(target, lambda name: str(source[wanted[name]]))

        assert contents(target) == wanted
        assert {str(path.relative_to(target)) for path in target.rglob("*") if path.is_dir()} == {
            str(parent) for name in wanted for parent in Path(name).parents[:-1]
        }
        assert not folder.compare(target, inodes).needed
