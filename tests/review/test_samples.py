from scripts.dataset.dataset import Dataset
from scripts.inputs import config_file
from scripts.inputs.reader import Inputs
from scripts.review import samples
from tests.dataset.pools import pool
from tests.repository import config_text


def test_images_under_two_labels_and_copies_are_counted() -> None:
    # Drawing 0 is an a and a b; drawing 1 is there three times, always as an a.
    rows = [("a", 0), ("b", 0), ("a", 1), ("a", 1), ("a", 1)]
    rows += [("a", number) for number in range(2, 8)]
    rows += [("b", number) for number in range(10, 16)]
    text = config_text(source="pool", class_="all", samples=4, test_size=1)

    found = samples.selected(Dataset(Inputs(config_file.parse(text.encode())), pool(rows)))

    assert (found.ambiguous, found.copies) == (1, 3)
