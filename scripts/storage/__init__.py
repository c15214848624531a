"""Where bytes are kept: the DVC cache, `dataset/` and the remote."""
