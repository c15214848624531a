"""Releases: tags, locks and indexes, and the comparison of a version with them."""
