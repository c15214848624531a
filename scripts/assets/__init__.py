"""The files of a release, for consumers that only download them."""
