import pytest

from scripts.inputs import releases_file
from scripts.inputs.problems import InputError
from scripts.inputs.releases_file import MAX_REASON

TAG = "expected the tag of a release such as v2, found"


def test_the_file_names_the_stable_release_and_the_withdrawn_ones_with_reasons() -> None:
    content = b"stable: v3\nwithdrawn: {v2: seven wrong labels}\n"
    parsed = releases_file.parse(content)
    assert (parsed.stable, parsed.withdrawn) == ("v3", {"v2": "seven wrong labels"})


@pytest.mark.parametrize("content", [None, b"withdrawn: {}\n", b"stable:\n"])
def test_without_a_file_or_a_key_nothing_is_stable_or_withdrawn(content: bytes | None) -> None:
    parsed = releases_file.parse(content)
    assert (parsed.stable, parsed.withdrawn) == (None, {})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ["1:1: expected a mapping such as 'stable: v3' at the top, found nothing"]),
        ("stable: 3\n", [f"1:9: stable: {TAG} 3"]),
        ("stable: v03\n", [f"1:9: stable: {TAG} 'v03'"]),
        ("stabel: v3\n", ["1:1: unknown key 'stabel'; did you mean stable?"]),
        (
            "withdrawn: [v2]\n",
            [
                "1:12: withdrawn: expected a reason for each tag, such as"
                " {v2: seven wrong labels}, found a list"
            ],
        ),
        (
            "withdrawn:\n  v02: x\n  v2: ''\n  v3:\n  v4: ' '\n",
            [
                f"2:3: withdrawn.v02: {TAG} 'v02'",
                "3:7: withdrawn.v2: the reason must not be empty, found ''",
                "4:3: withdrawn.v3: expected a reason such as 'seven wrong labels', found nothing",
                "5:7: withdrawn.v4: the reason must not be empty, found ' '",
            ],
        ),
        (
            f"withdrawn: {{v2: {'x' * (MAX_REASON + 1)}}}\n",
            [
                f"1:17: withdrawn.v2: the reason must have at most {MAX_REASON} characters, found"
                f" '{'x' * 39}…"
            ],
        ),
        ("withdrawn: {v2: {a: b}}\n", ["1:17: nested too deeply"]),
        ("stable: &a v3\n", ["1:9: anchors (&) and aliases (*) are not allowed"]),
    ],
)
def test_every_problem_has_its_place(content: str, expected: list[str]) -> None:
    with pytest.raises(InputError) as error:
        releases_file.parse(content.encode())
    lines = str(error.value).splitlines()
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(f"releases.yaml:{start}")
