"""The dataset card of a release: `README.md`, for people and for Hugging Face.

See https://huggingface.co/docs/hub/datasets-cards.
"""

import json
import re
from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from scripts import markdown
from scripts.assets.columns import MetadataColumn
from scripts.assets.parquet import TEXTS
from scripts.inputs.config import SOURCE as BY_SOURCE
from scripts.inputs.config import Config
from scripts.inputs.curation import Curation
from scripts.releases.releases import Release
from scripts.review import render, words
from scripts.review.report import Plan
from scripts.review.warnings import warnings

MAX_DECISIONS = 200
# Size categories of Hugging Face, by their upper limits.
SIZES = {
    1_000: "n<1K",
    10_000: "1K<n<10K",
    100_000: "10K<n<100K",
    1_000_000: "100K<n<1M",
    10_000_000: "1M<n<10M",
}
LARGER = "10M<n<100M"
# The Hub knows these by their SPDX identifiers in lower case, and refuses a card with another one.
# See https://huggingface.co/docs/hub/repositories-licenses.
LICENSES = {
    *("afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bsd-2-clause", "bsd-3-clause"),
    *("bsd-3-clause-clear", "bsl-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0"),
    *("cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0"),
    *("cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0"),
    *("cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0"),
    *("cdla-sharing-1.0", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "gpl-2.0"),
    *("gpl-3.0", "isc", "lgpl-2.1", "lgpl-3.0", "lppl-1.3c", "mit", "mpl-2.0", "ms-pl", "ncsa"),
    *("ofl-1.1", "osl-3.0", "postgresql", "unlicense", "wtfpl", "zlib"),
}
OTHER_LICENSE = "other"
HEADER = re.compile("---\n.*?\n---\n", re.DOTALL)


def write(
    release: Release,
    config: Config,
    curation: Curation,
    plan: Plan,
    *,
    config_text: str,
    address: str,
    parts: Mapping[str, Sequence[str]],
    without_archive: bool,
    columns: Sequence[MetadataColumn] = (),
) -> bytes:
    """Return the card of `release`, which `plan` compares with the previous release.

    `config_text` is the config as it was written, `address` that of the repository, `parts` the
    names of the Parquet files by split.
    """
    values = {
        **_of_release(release),
        "title": config.title or f"{release.lock.meta.source.name}, changed by pull request",
        "description": config.description,
        "license": config.license,
        "license_at_hub": _license_at_hub(config.license),
        "citation": config.citation,
        "address": address,
        "parts": {split: list(names) for split, names in parts.items()},
        "texts": TEXTS,
        "columns": columns,
        "encoding": config.encoding,
        "own_splits": config.split_by == BY_SOURCE,
        "config_text": config_text.strip(),
        "curation": curation.decisions,
        "most": MAX_DECISIONS,
        "comparable": words.comparable(plan),
        "before": plan.against,
        "headline": render.headline(plan, markdown.code),
        "warnings": warnings(plan, markdown.code),
        "without_archive": without_archive,
    }
    return TEMPLATES.get_template("card.md.j2").render(values).encode()


def with_withdrawn(card: bytes, withdrawn: Mapping[str, str]) -> bytes:
    """Return `card` with a note about releases that are `withdrawn`: their reasons by tag."""
    text = card.decode()
    header = HEADER.match(text)
    at = header.end() if header else 0
    note = TEMPLATES.get_template("withdrawn.md.j2").render(withdrawn=withdrawn)
    return f"{text[:at]}{note}{text[at:]}".encode()


def _license_at_hub(license_: str | None) -> str | None:
    """Return the Hub's identifier of a license."""
    if license_ is None:
        return None
    return license_.lower() if license_.lower() in LICENSES else OTHER_LICENSE


def _of_release(release: Release) -> dict[str, object]:
    """Return what the lock says of the dataset."""
    meta, count = release.lock.meta, release.lock.images
    labels = list(dict.fromkeys(label for of in meta.counts.values() for label in of))
    return {
        "tag": release.tag,
        "source": meta.source,
        "size_category": next((name for most, name in SIZES.items() if count < most), LARGER),
        "labels": labels,
        "counts": {
            split: {label: of_split.get(label, 0) for label in labels}
            for split, of_split in meta.counts.items()
        },
    }


def _cell(text: str) -> str:
    """Return `text` as a code span for a cell of a table, because it is not trusted."""
    return markdown.cell(text) if text else ""


def _yaml(value: str | Sequence[str]) -> str:
    """Return `value` in one line of YAML: JSON, except for characters that YAML refuses.

    JSON would write an emoji as two escapes, each of which YAML takes for a character.
    """
    text = json.dumps(value, ensure_ascii=False)
    return "".join(x if x.isprintable() else f"\\U{ord(x):08x}" for x in text)


TEMPLATES = Environment(
    loader=PackageLoader("scripts.assets"),
    autoescape=False,  # noqa: S701 - Markdown, and what people wrote passes through a filter
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters |= {
    "code": markdown.code,
    "fenced": markdown.fenced,
    "harmless": markdown.harmless,
    "quote": markdown.quote,
    "yaml": _yaml,
    "number": "{:,}".format,
    "cell_text": _cell,
    "name_cell": markdown.name_cell,
}
