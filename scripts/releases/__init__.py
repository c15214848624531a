"""Releases: their tags, locks and indexes, and how a version compares with them."""
