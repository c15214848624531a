import pytest

from scripts.inputs import config_file
from scripts.inputs.policy import Policy
from scripts.inputs.problems import InputError
from tests.repository import config_text

AT_MOST = "expected `none` or the largest number that is accepted, such as 5"


def parsed(rule: str) -> Policy | None:
    return config_file.parse((config_text() + f"require:\n  {rule}\n").encode()).require


def test_none_means_that_nothing_is_accepted() -> None:
    assert parsed("suspects: none") == Policy(suspects=0) == parsed("suspects: 0")
    assert parsed("suspects: 4") == Policy(suspects=4)


def test_the_rules_are_recorded_as_they_were_asked_for() -> None:
    text = (config_text() + "require: {suspects: none, max_imbalance: 3}\n").encode()
    recorded = config_file.parse(text).record()

    assert recorded["require"] == {"suspects": 0, "max_imbalance": 3.0}
    assert config_file.is_recorded(text, recorded)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("min_per_clas: 50", "3: unknown key 'require.min_per_clas'; did you mean min_per_class?"),
        ("colour: 50", "3: unknown key 'require.colour'; known keys: min_per_class, "),
        ("min_per_class: 0", "18: require.min_per_class: must be at least 1, found 0"),
        ("min_per_class: 1.5", "18: require.min_per_class: expected a whole number, found 1.5"),
        ("max_imbalance: 0.5", "18: require.max_imbalance: must be at least 1.0, found 0.5"),
        ("max_imbalance: a", "18: require.max_imbalance: expected a number, found 'a'"),
        ("near_duplicates: few", f"20: require.near_duplicates: {AT_MOST}, found 'few'"),
        ("suspects: -1", f"13: require.suspects: {AT_MOST}, found -1"),
        ("suspects: true", f"13: require.suspects: {AT_MOST}, found true"),
        ("probe_drop: .nan", "15: require.probe_drop: "),
        ("licenses: MIT", "13: require.licenses: expected a list, found 'MIT'"),
        ("licenses: []", "13: require.licenses: must not be empty, found an empty list"),
    ],
)
def test_an_invalid_rule_is_refused_at_its_place(rule: str, problem: str) -> None:
    with pytest.raises(InputError) as refused:
        parsed(rule)

    (found,) = str(refused.value).splitlines()
    assert found.startswith(f"dataset_config.yaml:7:{problem}")
