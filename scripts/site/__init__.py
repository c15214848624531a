"""The catalogue: a static site of all releases, with pictures of their samples."""
