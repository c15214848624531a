"""Folders are named after their classes, as far as every file system allows it."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts.dataset import folders, selection
from scripts.dataset.dataset import Dataset
from scripts.dataset.folders import folder_names, folders_of
from scripts.inputs.additions import Addition
from scripts.inputs.config import Config
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Inputs
from scripts.sources.source import SourceError, check_classes
from tests.dataset.pools import of_sizes
from tests.inputs.pictures import gray

# Printable, and hard.
NAME = st.text(
    st.one_of(
        st.sampled_from('/\\:*?"<>|. ~_aAbß\u1e9e\u0131\u0130\u017fk\u212b\ufb01%#é\u0301'),
        st.characters(exclude_categories=("C", "Z")),
    ),
    min_size=1,
    max_size=100,
).filter(str.strip)
ACCEPTED_BEFORE = st.from_regex(r"\A[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,99}\Z")
WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)( *\..*)?", re.I)


def is_on_windows(name: str) -> bool:
    return not (
        re.search(r'[/\\:*?"<>|\x00-\x1f]', name) or name[-1] in ". " or WINDOWS.fullmatch(name)
    )


def config(**values: object) -> Config:
    made = {"source": "pool", "class": "all", "samples": 4, "test_size": 1, **values}
    return Config.model_validate(made)


@given(st.lists(NAME, min_size=1, max_size=8, unique=True))
@example(["a:b", "a/b", "a?b", "A_b", "a_b"])
@example(["a", "A", f"A~{'559a'}", "ca97"])
@example(["é", "e\u0301", "É", "E\u0301"])
@example(["K", "\u212a", "k", "\u017f", "s", "S", "ß", "SS"])
@example(["日" * 100, "日" * 99, "x" * 100])
def test_folders_are_unique_and_allowed_everywhere(labels: list[str]) -> None:
    found = folder_names(labels)

    assert found == folder_names(reversed(labels))
    assert found.keys() == {*labels}
    assert len({name.lower() for name in found.values()}) == len(labels)
    assert len({name.casefold() for name in found.values()}) == len(labels)
    assert len({name.upper() for name in found.values()}) == len(labels)
    assert len({unicodedata.normalize("NFD", name) for name in found.values()}) == len(labels)
    for name in found.values():
        assert name == unicodedata.normalize("NFC", name)
        assert is_on_windows(name)
        assert is_on_windows(f"no{name}")
        assert name[0] not in ". "
        assert len(f"no{name}".encode()) <= 255


@given(st.lists(ACCEPTED_BEFORE.filter(is_on_windows), unique_by=str.lower, max_size=8))
def test_what_was_accepted_before_keeps_its_name(labels: list[str]) -> None:
    assert folder_names(labels) == {label: label for label in labels}


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("golden retriever", "golden retriever"),
        ("Größe", "Größe"),
        ("Gro\u0308ße", "Größe"),
        ("a/b", "a_b"),
        ('\\:*?"<>|', "________"),
        (".hidden", "_hidden"),
        ("etc...", "etc___"),
        (" . ", "___"),
        ("NUL", "_"),
        ("con.txt", "_.txt"),
        ("com1", "_"),
        ("console", "console"),
        ("50% off", "50% off"),
        ("🐕" * 50, "🐕" * 45),
    ],
)
def test_what_file_systems_refuse_is_replaced(label: str, folder: str) -> None:
    assert folder_names([label]) == {label: folder}


def test_of_classes_with_one_folder_the_first_has_it() -> None:
    assert folder_names(["cat", "Cat", "CAT", "a:b", "a/b"]) == {
        "CAT": "CAT",
        "Cat": "Cat~4873",
        "cat": "cat~77af",
        "a/b": "a_b",
        "a:b": "a_b~6783",
    }


def test_equal_checksums_get_more_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "DIGITS", 1)
    labels = [f"{one}{other}" for one in '/\\:*?"<>|' for other in '/\\:*?"<>|']

    assert len({*folder_names(labels).values()}) == len(labels)


@pytest.mark.parametrize("label", ["a b", "Größe", "日本語", "🐕", "#1", "a&b <c>", ".", "x" * 100])
def test_text_that_can_be_read_is_a_class(label: str) -> None:
    check_classes("made", [label, label.upper()])


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", "has a class without a name: ''."),
        ("  ", "has a class without a name: '  '."),
        ("a\tb", r"the class 'a\tb'; the character U+0009 in its name cannot be printed."),
        ("a\u202eb", "the character U+202E in its name cannot be printed."),
        ("\ud800", "the character U+D800 in its name cannot be printed."),
        ("x" * 101, f"the class '{'x' * 40}'…, whose name has 101 characters; at most 100 are"),
    ],
)
def test_other_text_is_not(label: str, message: str) -> None:
    with pytest.raises(SourceError, match=re.escape(message)):
        check_classes("made", ["ok", label])


def test_the_config_names_classes_and_the_selection_has_their_folders() -> None:
    made = of_sizes(**{"a/b": 9, "Größe": 9, "x": 9})
    of_one = config(**{"class": "a/b", "samples": {"a/b": 4, "noa/b": 5}})
    several = config(**{"class": ["Gro\u0308ße", "a/b"]})
    by_class = config(test_size={"a/b": 2, "Größe": 1, "x": 1})

    assert selection.select(of_one, made).counts()["train"] == {"a_b": 3, "noa_b": 4}
    assert selection.select(several, made).counts()["test"] == {"Größe": 1, "a_b": 1}
    assert selection.select(by_class, made).counts()["test"] == {"Größe": 1, "a_b": 2, "x": 1}


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ({"a_b": 4}, "unknown folder 'a_b'; the folders are a/b"),
        ({"a/b": 10}, "folder a/b needs 10 images"),
        ({"a/b": 1}, "all 1 samples of folder a/b"),
    ],
)
def test_messages_have_the_name_of_the_class(samples: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        selection.select(config(samples=samples), of_sizes(**{"a/b": 9}))


def test_classes_that_differ_in_case_only_are_two() -> None:
    found, problems = folders_of(config(**{"class": "cat"}), of_sizes(cat=1, Cat=1))

    assert not problems
    assert found == {"cat~77af": ("cat", ["cat"]), "nocat~77af": ("nocat", ["Cat"])}


@pytest.mark.parametrize("named", ["a:b", "a_b", "Größe", "Gro\u0308ße"])
def test_an_addition_names_the_class_or_its_folder(named: str) -> None:
    added = Addition("additions/test/x/1.png", "test", named, gray(2, 2), b"1", b"", ".png")
    made = Dataset(Inputs(config(), additions=(added,)), of_sizes(**{"a:b": 9, "Größe": 9}))

    folder, label = ("a_b", "a:b") if named[0] == "a" else ("Größe", "Größe")
    assert made.selection.rows["test", folder][1:] == [18]
    assert made.images.label(18) == label
