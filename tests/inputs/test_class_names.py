"""A class is called what the config says, as it is written, or the config needs quotes."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts.inputs import config_file
from scripts.inputs.config import Config
from scripts.inputs.config_values import MAX_NAME
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.problems import InputError
from tests.ingest.pictures import labeled, write
from tests.repository import Repository, Run, config_text, contents

# Each without quotes, and what it is read as.
NOT_TEXT = {
    "1e3": "the number 1000.0",
    ".5": "the number 0.5",
    "3.0": "the number 3.0",
    ".nan": "the number nan",
    "0x10": "the number 16",
    "0o10": "the number 8",
    "1_000": "the number 1000",
    "+3": "the number 3",
    "true": "the truth value true",
    "False": "the truth value false",
    "null": "nothing",
    "~": "nothing",
    "2020-01-01": "a date",
    "2020-01-01 10:00:00": "a date and time",
    "2020-13-45": "an invalid date",
}
AS_WRITTEN = ("3", "01", "-1", "-01", "00", "yes", "on", "12:30", "1.5.2", "=", "9" * 30)


def text(**written: str) -> bytes:
    """Return a config with values as they are written."""
    values = {"source": "digits", "class_": "3", "samples": "5", "test_size": "2", **written}
    return "".join(f"{key.rstrip('_')}: {value}\n" for key, value in values.items()).encode()


def message(written: str) -> str:
    meaning = NOT_TEXT[written]
    return f"expected text; without quotes, {written} is read as {meaning}. Write '{written}'"


def problems(content: bytes) -> list[str]:
    with pytest.raises(InputError) as caught:
        config_file.parse(content)
    return [f"{one.mark.line}:{one.mark.column}: {one.message}" for one in caught.value.problems]


@pytest.mark.parametrize("written", AS_WRITTEN)
def test_a_class_needs_no_quotes_where_its_name_is_clear(written: str) -> None:
    assert config_file.parse(text(class_=written)).class_ == written
    assert config_file.parse(text(class_=f"[x, {written}]")).class_ == ["x", written]
    assert config_file.parse(text(samples=f"{{{written} : 5}}")).samples == {written: 5}
    assert config_file.parse(text(test_size=f"{{{written} : 5}}")).test_size == {written: 5}


@pytest.mark.parametrize("written", NOT_TEXT)
def test_a_name_that_is_no_text_without_quotes_is_refused_with_them(written: str) -> None:
    expected = message(written)

    assert problems(text(class_=written)) == [f"2:8: class: {expected}"]
    assert problems(text(class_=f"[01, {written}]")) == [f"2:13: class.1: {expected}"]
    assert problems(text(samples=f"{{{written} : 5}}")) == [f"3:11: samples.{written}: {expected}"]
    for key in ("title", "description", "citation"):
        assert problems(text(**{key: written})) == [f"5:{len(key) + 3}: {key}: {expected}"]


@pytest.mark.parametrize("written", NOT_TEXT)
def test_with_quotes_it_is_the_name(written: str) -> None:
    assert config_file.parse(text(class_=f"'{written}'")).class_ == written


def test_classes_whose_names_are_the_same_number_are_two_classes() -> None:
    parsed = config_file.parse(text(class_="[1, 01]", samples="{1: 5, 01: 6}"))

    assert (parsed.class_, parsed.samples) == (["1", "01"], {"1": 5, "01": 6})


PLAIN = st.text("0123456789-+._:eExoOabnfTtrulNyYs~=", min_size=1, max_size=12)


def _selected(written: str, **values: str) -> Config | list[str]:
    try:
        return config_file.parse(text(**values))
    except InputError as error:
        return [problem.message for problem in error.problems]


@given(PLAIN)
@example("1e3")
@example("012")
@example("1__0")
@example("2001-12-14")
@example("-")
@example("---")
def test_any_class_is_what_is_written_or_needs_quotes(written: str) -> None:
    found = _selected(written, class_=written)

    if isinstance(found, Config):
        assert found.class_ == written
        assert found.record()["class"] == written
        return
    assert len(found) == 1
    if "not valid YAML" not in found[0]:
        assert found[0].endswith(f"Write '{written}'")
        assert config_file.parse(text(class_=f"'{written}'")).class_ == written


def test_a_long_number_is_not_repeated() -> None:
    (found,) = problems(text(class_="1" * MAX_NAME + ".5"))
    assert found == (
        f"2:8: class: expected text; without quotes, it is read as the number"
        f" {float('1' * MAX_NAME)}. Write it in quotes"
    )


def test_a_source_with_the_classes_1_and_01_gives_the_one_that_is_written(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    photos = write(tmp_path / "photos", labeled(range(16), "1", "01"))
    assert run("ingest", "made", str(photos)).code == 0

    for written in ("1", "01"):
        (repository.root / CONFIG_FILE).write_bytes(text(source="made", class_=f"[{written}]"))
        assert run("build").code == 0
        folders = {name.split("/")[1] for name in contents(repository.root / "dataset")}
        assert folders == {written}


def test_a_class_that_the_source_calls_otherwise_is_refused(
    repository: Repository, run: Run
) -> None:
    (repository.root / CONFIG_FILE).write_bytes(text(class_="03"))

    result = run("validate")

    assert result.code == 1
    assert result.err.startswith(f"{CONFIG_FILE}:2:8: class: digits has no class '03'; it has 0, 1")


def as_older_code_released(released: Repository) -> None:
    """Make v0 what older code made of `class: 03`: it took the number for its value."""
    written = config_text().replace("class: 3", "class: 03")
    (released.root / CONFIG_FILE).write_text(written)
    released.git("commit", "--quiet", "--amend", "--all", "--no-edit")
    released.git("push", "--quiet", "--force", "origin", "HEAD:main")
    released.git("tag", "--force", "--annotate", "v0", "--message", "version 0")
    released.git("push", "--quiet", "--force", "origin", "v0")


def test_a_release_in_which_01_meant_1_stays_what_it_is(released: Repository, run: Run) -> None:
    as_older_code_released(released)

    assert "v0  complete and intact" in run("verify").out
    assert run("repair", "v0").out.startswith("v0 is complete and intact")
    assert "no change" in run("plan").out.lower()
    assert run("release").code == 0
    assert released.tags() == ["v0"]

    released.configure(config_text(samples=6).replace("class: 3", "class: 03"))
    assert "digits has no class '03'" in run("validate").err
