import json

from hypothesis import given
from hypothesis import strategies as st

from scripts.storage import manifest
from scripts.storage.manifest import Manifest


def test_a_manifest_is_dvcs_own_object_for_a_folder() -> None:
    made = Manifest({"b/2.png": ("bb", 2), "a/1.png": ("aa", 1), "b/3.png": ("aa", 1)})

    assert made.content == (
        b'[{"md5": "aa", "relpath": "a/1.png"}, {"md5": "bb", "relpath": "b/2.png"},'
        b' {"md5": "aa", "relpath": "b/3.png"}]'
    )
    assert made.md5 == "f6facf673b687892b960bbbc4d0f3050.dir"
    assert (made.size, made.objects()) == (4, {"aa": 1, "bb": 2})


def test_equal_files_share_an_object() -> None:
    made = Manifest({f"train/a/{n}.png": ("aa", 7) for n in range(5)})
    assert len(made.objects()) == 1
    assert made.size == 35


def test_entries_are_read_back_from_the_content() -> None:
    made = Manifest({"b/2.png": ("bb", 2), "a/1.png": ("aa", 1)})
    assert manifest.entries(made.content) == {"a/1.png": "aa", "b/2.png": "bb"}


@given(st.dictionaries(st.text(), st.tuples(st.text("0123456789abcdef"), st.integers())))
def test_any_name_is_written_as_json_does(files: dict[str, tuple[str, int]]) -> None:
    entries = [{"md5": md5, "relpath": name} for name, (md5, _) in sorted(files.items())]
    assert Manifest(files).content == json.dumps(entries).encode()


def test_content_matches_the_name_of_its_object_only() -> None:
    name = manifest.md5_of(b"content")
    assert manifest.matches(name, b"content")
    assert manifest.matches(f"{name}.dir", b"content")
    assert not manifest.matches(name, b"other")
