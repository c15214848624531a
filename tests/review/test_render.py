import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from sklearn.datasets import load_digits

from scripts import markdown
from scripts.git.git import Git
from scripts.releases import lock
from scripts.releases.history import History
from scripts.review import plan as plans
from scripts.review import render, report_json, words
from scripts.review.render import (
    MAX_CURATED_SHOWN,
    MAX_PROBLEMS_SHOWN,
    MAX_ROWS,
    MAX_UNFOLDED,
    Review,
)
from scripts.review.report import (
    MAX_CURATED,
    MAX_PATH,
    MAX_REASON,
    Bytes,
    LeftOut,
    Report,
    ReportedProblem,
    Selected,
    Stored,
)
from scripts.review.report_copies import ChangedCopies
from scripts.review.report_samples import MAX_LISTED, NearDuplicates
from scripts.review.report_types import NAME
from scripts.review.warnings import MAX_NAMED
from scripts.storage import manifest
from tests.repository import Repository, Run, config_text
from tests.review.plans import (
    MD5,
    change,
    copies,
    counts,
    curated,
    leak,
    near,
    plan,
    sample,
    samples,
)

# GitHub's limit for a comment.
COMMENT_LIMIT = 65_536


def comment(stored: Stored | None = None, *, no_bucket: bool = False, **changes: Any) -> str:
    """Return the comment on a plan with `changes`."""
    return render.comment(Report(plan=plan(**changes), stored=stored, no_bucket=no_bucket))


def planned(run: Run) -> dict[str, Any]:
    """Return the plan as data."""
    found: dict[str, Any] = json.loads(run("plan", "--format", "json").out)
    return found


def facts_on_bytes(made: dict[str, Any]) -> str:
    before, after, new = (words.size(made["bytes"][key]) for key in ("before", "after", "new"))
    return f"{before} before, {after} after, {new} to store"


def problem(message: str) -> ReportedProblem:
    return ReportedProblem(file=None, line=0, column=0, message=message)


def test_a_plan_as_text(released: Repository, run: Run) -> None:
    made = planned(run)

    assert (
        run("plan").out
        == f"""\
dataset v1: +6 samples, 2 classes

class      train    test    total
3         5 (+2)  3 (+1)   8 (+3)
no3       5 (+2)  3 (+1)   8 (+3)
total    10 (+4)  6 (+2)  16 (+6)

samples     6 added, 0 removed
comparable  with v0
bytes       {facts_on_bytes(made)}
md5         {made["md5"]}
"""
    )


def test_a_plan_as_markdown(released: Repository, run: Run) -> None:
    made = planned(run)

    assert (
        run("plan", "--format", "markdown").out
        == f"""\
### dataset v1: +6 samples, 2 classes

| class | train | test | total |
| --- | ---: | ---: | ---: |
| 3 | 5 (+2) | 3 (+1) | 8 (+3) |
| no3 | 5 (+2) | 3 (+1) | 8 (+3) |
| total | 10 (+4) | 6 (+2) | 16 (+6) |

- **samples**: 6 added, 0 removed
- **probe**: says nothing, because it needs 30 shared test images, and there are 4
- **comparable with**: v0
- **bytes**: {facts_on_bytes(made)}
- **md5**: `{made["md5"]}`
"""
    )


def test_a_plan_as_json(released: Repository, run: Run) -> None:
    made = planned(run)

    assert made.keys() == {
        *("version", "against", "changed", "counts", "samples", "bytes", "md5"),
        *("source_changed", "seed_changed", "rule_changed", "resized"),
        *("comparable", "incomparable", "leaks", "placed_leaks", "unknown"),
        *("curated", "selected", "near_duplicates", "changed_copies", "promotion", "probe"),
        *("suspects", "policy", "model"),
    }
    assert (made["version"], made["against"], made["changed"]) == ("v1", "v0", True)
    assert made["counts"] == [
        {"split": split, "class": folder, "before": before, "after": after}
        for split, before, after in [("train", 3, 5), ("test", 2, 3)]
        for folder in ("3", "no3")
    ]
    assert made["samples"] == {
        **{"before": 10, "added": 6, "removed": 0, "test_removed": 0},
        **{"relabeled": 0, "to_train": 0, "to_test": 0},
    }
    assert run("build").code == 0
    assert made["md5"] in run("build").out


def test_the_first_version_is_compared_with_nothing(repository: Repository, run: Run) -> None:
    text, markdown = run("plan").out, run("plan", "--format", "markdown").out

    assert text.startswith("dataset v0: +10 samples, 2 classes\n")
    assert re.search(r"^no3 +3 \(\+3\) +2 \(\+2\) +5 \(\+5\)$", text, re.MULTILINE)
    assert "\ncomparable  with no release: this is the first one\n" in text
    assert "| no3 | 3 (+3) | 2 (+2) | 5 (+5) |\n" in markdown
    assert "- **samples**: 10 added, 0 removed\n" in markdown


def test_an_unchanged_dataset_has_a_title_and_no_table(released: Repository, run: Run) -> None:
    released.configure(f"# another comment\n{config_text()}")

    text, markdown = run("plan").out, run("plan", "--format", "markdown").out

    assert text.startswith("dataset: no change compared with v0\n\nsamples     0 added, 0 removed")
    assert markdown.startswith(
        "### dataset: no change compared with v0\n\n- **samples**: 0 added, 0 removed\n"
    )
    assert planned(run)["changed"] is False


def test_a_new_split_of_the_same_size_has_no_table(released: Repository, run: Run) -> None:
    released.configure(config_text(seed=1))

    text, markdown = run("plan").out, run("plan", "--format", "markdown").out

    assert text.startswith(
        "dataset v1: new split, 10 of 10 samples replaced\n\nsamples     10 added, 10 removed\n"
    )
    assert "| class |" not in markdown
    assert "<details>" not in markdown
    assert " image.\n\n- **samples**: 10 added, 10 removed\n" in markdown


def test_classes_that_do_not_change_are_folded_away(released: Repository, run: Run) -> None:
    released.configure(config_text(samples={"3": 6, "no3": 5}, test_size=2))

    assert (
        "class      train    test    total\n"
        "3         4 (+1)       2   6 (+1)\n"
        "total     7 (+1)       4  11 (+1)\n"
        "(1 class without change)\n"
        "\nsamples "
    ) in run("plan").out
    assert (
        """\
| class | train | test | total |
| --- | ---: | ---: | ---: |
| 3 | 4 (+1) | 2 | 6 (+1) |
| total | 7 (+1) | 4 | 11 (+1) |

<details><summary>1 class without change</summary>

| class | train | test | total |
| --- | ---: | ---: | ---: |
| no3 | 3 | 2 | 5 |

</details>

- **samples**: 1 added, 0 removed
"""
        in run("plan", "--format", "markdown").out
    )


def test_classes_that_disappear_are_shown(released: Repository, run: Run) -> None:
    released.configure(config_text(class_=[3, 5]))

    text, markdown = run("plan").out, run("plan", "--format", "markdown").out

    assert re.search(r"^no3 +0 \(-3\) +0 \(-2\) +0 \(-5\)$", text, re.MULTILINE)
    assert "| no3 | 0 (-3) | 0 (-2) | 0 (-5) |\n" in markdown
    assert "| 5 | 3 (+3) | 2 (+2) | 5 (+5) |\n" in markdown
    assert "\n| total | 6 | 4 | 10 |\n\n<details><summary>1 class without change<" in markdown


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"counts": counts(a=(0, 1))}, "+1 samples, 1 class"),
        ({"counts": counts(a=(0, 1_000), b=(0, 500))}, "+1,500 samples, 2 classes"),
        ({"counts": counts(a=(1_500, 1), b=(0, 1))}, "-1,498 samples, 2 classes"),
        # Only classes with images are counted.
        ({"counts": counts(a=(2, 3), b=(0, 0))}, "+1 samples, 1 class"),
        ({"counts": counts(a=(5, 5))}, "0 samples added or removed, 1 class"),
        ({"counts": counts(a=(5, 0), b=(0, 5))}, "class a removed"),
        (
            {"counts": counts(a=(5, 0), b=(5, 0), c=(5, 5))},
            "classes a, b removed, -10 samples, 1 class",
        ),
        ({"seed_changed": True, "counts": []}, "new split"),
        ({"rule_changed": True, "counts": []}, "new split"),
        ({"rule_changed": True, "seed_changed": True, "counts": []}, "new split"),
        ({"source_changed": True, "counts": []}, "new source"),
        (
            {
                "seed_changed": True,
                "counts": counts(a=(400, 400)),
                "samples": samples(added=397, removed=397, test_removed=80),
            },
            "new split, 397 of 400 samples replaced",
        ),
        (
            {
                "source_changed": True,
                "counts": [],
                "samples": samples(added=1, removed=400, test_removed=80),
            },
            "new source, 400 of 400 samples replaced",
        ),
        ({"counts": [], "leaks": [leak("v0", from_test=1)]}, "leak"),
        (
            {"counts": [], "samples": samples(to_train=1)},
            "1 sample moved between train and test",
        ),
        (
            {"counts": [], "samples": samples(to_train=1_000, to_test=1)},
            "1,001 samples moved between train and test",
        ),
        (
            {"counts": [], "samples": samples(removed=20, test_removed=3)},
            "20 of 400 samples removed, 3 of them from the test set",
        ),
        ({"counts": [], "samples": samples(removed=20)}, "20 of 400 samples removed"),
        ({"counts": [], "samples": samples(relabeled=3)}, "3 samples in another class"),
        ({"counts": counts(a=(1, 3)), "samples": None}, "+2 samples, 1 class"),
        ({"counts": [], "curated": curated(change())}, "1 sample curated"),
        ({"counts": [], "curated": None}, "0 samples added or removed, 0 classes"),
        (
            {
                **{"counts": counts(a=(1, 3)), "leaks": [leak("v0", from_test=1)]},
                "curated": curated(change(), samples=3),
            },
            "leak, 3 samples curated, +2 samples, 1 class",
        ),
        # What the curation puts into another class is not counted twice.
        (
            {
                **{"counts": [], "samples": samples(relabeled=3)},
                "curated": curated(change(), relabeled={"train": 1, "test": 2}),
            },
            "1 sample curated",
        ),
        (
            {
                **{"counts": [], "samples": samples(relabeled=5)},
                "curated": curated(change(), relabeled={"train": 1}),
            },
            "1 sample curated, 4 samples in another class",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_title_names_what_reviewers_must_not_miss(changes: dict[str, Any], title: str) -> None:
    made = plan(**changes)

    assert render.title(Report(plan=made)) == f"dataset v2: {title}"
    assert render.plan_markdown(made).startswith(f"### dataset v2: {title}\n\n")
    # A release on GitHub has it too.
    assert render.notes_title(made) == f"v2: {title}"


def test_the_title_names_only_a_few_classes() -> None:
    for number, text in ((MAX_NAMED, "c4"), (MAX_NAMED + 1, "c4 and 1 more")):
        gone = [
            *counts(**{f"c{index}": (5, 0) for index in range(number)}),
            *counts(new=(0, 5 * number)),
        ]
        title = render.title(Report(plan=plan(counts=gone)))
        assert title == f"dataset v2: classes c0, c1, c2, c3, {text} removed"


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({}, "1,400 added, 0 removed"),
        ({"removed": 1_001}, "1,400 added, 1,001 removed"),
        ({"relabeled": 3}, "1,400 added, 0 removed, 3 in another class"),
        ({"to_train": 2, "to_test": 1}, "1,400 added, 0 removed, 3 moved between train and test"),
        (
            {"relabeled": 1, "to_test": 1},
            "1,400 added, 0 removed, 1 in another class, 1 moved between train and test",
        ),
    ],
)
def test_every_kind_of_change_of_samples_is_shown(changes: dict[str, int], fact: str) -> None:
    made = plan(samples=samples(**{"added": 1_400, **changes}))

    assert f"\nsamples     {fact}\n" in render.plan_text(made)
    assert f"\n- **samples**: {fact}\n" in render.plan_markdown(made)


def test_samples_that_cannot_be_compared_are_unknown() -> None:
    assert "\nsamples     unknown\n" in render.plan_text(plan(samples=None))
    assert "\n- **samples**: unknown\n" in render.plan_markdown(plan(samples=None))


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"comparable": ["v0", "v1"]}, "v0 and v1"),
        (
            {"comparable": ["v0", "v1", "v2", "v4"], "incomparable": ["v3"], "version": "v5"},
            "v0 to v2 and v4, not with v3",
        ),
        ({"comparable": [], "incomparable": ["v0", "v1"]}, "no release, not with v0 and v1"),
        ({"comparable": []}, "no release: this is the first one"),
        ({"comparable": ["v1"], "unknown": ["v0"]}, "v1, not known for v0"),
        ({"comparable": None}, "not known"),
    ],
)
def test_the_releases_that_it_is_comparable_with_are_shown(
    changes: dict[str, Any], fact: str
) -> None:
    assert f"\ncomparable  with {fact}\n" in render.plan_text(plan(**changes))
    assert f"\n- **comparable with**: {fact}\n" in render.plan_markdown(plan(**changes))


def test_warnings_are_shown_in_text_and_in_markdown() -> None:
    made = plan(seed_changed=True, unknown=["v0"])
    first = "Leaks are unknown, because v0 cannot be read here. The release checks them."
    second = "The seed differs from that of v1, so this is a new split."

    assert render.plan_text(made).endswith(f"\nwarning     {first}\nwarning     {second}\n")
    # Each is an alert of its own, above the table.
    assert (
        f"classes\n\n> [!WARNING]\n> {first}\n\n> [!WARNING]\n> {second}\n\n| class |"
    ) in render.plan_markdown(made)


NOT_SEARCHED = NearDuplicates(searched=False)
EVERYTHING = Selected(
    relabeled_counts=2,
    pins=3,
    additions=1,
    left_out=[LeftOut(sample="00058", label="7", why="test")],
    ambiguous=1_000,
    copies=1,
)


def every_plan() -> list[dict[str, Any]]:
    """Return changes that show and leave out each part of a text."""
    many = counts(**{f"c{number}": 2 for number in range(MAX_ROWS + 1)})
    return [
        {},
        {"changed": False, "counts": []},
        {"counts": counts(a=1)},
        {"counts": counts(a=2, b=1)},
        {"counts": many},
        {"samples": None, "unknown": ["v0"], "bytes": Bytes(before=1, after=2, new=None)},
        {"leaks": [leak("v0", from_test=1)], "seed_changed": True},
        {"curated": curated(change(before="test/3", after="test/no3", reason="a | b"))},
        {"curated": curated(change(), more=3), "changed": False, "counts": []},
        {"curated": curated(*[change()] * (MAX_UNFOLDED + 1)), "selected": EVERYTHING},
        {"curated": curated(*[change()] * MAX_CURATED), "near_duplicates": NOT_SEARCHED},
        {"curated": None, "selected": Selected()},
    ]


@pytest.mark.parametrize("changes", every_plan(), ids=range(12))
def test_every_part_of_a_text_stands_apart_by_one_blank_line(changes: dict[str, Any]) -> None:
    made = plan(**changes)
    texts = [render.plan_text(made), render.plan_markdown(made)]
    for found in (Report(plan=made), Report(plan=made, no_bucket=True, commits=2, stored="no")):
        texts += [render.comment(found), render.comment(found, "https://example.com/sheet")]
    for text in texts:
        assert "\n\n\n" not in text
        assert not re.search("[ \t]$", text, re.MULTILINE)
    for text in texts[1:]:
        assert_blocks_are_separate(text)


def assert_blocks_are_separate(text: str) -> None:
    """Assert that GitHub takes each table, alert, list and <details> for one."""
    lines = ["", *text.splitlines(), ""]
    for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
        for start in ("| ", "> ", "- "):
            if line.startswith(start):
                assert before == "" or before.startswith(start), line
                assert after == "" or after.startswith(start), line
        if line.startswith(("###", "<details>", "</details>")):
            assert (before, after) == ("", ""), line


END = "Merging publishes this as **v2**, or the next number if another pull request merges first.\n"


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        ("yes", "The files are in the remote. "),
        ("no", "The files are pushed to the remote after the merge. "),
        (
            "failed",
            "**The files could not be pushed to the remote**; see the log of the run. The release "
            "tries again. ",
        ),
        (None, ""),
    ],
)
def test_a_comment_ends_with_where_the_files_are_and_what_the_merge_does(
    stored: Stored | None, sentence: str
) -> None:
    assert comment(stored).endswith(f"{MD5}`\n\n{sentence}{END}")


@pytest.mark.parametrize("stored", ["yes", "no", "failed", None])
def test_a_comment_on_an_unchanged_dataset_promises_no_version(stored: Stored | None) -> None:
    text = comment(stored, changed=False)

    assert text.startswith("### dataset: no change compared with v1\n")
    assert text.endswith(
        f"{MD5}`\n\nMerging publishes no new version: the dataset does not change.\n"
    )


def test_a_comment_without_a_bucket_promises_no_version() -> None:
    text = comment("no", no_bucket=True)

    assert (
        "> [!NOTE]\n> The remote is still the local folder of the template, so nothing is stored "
        "or released. See `docs/setup.md` to set up a bucket.\n"
    ) in text
    assert "Merging publishes" not in text
    assert "pushed to the remote" not in text
    assert "[!NOTE]" not in comment("no")


def test_a_comment_on_another_base_than_main_promises_no_version() -> None:
    for made in (plan(), plan(changed=False), plan(leaks=[leak("v0", from_test=1)])):
        text = render.comment(Report(plan=made, stored="yes", onto_main=False, commits=2))
        assert text.endswith(
            "`\n\nThis pull request does not target main, so merging it publishes nothing.\n"
        )
        assert "Rebase" not in text


def test_a_comment_on_a_leak_says_that_it_cannot_be_merged() -> None:
    text = comment("yes", leaks=[leak("v0", from_test=1)])

    assert text.endswith("`\n\nThis cannot be merged: the leak above fails the check.\n")


def test_a_comment_on_several_commits_says_what_a_rebase_does() -> None:
    rebase = (
        '\n"Rebase and merge" would publish each of its 1,000 commits that change the dataset,'
        " although only their result is shown here.\n"
    )
    for changes in ({}, {"changed": False}):
        made = plan(**changes)
        assert render.comment(Report(plan=made, commits=1_000)).endswith(f".\n{rebase}")
        for fine in (Report(plan=made), Report(plan=made, commits=2, no_bucket=True)):
            assert "Rebase" not in render.comment(fine)
    refused = plan(leaks=[leak("v0", from_test=1)])
    assert "Rebase" not in render.comment(Report(plan=refused, commits=2))


def test_a_comment_begins_with_the_plan() -> None:
    made = plan(leaks=[leak("v0", from_test=3)])

    assert render.comment(Report(plan=made)).startswith(render.plan_markdown(made))


def test_a_comment_links_the_contact_sheet_if_there_is_one() -> None:
    made = Report(plan=plan())

    text = render.comment(made, "https://example.com/sheet")

    assert f"{MD5}`\n\n[View the samples](https://example.com/sheet)\n\nMerging" in text
    assert "View the samples" not in render.comment(made)


def test_a_table_with_too_many_rows_is_cut_with_a_count() -> None:
    def markdown(changed: int, unchanged: int = 0) -> str:
        rows = {f"class{number}": 2 for number in range(changed)}
        rows |= {f"same{number}": 1 for number in range(unchanged)}
        return render.plan_markdown(plan(counts=counts(**rows)))

    assert MAX_ROWS == 100
    cut = markdown(1_101)
    assert cut.count("| class") == 1 + MAX_ROWS
    # The total is that of all rows.
    assert (
        "| class99 | 2 (+1) | 0 | 2 (+1) |\n| total | 2,202 (+1,101) | 0 | 2,202 (+1,101) |\n\n"
        "1,001 more classes are not shown.\n\n- **samples**"
    ) in cut
    assert "\n\n1 more class is not shown.\n\n" in markdown(MAX_ROWS + 1)
    assert "| class99 | 2 (+1)" in markdown(MAX_ROWS)
    assert "not shown" not in markdown(MAX_ROWS)
    # Changed classes come first; those that do not change get the space that is left.
    for changed, unchanged, folded, more in ((99, 1, 1, 0), (99, 3, 1, 2), (100, 5, 0, 5)):
        text = markdown(changed, unchanged)
        assert text.count("| class") == changed + 1 + bool(folded)
        assert text.count("| same") == folded
        assert (f"\n\n{more} more classes are not shown." in text) == bool(more)
        assert ("without change</summary>" in text) == bool(folded)
    # A terminal has no limit.
    most = counts(**{f"class{number}": 2 for number in range(1_101)})
    assert render.plan_text(plan(counts=most)).count("\nclass") == 1_101 + 1


def test_the_longest_report_fits_into_a_comment() -> None:
    most = 10**15 - 1
    names = [("a." * 60)[: 119 - len(str(number))] + f"-{number}" for number in range(9_000)]
    gone = counts(**dict.fromkeys(names[:200], (most, 0)))
    kept = counts(**dict.fromkeys(names[200:], (0, most)))
    every_other = [f"v{999_999_999 - 2 * number}" for number in range(10_000)]
    of_place = sample("s" * 40, f"validation/{'a.' * 60}", "`" * 100)
    places = dict.fromkeys(("before", "after"), f"validation/{'a.' * 60}")
    hostile = {"label": "`" * 100, "new_label": "`" * 100, "reason": "`" * MAX_REASON}
    longest = plan(
        version="v999999999",
        against="a." * 60,
        counts=[*kept[:100], *gone, *kept[100:]] * 2,
        samples=samples(
            **dict.fromkeys(("before", "added", "removed", "test_removed"), most),
            **dict.fromkeys(("relabeled", "to_train", "to_test"), most),
        ),
        bytes=Bytes(before=most, after=most, new=most),
        **dict.fromkeys(("source_changed", "seed_changed", "rule_changed"), True),
        leaks=[leak(tag, from_test=n, from_train=n) for n, tag in enumerate(every_other)],
        unknown=every_other,
        placed_leaks=[of_place] * MAX_LISTED,
        curated=curated(
            *[change("s" * 40, "relabel", change="changed", **places, **hostile)] * MAX_CURATED,
            **{"samples": most, "more": most},
            relabeled=dict.fromkeys(("train", "validation", "test"), most),
        ),
        selected=EVERYTHING.model_copy(
            update={
                "left_out": [LeftOut(sample="s" * 40, label="-" * 100, why="addition")]
                * MAX_LISTED,
                "more_left_out": most,
            }
        ),
        near_duplicates=near(10_000, *[(of_place, of_place)] * MAX_LISTED),
        changed_copies=copies(1_000, *[(of_place, of_place)] * MAX_LISTED, release="v999999999"),
    )

    text = render.comment(
        Report(plan=longest, stored="failed", commits=most), "https://example.com/sheet"
    )

    assert len(text) < COMMENT_LIMIT
    assert len(render.comment(Report(plan=longest, no_bucket=True))) < COMMENT_LIMIT
    assert_spans_are_closed(text)
    assert_blocks_are_separate(text)


def assert_spans_are_closed(text: str) -> None:
    """Assert that every code span ends on its line, and that every fenced block ends."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            runs = re.findall("`+", line)
            while runs:
                # As CommonMark has it: a run of backticks closes with the next one as long.
                opening = runs.pop(0)
                assert opening in runs, line
                runs = runs[runs.index(opening) + 1 :]
    assert not fenced


# What the curation changes.


def test_curated_changes_are_listed_with_before_and_after(released: Repository, run: Run) -> None:
    released.configure(config_text())
    [relabeled], [excluded], [pinned] = (
        [int(name) for name in names]
        for names in (files(released, "test/3")[:1], files(released, "test/no3")[:1], ["58"])
    )
    label = load_digits().target[excluded]
    (released.root / "curation.csv").write_text(
        "sample,action,label,new_label,reason\n"
        f'{relabeled},relabel,3,5,"reads as a 5, not a 3"\n'
        f"{excluded},exclude,,,nobody can tell\n"
        f"{pinned},train,6,,\n"
    )

    text, markdown = run("plan").out, run("plan", "--format", "markdown").out

    assert text.startswith("dataset v1: 3 samples curated, 1 of 10 samples replaced, 1 of them")
    assert (
        f"""
curated    action    label    before              after               reason
{relabeled:05}      relabel   3 -> 5   test/3              test/no3            reads as a 5, not a 3
{excluded:05}      exclude   {label}        test/no3            not in the dataset  nobody can tell
00058      train     6        not in the dataset  train/no3
"""
        in text
    )
    assert (
        f"""
3 samples curated:

| sample | action | label | before | after | reason |
| --- | --- | --- | --- | --- | --- |
| `{relabeled:05}` | relabel | `3 -> 5` | `test/3` | `test/no3` | `reads as a 5, not a 3` |
| `{excluded:05}` | exclude | `{label}` | `test/no3` | not in the dataset | `nobody can tell` |
| `00058` | train | `6` | not in the dataset | `train/no3` |  |

- **samples**: """
        in markdown
    )
    for shown in (text, markdown):
        assert "1 pinned sample, in addition to the counts of the config\n" in shown
        assert "2 counts differ from the config because of relabels\n" in shown
    assert planned(run)["curated"]["samples"] == 3


def files(repository: Repository, folder: str) -> list[str]:
    """Return the samples in a folder of v0."""
    made = lock.parse(repository.at_origin("show", "v0:dataset.dvc").encode())
    names = manifest.entries(repository.cached_file(made.md5).read_bytes())
    return [name.split("/")[-1][:-4] for name in names if name.startswith(f"{folder}/")]


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ({}, "`00058` | test | `3` | not in the dataset | not in the dataset |  |"),
        (
            {"change": "changed", "before": "test/3", "after": "unknown"},
            "`00058` | test (changed) | `3` | `test/3` | unknown |  |",
        ),
        (
            {"action": "exclude", "change": "removed", "label": ""},
            "`00058` | exclude (removed) |  | not in the dataset | not in the dataset |  |",
        ),
        (
            {"action": "relabel", "new_label": "4"},
            "`00058` | relabel | `3 -> 4` | not in the dataset | not in the dataset |  |",
        ),
        (
            {"sample": "s" * 17, "reason": " "},
            f"`{'s' * 17}` | test | `3` | not in the dataset | not in the dataset |  |",
        ),
    ],
)
def test_every_kind_of_decision_has_its_row(values: dict[str, Any], cells: str) -> None:
    assert f"\n| {cells}\n" in render.plan_markdown(plan(curated=curated(change(**values))))


def test_a_long_list_of_decisions_is_folded_and_cut_with_a_count() -> None:
    def markdown(count: int, more: int = 0) -> str:
        made = [change(str(number)) for number in range(count)]
        return render.plan_markdown(plan(curated=curated(*made, more=more, samples=count + more)))

    assert (MAX_UNFOLDED, MAX_CURATED_SHOWN) == (10, 20)
    assert "\n10 samples curated:\n\n| sample |" in markdown(10)
    assert "<details><summary>11 samples curated</summary>\n\n| sample |" in markdown(11)
    assert "not shown" not in markdown(20)
    assert "\n\n1 more decision is not shown.\n\n</details>\n" in markdown(21)
    assert "\n\n1,180 more decisions are not shown.\n" in markdown(200, 1_000)
    assert markdown(200).count("| test | `3` |") == MAX_CURATED_SHOWN
    # A terminal has no limit but that of the data.
    text = render.plan_text(plan(curated=curated(*[change()] * 200, more=3)))
    assert text.count("\n00058 ") == 200
    assert "\n(3 more decisions)\n" in text


# A bar ends a cell unless a backslash escapes it; which ones do so differs between parsers.
BARS = {"any backslash": r"(?<!\\)\|", "no escaped backslash": r"(?<!\\)(?:\\\\)*\|"}


@given(
    st.text(st.sampled_from("`|\\\\a @<*_"), max_size=20),
    st.text(st.sampled_from("`|\\a<"), max_size=9),
)
def test_no_text_of_the_curation_leaves_its_cell_or_its_code_span(reason: str, label: str) -> None:
    made = change(label=label, new_label=label, action="relabel", reason=reason)
    text = render.comment(Report(plan=plan(curated=curated(made))))

    (row,) = (line for line in text.splitlines() if line.startswith("| `00058`"))
    for bar in BARS.values():
        assert len(re.findall(bar, row)) == 6 + 1, row
    assert_spans_are_closed(text.replace("\\|", "|"))
    shown = re.split(BARS["any backslash"], row)[-2].replace("\\|", "|").strip()
    flat = " ".join(reason.split())
    # A backslash before a bar is set apart from it.
    assert shown == (markdown.code(reason).replace("\\|", "\\ |") if flat else "")


@pytest.mark.parametrize(
    ("selected", "name", "fact"),
    [
        ({"pins": 1}, "extra", "1 pinned sample, in addition to the counts of the config"),
        (
            {"pins": 1_000, "additions": 1},
            "extra",
            "1,000 pinned samples and 1 addition, in addition to the counts of the config",
        ),
        ({"additions": 2}, "extra", "2 additions, in addition to the counts of the config"),
        (
            {"relabeled_counts": 1},
            "relabels",
            "1 count differs from the config because of relabels",
        ),
        (
            {"relabeled_counts": 4},
            "relabels",
            "4 counts differ from the config because of relabels",
        ),
        ({"ambiguous": 1}, "source", "1 image with two labels left out"),
        (
            {"ambiguous": 12, "copies": 1_234},
            "source",
            "12 images with two labels left out, 1,234 rows that are exact copies",
        ),
        ({"copies": 1}, "source", "1 row that is an exact copy"),
        (
            {
                "left_out": [
                    LeftOut(sample="00058", label="7", why="test"),
                    LeftOut(sample="x1", label="8", why="addition"),
                ]
            },
            "left out",
            "00058 (test, class 7), x1 (addition, class 8): not a class of the dataset",
        ),
        (
            {"left_out": [LeftOut(sample="00058", label="7", why="relabel")], "more_left_out": 3},
            "left out",
            "00058 (relabel, class 7) and 3 more: not a class of the dataset",
        ),
    ],
)
def test_what_the_counts_do_not_tell_is_shown_where_there_is_any(
    selected: dict[str, Any], name: str, fact: str
) -> None:
    made = plan(selected=Selected(**selected))

    assert f"\n{name:<12}{fact}\n" in render.plan_text(made)
    assert f"\n- **{name}**: {fact}\n" in render.plan_markdown(made)
    for none in (plan(), plan(selected=Selected())):
        assert f"\n{name:<12}" not in render.plan_text(none)
        assert f"**{name}**" not in render.plan_markdown(none)


def test_a_label_that_is_left_out_is_a_code_span() -> None:
    left_out = [LeftOut(sample="00058", label="[a](b) `@octo`", why="test")]

    text = render.plan_markdown(plan(selected=Selected(left_out=left_out)))

    assert "00058 (test, class `` [a](b) `@octo` ``): not a class" in text


def test_that_not_all_near_duplicates_were_looked_for_is_a_fact() -> None:
    made = plan(near_duplicates=NOT_SEARCHED)
    fact = "not all images were compared: too many are new or similar\n"

    assert f"\nnear        {fact}" in render.plan_text(made)
    assert f"\n- **near-duplicates**: {fact}" in render.plan_markdown(made)
    assert "near" not in render.plan_text(plan(near_duplicates=NearDuplicates()))


@pytest.mark.parametrize(
    ("found", "fact"),
    [
        ({"searched": False}, "not all images were compared: too many are new or similar"),
        ({"missing": 1}, "1 image of releases not compared, because it is not available"),
        (
            {"searched": False, "missing": 2},
            "not all images were compared: too many are new or similar; 2 images of releases not"
            " compared, because they are not available",
        ),
    ],
)
def test_what_was_not_compared_for_changed_copies_is_a_fact(
    found: dict[str, Any], fact: str
) -> None:
    made = plan(changed_copies=ChangedCopies(**found))

    assert f"\n- **changed copies**: {fact}\n" in render.plan_markdown(made)
    assert "copies" not in render.plan_markdown(plan(changed_copies=ChangedCopies()))


def test_a_curation_that_cannot_be_compared_is_unknown() -> None:
    made = plan(curated=None)

    assert "\ncuration    changes unknown\n" in render.plan_text(made)
    assert "\n- **curation**: changes unknown\n" in render.plan_markdown(made)


def test_the_path_of_a_problem_is_a_code_span() -> None:
    for path in ("additions/test/3/`a` [x](y) @octo.png", "a" * MAX_PATH):
        found = ReportedProblem(file=path, line=1, column=2, message="wrong")
        text = render.comment(Report(problems=[found]))
        assert f"\n- {markdown.code(path)}, line 1, column 2: `wrong`\n" in text


def test_no_length_of_a_report_leaves_a_code_span_open() -> None:
    long = problem("` @octo/team <b> " * 17)

    text = render.comment(Report(problems=[long] * 1_000))

    assert len(text) < COMMENT_LIMIT
    assert "- and 980 more: `python -m scripts validate` lists all\n" in text
    lines = [line for line in text.splitlines() if "@octo" in line]
    assert len(lines) == MAX_PROBLEMS_SHOWN == 20
    for line in lines:
        assert line.startswith("- `` ")
        assert line.endswith(" ``")


@given(st.lists(st.text(st.sampled_from("`a \n*<"), max_size=300), min_size=1, max_size=30))
def test_no_message_leaves_its_code_span(messages: list[str]) -> None:
    text = render.comment(Report(problems=[problem(message) for message in messages]))

    assert len(text) < COMMENT_LIMIT
    assert_spans_are_closed(text)
    shown = [line for line in text.splitlines() if line.startswith("- ")][:MAX_PROBLEMS_SHOWN]
    found = []
    for line in shown[: len(messages)]:
        fence = re.match("- (`+)", line)
        assert fence
        inner = line.removeprefix(f"- {fence[1]}").removesuffix(fence[1])
        found.append(inner.strip())
        assert fence[1] not in re.findall("`+", inner)
    said = [" ".join(message.split()) for message in messages]
    assert len(found) == min(len(said), MAX_PROBLEMS_SHOWN)
    assert not Counter(found) - Counter(said)
    if len(said) <= MAX_PROBLEMS_SHOWN:
        assert found == said


# Names with two letters that no text has.
NAMED = NAME.replace("{1,120}", "{0,59}")[1:-1]
HOSTILE = st.text(
    st.one_of(
        st.sampled_from("`@[]()#!&;~_-.%'$= axש🐕é\u0301"),
        st.characters(exclude_categories=("C", "Z"), exclude_characters=r'/\:*?"<>|'),
    ),
    max_size=59,
)


@given(st.from_regex(f"{NAMED}Qz{NAMED}", fullmatch=True), HOSTILE, HOSTILE)
@example("v1Qz", "`", "`` [x](y) @octo &lt; ![a](b)")
@example("v1Qz", "", "")
def test_no_name_is_interpreted_by_markdown(name: str, start: str, end: str) -> None:
    folder = f"{start}Qz{end}".strip()
    rows = [*counts(**{folder: 5}), *counts(**{f"{folder[:119]}_": (1, 0)}), *counts(other=1)]
    place = f"train/{folder}"
    listed = change("00058", "relabel", before=place, after=place, label=folder, new_label=folder)
    selected = Selected(left_out=[LeftOut(sample="1", label=folder[:100], why="addition")])
    made = [
        plan(against=name, counts=rows, **changes)
        for changes in (
            {"leaks": [leak("v0", from_test=1)]},
            {"samples": None, "rule_changed": True},
            {"seed_changed": True, "samples": samples(removed=1, test_removed=1, to_test=1)},
            {"source_changed": True, "samples": samples(removed=1, added=1)},
            {"changed": False},
            {"curated": curated(listed), "selected": selected},
            {"near_duplicates": near(1, (sample("1", place), sample("2", place, folder)))},
            {"changed_copies": copies(1, (sample("1", place), sample("2", place, folder)))},
        )
    ]
    for one in made:
        text = render.comment(Report(plan=one))
        assert_shown_as_code(text, "Qz", {name, folder})


def assert_shown_as_code(text: str, mark: str, names: set[str]) -> None:
    """Assert that what has `mark` in it is in code spans, but for `names` of letters and digits."""
    plain = [name for name in names if re.fullmatch("[A-Za-z0-9]+", name)]
    for block in MarkdownIt("commonmark").enable("table").parse(text):
        assert block.type != "html_block" or mark not in block.content
        for token in block.children or ():
            shown = token.content
            for name in plain:
                shown = shown.replace(name, "")
            assert token.type == "code_inline" or mark not in shown, text
            assert mark not in str(token.attrs)


@pytest.mark.parametrize(
    "name",
    [
        *("www.example.com", "GH-1", "a_b_c", "_3_", "~~3~~", "feature.x", "v1.0", "-", "a^b^"),
        # It could be the hash of a commit.
        *("74a8c15", "1234567", "f" * 40, "ABCDEF0"),
    ],
)
def test_a_name_that_github_would_link_or_format_is_a_code_span(name: str) -> None:
    rows = [*counts(**{name: 2, "same": 1}), *counts(**{f"gone{name}": (1, 0)})]
    made = plan(against=name, counts=rows, samples=None, source_changed=True)

    text = render.plan_markdown(made)

    assert text.startswith(f"### dataset v2: new source, class {code(f'gone{name}')} removed\n")
    assert f"\n| `{name}` | 2 (+1) | 0 | 2 (+1) |\n" in text
    assert f"\n> The source differs from that of `{name}`.\n" in text
    assert f"\n> The class {code(f'gone{name}')} of `{name}` is removed.\n" in text
    assert f"\n> The images of `{name}` cannot be read here" in text
    same = render.plan_markdown(plan(counts=counts(**{name: 1, "other": 2})))
    assert f"| --- | ---: | ---: | ---: |\n| `{name}` | 1 | 0 | 1 |\n\n</details>" in same
    unchanged = plan(against=name, changed=False)
    assert render.plan_markdown(unchanged).startswith(
        f"### dataset: no change compared with `{name}`\n"
    )
    # A terminal formats nothing, and neither does the title of a release.
    for plain in (render.plan_text(made), render.notes_title(made)):
        assert "`" not in plain
        assert f"class gone{name} removed" in plain
    assert render.title(Report(plan=unchanged)) == f"dataset: no change compared with {name}"


def code(name: str) -> str:
    return f"`{name}`" if re.search("[^A-Za-z0-9]", name) else name


@pytest.mark.parametrize("name", ["3", "no3", "airplane", "added", "123456", "deadbee1x"])
def test_a_plain_name_is_shown_plainly(name: str) -> None:
    text = render.plan_markdown(plan(against=name, counts=counts(**{name: 2}), samples=None))

    assert f"\n| {name} | 2 (+1) | 0 | 2 (+1) |\n" in text
    assert f"\n> The images of {name} cannot be read here" in text


def test_problems_are_listed_with_their_places() -> None:
    found = Report(
        problems=[
            ReportedProblem(file="dataset_config.yaml", line=3, column=10, message="too *few*"),
            problem("OpenML\nis unreachable"),
        ]
    )

    assert (
        render.comment(found)
        == """\
### dataset: invalid, 2 problems

- `dataset_config.yaml`, line 3, column 10: `too *few*`
- `OpenML is unreachable`

Push a commit that fixes this; this comment is updated with every push.
"""
    )
    one = Report(problems=found.problems[:1])
    assert render.comment(one).startswith("### dataset: invalid, 1 problem\n\n- `dataset_config")
    assert "more" not in render.comment(Report(problems=found.problems[:1] * MAX_PROBLEMS_SHOWN))
    many = Report(problems=found.problems[:1] * (MAX_PROBLEMS_SHOWN + 1))
    assert "`\n- and 1 more: `python -m scripts validate` lists all\n\nPush" in render.comment(many)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("plain", "`plain`"),
        ("a `b` c", "`` a `b` c ``"),
        ("```", "```` ``` ````"),
        ("two\n  lines\t", "`two lines`"),
        ("", "` `"),
        ("@octo <b> [x](y)", "`@octo <b> [x](y)`"),
    ],
)
def test_a_code_span_shows_any_text_as_it_is(text: str, span: str) -> None:
    assert markdown.code(text) == span


def test_the_note_of_an_outdated_comment_names_the_release() -> None:
    assert render.outdated("v7") == (
        "> [!NOTE]\n> Out of date: v7 was published after this comment was written."
        " Update the branch to see the current plan.\n"
    )


ADDRESS = "https://github.com/octo/ds"


def test_the_notes_of_a_release_compare_it_with_the_one_before(
    released: Repository, run: Run
) -> None:
    released.merge(config_text(samples={"3": 6, "no3": 5}))
    run("release")
    history = History(Git(released.root))
    first, second = history.releases

    made = plans.of_release(history, second)

    assert (
        render.notes(made, second, ADDRESS, Review(12, "ada", ["eve"], "v1", same=True))
        == f"""\
| class | train | test | total |
| --- | ---: | ---: | ---: |
| 3 | 4 (+1) | 2 | 6 (+1) |
| total | 7 (+1) | 4 | 11 (+1) |

<details><summary>1 class without change</summary>

| class | train | test | total |
| --- | ---: | ---: | ---: |
| no3 | 3 | 2 | 5 |

</details>

- **samples**: 1 added, 0 removed
- **comparable with**: v0
- **source**: `digits`
- **bytes**: {words.size(second.lock.size)} in 11 files
- **md5**: `{second.lock.md5}`
- **pull request**: #12 by `ada`, approved by `eve`
- **review**: as reviewed in #12

```sh
dvc get {ADDRESS} dataset --rev v1      # the files
dvc import {ADDRESS} dataset --rev v1   # the files, and a record of their origin
```
"""
    )
    assert render.notes_title(made) == "v1: +1 samples, 2 classes"
    begun = plans.of_release(history, first)
    notes = render.notes(begun, first, ADDRESS)
    assert notes.startswith("| class | train | test | total |\n")
    assert "| no3 | 3 (+3) | 2 (+2) | 5 (+5) |\n" in notes
    assert f"dvc get {ADDRESS} dataset --rev v0 " in notes
    assert render.notes_title(begun) == "v0: 10 samples"


@pytest.mark.parametrize(
    ("review", "fact"),
    [
        (Review(12, "ada", ["eve"], "v3", same=True), "as reviewed in #12"),
        (
            Review(12, "ada", ["eve"], "v3", same=False),
            "not as shown in #12: its comment showed v3 with different files, because main changed"
            " before the merge, or the config after the comment",
        ),
        (Review(12, "ada", ["eve"], None, same=False), "no comment on #12 showed this version"),
        (None, "no pull request showed this version"),
    ],
)
def test_the_notes_have_warnings_and_say_how_it_was_reviewed(
    released: Repository, review: Review | None, fact: str
) -> None:
    release = History(Git(released.root)).releases[0]
    made = plan(seed_changed=True, counts=[], against="a.b")

    notes = render.notes(made, release, ADDRESS, review)

    assert notes.startswith(
        "> [!WARNING]\n> The seed differs from that of `a.b`, so this is a new split.\n\n"
        "- **samples**: "
    )
    assert f"\n- **review**: {fact}\n\n```sh\n" in notes
    assert "\n\n\n" not in notes
    assert_blocks_are_separate(notes)


def test_a_report_that_was_written_and_read_renders_the_same(
    released: Repository, run: Run
) -> None:
    folder = released.place / "report"
    assert run("workflow", "report", str(folder), "--stored", "yes").code == 0
    found = report_json.load((folder / "report.json").read_bytes())

    assert found.plan is not None
    assert render.plan_markdown(found.plan) == run("plan", "--format", "markdown").out
    assert render.comment(found).startswith(run("plan", "--format", "markdown").out)


def test_suspects_and_the_policy_are_shown_as_untrusted_text() -> None:
    bad = "<b>|`@all"
    code = markdown.name(bad)
    assert code.startswith("`` <b>|")
    one = {"sample": "00058", "split": "test", "class": bad.replace("|", "").replace("<b>", "")}
    made = plan(
        suspects={
            **{"judged": 10, "count": 2},
            "worst": [{**one, "label": bad, "suggested": f"{bad}2", "own": 1, "other": 9}],
        },
        policy={"met": [], "broken": {"min_per_class": bad}, "unchecked": {"probe_drop": bad}},
    )

    text = render.plan_markdown(made)

    assert "1 of 2 suspects" in text
    assert f"- **policy**: 0 of 2 rules met; probe_drop not checked, because {code}\n" in text
    assert f"> Policy: the rule min_per_class is not met: {code}.\n" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| `00058`")]
    cell = code.replace("|", r"\|")
    assert (
        row == f"| `00058` | `` test/`@all `` | {cell} | {cell.replace('all', 'all2')} | 1 to 9 |"
    )
    assert '00058,relabel,<b>|`@all,<b>|`@all2,"9 similar images are' in text
    assert "cannot be merged: the policy" in render.comment(Report(plan=made))


def test_suspects_that_say_nothing_are_not_listed() -> None:
    found = {"judged": 8, "count": 5, "is_telling": False, "contradicted": 0.346}

    text = render.plan_markdown(plan(suspects=found))

    assert (
        "- **suspects**: say nothing, because similar images contradict 35 % of all labels of this"
        " source\n"
    ) in text
    assert "<summary>" not in text


def test_additions_have_no_row_of_the_curation() -> None:
    one = {"split": "test", "class": "3", "label": "3", "suggested": "8", "own": 1, "other": 9}
    worst = [{**one, "sample": "x" + 16 * "0"}]

    text = render.plan_markdown(plan(suspects={"judged": 1, "count": 1, "worst": worst}))

    assert "An addition gets another label when its file is moved.\n\n</details>\n" in text
    assert "```csv" not in text
