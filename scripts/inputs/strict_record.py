"""What all data that this project writes and reads has in common: locks, pointers, reports."""

from pydantic import BaseModel, ConfigDict


class StrictRecord(BaseModel):
    """A record that never changes, has no unknown fields, and takes values of their types only."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", populate_by_name=True)
