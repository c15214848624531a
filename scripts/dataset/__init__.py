"""What decides the bytes of a version: selection, PNG encoding, manifest."""
