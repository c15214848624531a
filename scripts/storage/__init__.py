"""Storage: the DVC cache, `dataset/` and the remote."""
