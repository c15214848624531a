"""The JSON Schema with which editors complete and check the config."""

import json

from scripts.inputs.config import Config

SCHEMA_FILE = "scripts/inputs/dataset_config.schema.json"


def json_schema() -> str:
    """Return the schema, as `SCHEMA_FILE` holds it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(by_alias=True),
    }
    return json.dumps(schema, indent=2) + "\n"
