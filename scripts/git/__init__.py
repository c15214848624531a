"""Git: how it is run, within limits, and the commits that are made."""
