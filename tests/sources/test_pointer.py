import re

import pytest

from scripts.inputs.problems import InputError
from scripts.sources import pointer
from scripts.sources.pointer import BatchRecord, PointerOutput, Shape
from scripts.sources.source import Zones

FIRST = BatchRecord(
    shards=[5, 3], sha256="1" * 64, zones={"*": (0.7, 0.8, 1.0), "b": (0.5, 0.6, 0.9)}
)
SECOND = BatchRecord(shards=[2], sha256="2" * 64)
MADE = pointer.create(
    "own",
    PointerOutput("a" * 32 + ".dir", 900, 5),
    Shape("RGB", (48, 64)),
    {"1": 4, "yes": 6},
    [FIRST, SECOND],
)
TEXT = pointer.render(MADE).decode()


def test_a_pointer_is_short_and_reads_back_as_it_was_written() -> None:
    assert (
        f"""\
outs:
- md5: {"a" * 32}.dir
  size: 900
  nfiles: 5
  hash: md5
  path: own
meta:
  schema: 3
  mode: RGB
  size: 64x48
  sha256: {MADE.meta.sha256}
  counts:
    '1': 4
    yes: 6
  batches:
  - shards: [5, 3]
    sha256: '{"1" * 64}'
    zones:
      '*': [0.7, 0.8, 1.0]
      b: [0.5, 0.6, 0.9]
  - shards: [2]
    sha256: '{"2" * 64}'
"""
        == TEXT
    )
    assert pointer.parse(TEXT.encode(), "own") == MADE
    assert MADE.shape == Shape("RGB", (48, 64))


@pytest.mark.parametrize("label", ["x " * 49 + "x", "日 " * 49 + "日", "a: b", "true", "#1", "*"])
def test_a_pointer_holds_classes_of_any_name(label: str) -> None:
    batch = FIRST.model_copy(update={"zones": {label: (0.5, 0.6, 0.9)}})
    meta = MADE.meta.model_copy(update={"batches": [batch, SECOND], "counts": {label: 10}})
    made = MADE.model_copy(update={"meta": meta})

    assert pointer.parse(pointer.render(made), "own") == made


def test_labels_without_zones_of_their_own_have_those_of_the_others() -> None:
    assert FIRST.zones_of(["a", "b"]) == {"a": Zones(0.7, 0.8, 1.0), "b": Zones(0.5, 0.6, 0.9)}
    assert SECOND.zones_of(["a", "b"]) == {}


def test_a_pointer_continues_one_whose_batches_it_has() -> None:
    def of(*batches: BatchRecord) -> pointer.Pointer:
        size = sum(batch.images for batch in batches)
        return pointer.create(
            "own", PointerOutput("a" * 32 + ".dir", 0, 1), Shape("gray", None), {"a": size}, batches
        )

    closed_elsewhere = FIRST.model_copy(update={"zones": {}})
    assert MADE.continues(of(FIRST))
    assert MADE.continues(of(closed_elsewhere, SECOND))
    for other in (of(SECOND), of(SECOND, FIRST), of(FIRST, SECOND, SECOND)):
        assert not MADE.continues(other)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "  nfiles: 5",
            "<<<<<<< HEAD\n  nfiles: 5",
            r"own\.dvc:4:1: conflict markers: two branches ingested into own\. Merge main, take its"
            r" version \(git checkout origin/main -- sources/own\.dvc\) and ingest your images"
            r" again: python -m scripts ingest own LOCATION",
        ),
        (
            "yes: 6",
            "yes: 7",
            r"own\.dvc:8:\d+: meta: counts and batches have different numbers of images\. It was"
            r" changed by hand or is damaged\. It is written by `ingest` only; restore it",
        ),
        ("[5, 3]", "[5, 4]", r"meta: counts and batches"),
        ("'2222", "'3222", r"meta: the checksum does not match those of the batches"),
        ("0.9]", "1.9]", r"own\.dvc:20:\d+: meta\.batches\.0\.zones\.b"),
        ("mode: RGB", "mode: CMYK", r"own\.dvc:9:9: meta\.mode: Input should be 'gray', 'RGB' or"),
        ("path: own", "path: ../x", r"own\.dvc:6:9: it names the folder \.\./x, not own"),
        (
            "schema: 3",
            "schema: 4",
            r"own\.dvc:8:11: it was written by a newer version of the machinery",
        ),
        ("schema: 3", "schema: 3\n  extra: 1", r"own\.dvc:9:10: meta\.extra: Extra inputs"),
        ("size: 900", "size: &a 900", r"own\.dvc:3:9: anchors"),
        ("outs:", "outs: [", r"own\.dvc:\d+:\d+: not valid YAML"),
        (TEXT, "", r"own\.dvc:1:1: expected a mapping"),
        (TEXT, "x" * (1024 * 1024 + 1), r"own\.dvc:1:1: the file has 1,048,577 bytes"),
        (TEXT, "meta: [1]\nouts: 3", r"own\.dvc:2:7: outs: Input should be a valid list"),
    ],
)
def test_a_damaged_pointer_is_one_message_with_its_place(old: str, new: str, says: str) -> None:
    assert old in TEXT
    with pytest.raises(InputError) as caught:
        pointer.parse(TEXT.replace(old, new, 1).encode(), "own")
    assert re.match(f"sources/(?=own).*?{says}", f"{caught.value}"), str(caught.value)
    assert len(caught.value.problems) == 1


def test_a_pointer_of_older_machinery_is_read() -> None:
    for schema in (1, 2):
        older = TEXT.replace("schema: 3", f"schema: {schema}").encode()
        assert pointer.parse(older, "own").batches == pointer.parse(TEXT.encode(), "own").batches
