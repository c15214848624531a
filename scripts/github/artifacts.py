"""The report that a run of a workflow left, which can come from a fork."""

import io
import zipfile
from collections.abc import Iterable

import requests
from github.Artifact import Artifact

from scripts.errors import UserError
from scripts.github.reports import REPORT_FILE
from scripts.github.retries import TIMEOUT
from scripts.review import report_json
from scripts.review.report import Report
from scripts.review.report_json import MAX_BYTES

ARTIFACT = "dataset-report"
CHUNK = 65_536


def report(artifacts: Iterable[Artifact], what: str, token: str) -> Report | None:
    """Return the report among `artifacts`, called `what` in messages; None without one.

    Its size is bounded before and while it is read. Raises `UserError` for anything but a
    well-formed report.
    """
    # A run that was repeated can leave several; the newest counts.
    named = [one for one in artifacts if one.name == ARTIFACT]
    if not named:
        return None
    found = max(named, key=lambda one: one.id)
    if found.size_in_bytes > MAX_BYTES:
        raise UserError(f"{what} has {found.size_in_bytes:,} bytes: refused.")
    return _parse(_download(found.archive_download_url, token), what)


def _download(url: str, token: str) -> bytes:
    headers = {"Authorization": f"Bearer {token}"}
    with requests.get(url, headers=headers, timeout=TIMEOUT, stream=True) as response:
        response.raise_for_status()
        content = b""
        for part in response.iter_content(CHUNK):
            content += part
            if len(content) > MAX_BYTES:
                raise UserError(f"the report has more than {MAX_BYTES:,} bytes: refused.")
    return content


def _parse(archive: bytes, what: str) -> Report:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files, files.open(REPORT_FILE) as file:
            # Bounded while unpacking: a small archive can hold a very large file.
            return report_json.load(file.read(MAX_BYTES))
    except Exception:  # noqa: BLE001 - a damaged archive fails in many ways
        raise UserError(f"{what} is not a valid report: refused.") from None
