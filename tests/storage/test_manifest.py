from scripts.storage import manifest
from scripts.storage.manifest import Manifest


def test_a_manifest_is_dvcs_own_object_for_a_folder() -> None:
    made = Manifest({"b/2.png": ("bb", 2), "a/1.png": ("aa", 1), "b/3.png": ("aa", 1)})

    assert made.content() == (
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
    assert manifest.entries(made.content()) == {"a/1.png": "aa", "b/2.png": "bb"}


def test_a_manifest_lists_each_file_with_its_checksum_and_size() -> None:
    stored: list[bytes] = []

    def put(data: bytes) -> str:
        stored.append(data)
        return manifest.md5_of(data)

    files = [("a/1.png", b"one"), ("a/2.png", b"three")]
    made = manifest.of_files(files, put)

    assert made == manifest.of_files(files)
    assert made.files == {
        "a/1.png": ("f97c5d29941bfb1b2fdab0874906ab82", 3),
        "a/2.png": ("35d6d33467aae9a2e3dccb4b6b027878", 5),
    }
    assert stored == [b"one", b"three"]


def test_content_matches_the_name_of_its_object_only() -> None:
    name = manifest.md5_of(b"content")
    assert manifest.matches(name, b"content")
    assert manifest.matches(f"{name}.dir", b"content")
    assert not manifest.matches(name, b"other")
