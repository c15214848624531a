"""Reports as JSON, which one job writes and another one reads."""

import json
from typing import Any

from pydantic_core import from_json

from scripts.review.report import Report

MAX_BYTES = 1_000_000


def dump(report: Report) -> str:
    """Return `report` as JSON."""
    return report.model_dump_json(by_alias=True)


def load(content: bytes) -> Report:
    """Return the report in `content`, which may come from a fork or from older code.

    Raises `ValueError` for anything but a well-formed report.
    """
    # Not Python's own parser: what is nested deeply would exhaust its stack.
    data = from_json(content)
    if isinstance(data, dict) and data.get("schema") == 1:
        data = _from_schema_1(data)
    report = Report.model_validate_json(json.dumps(data))
    if (report.plan is None) == (not report.problems):
        raise ValueError("a report holds either a plan or problems")
    return report


def _from_schema_1(data: dict[str, Any]) -> dict[str, Any]:
    """Return a report of machinery-1.0.0, which counted leaks for each release, in one direction.

    It also drew images in characters.
    """
    plan = data.get("plan")
    if not isinstance(plan, dict):
        return data
    kept = {key: value for key, value in plan.items() if key != "previews"}
    if isinstance(leaks := plan.get("leaks"), dict):
        kept["leaks"] = [
            {"tags": [tag], "from_test": count, "from_train": 0} for tag, count in leaks.items()
        ]
    return {**data, "plan": kept}
