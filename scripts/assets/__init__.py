"""The files of a release, for consumers that have nothing but a download."""
