from hypothesis import given
from hypothesis import strategies as st

from scripts.github.withdrawn import BEGIN, END, marked

LINES = st.sampled_from(["| 3 | 4 |", "> [!CAUTION]", "<!-- report -->", "text", ""])
NOTES = st.lists(LINES, max_size=5).map(lambda lines: "".join(f"{line}\n" for line in lines))
REASONS = st.one_of(
    st.text(min_size=1, max_size=200), st.sampled_from([BEGIN, END, f"`{END}`", "``@octo``"])
)


@given(NOTES, REASONS, REASONS)
def test_a_mark_replaces_the_one_before_and_can_be_removed_again(
    notes: str, one: str, other: str
) -> None:
    first = marked(notes, one)
    assert first.startswith(BEGIN)
    assert first.endswith(notes)
    assert marked(first, one) == first
    assert marked(first, other) == marked(notes, other)
    assert marked(first, None) == notes


def test_a_reason_stays_in_one_code_span() -> None:
    text = marked("notes\n", f"@octo `x`\n{END}> more")
    (line,) = (line for line in text.splitlines() if "@octo" in line)
    assert line == "> This release is withdrawn: `` @octo `x` <!-- /withdrawn --> > more ``"
