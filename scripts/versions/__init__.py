"""Versions in git: lock, releases, diff, guards, publish, verify."""
