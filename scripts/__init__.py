"""A dataset that people change by pull request: what `python -m scripts` runs."""

# The version of the machinery. Its tag in the template is `machinery-` and this version.
__version__ = "1.0.0"
