"""The lock of a new version."""

from collections.abc import Sequence

from scripts.dataset.dataset import Dataset
from scripts.dataset.selection import RULE
from scripts.releases import lock
from scripts.releases.lock import SCHEMA, Lock, LockedOutput, Meta, SourceRecord
from scripts.storage.manifest import Manifest


def new_lock(
    dataset: Dataset,
    manifest: Manifest,
    *,
    comparable: Sequence[str],
    splits: str | None,
    cumulative: str | None = None,
    copy: str | None,
) -> Lock:
    """Return the record of `dataset`, whose files are those of `manifest`.

    `comparable` are the tags of the releases with which it has no leak, oldest first. The other
    values are described in `Meta` and `SourceRecord`.
    """
    source = dataset.source
    return Lock(
        outs=[LockedOutput(md5=manifest.md5, size=manifest.size, nfiles=len(manifest.files))],
        meta=Meta(
            schema_=SCHEMA,
            config=dataset.config.record(),
            curation=dataset.inputs.curation.sha256,
            selection=RULE,
            source=SourceRecord(
                name=source.name, sha256=source.sha256, rows=len(source.labels), copy_=copy
            ),
            counts=dataset.selection.counts(),
            samples=dataset.selection.sha256,
            comparable_with=[_range(run) for run in lock.runs(comparable)],
            splits=splits,
            cumulative=cumulative,
        ),
    )


def _range(run: Sequence[str]) -> str:
    return run[0] if len(run) == 1 else f"{run[0]}..{run[-1]}"
