"""Everything that determines the bytes of a version: selection, PNG encoding, manifest."""
