"""A dataset that people change by pull request: what `python -m scripts` runs."""
