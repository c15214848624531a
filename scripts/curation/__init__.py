"""Proposed changes of the curation."""
