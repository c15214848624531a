"""`croissant.json`: the metadata of a release in the format Croissant 1.1.

See https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from scripts.assets.columns import LIST, MetadataColumn
from scripts.assets.parquet import TEXTS
from scripts.inputs.config import Config
from scripts.releases.releases import Release, number

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
SPECIFICATION = "http://mlcommons.org/croissant/1.1"


class FileObject(NamedTuple):
    """A Parquet file: its name, size and checksum."""

    name: str
    size: int
    sha256: str


def describe(
    release: Release,
    config: Config,
    *,
    address: str,
    published: str,
    parts: Mapping[str, Sequence[FileObject]],
    columns: Sequence[MetadataColumn] = (),
) -> bytes:
    """Return the description of `release`, whose Parquet files are `parts`, by split.

    `address` is that of the repository, `published` the date of the release. The files are in the
    folder of the description. `columns` are those of metadata. A split in several files has a
    record set for each of them.
    """
    title = config.title or f"{release.lock.meta.source.name}, changed by pull request"
    files = [file for of_split in parts.values() for file in of_split]
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": SPECIFICATION,
        "name": title,
        "description": config.description or f"Version {release.tag} of a dataset of images.",
        "version": f"{number(release.tag)}.0.0",
        "datePublished": published,
        "url": f"{address}/releases/tag/{release.tag}" if "://" in address else address,
        "license": config.license or "unknown",
        "citeAs": config.citation or f"{title}, version {release.tag}, {address}",
        "distribution": [_distribution(file) for file in files],
        "recordSet": [
            _record_set(split if len(of_split) == 1 else file.name.split(".")[0], file, columns)
            for split, of_split in parts.items()
            for file in of_split
        ],
    }
    return json.dumps(described, indent=2, ensure_ascii=False).encode() + b"\n"


def _distribution(file: FileObject) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": file.sha256,
    }


def _record_set(name: str, file: FileObject, columns: Sequence[MetadataColumn]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [
            _field(name, file, "image", "sc:ImageObject", {"transform": {"jsonPath": "bytes"}}),
            _field(name, file, "label", "sc:Integer"),
            *(_field(name, file, column, "sc:Text") for column in TEXTS),
            *(
                _field(name, file, one.name, one.croissant)
                | ({"repeated": True} if one.kind == LIST else {})
                for one in columns
            ),
        ],
    }


def _field(
    record_set: str, file: FileObject, column: str, kind: str, rest: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    source = {"fileObject": {"@id": file.name}, "extract": {"column": column}, **(rest or {})}
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column}",
        "name": column,
        "dataType": kind,
        "source": source,
    }
