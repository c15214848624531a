"""Adds images from a location to a custom source, as a batch."""
