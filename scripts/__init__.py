"""The commands of a dataset that is changed by pull request: `python -m scripts`."""

# The version of the machinery. Its tag in the template is `machinery-` and this version.
__version__ = "1.0.0"
