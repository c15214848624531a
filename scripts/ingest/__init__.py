"""Images from a location become a batch of a source of one's own."""
