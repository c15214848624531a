"""What becomes of a version: published, verified, repaired, promoted, or no longer needed."""
