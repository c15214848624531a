"""Everything that depends on GitHub: API, workflow environment, comments, notes."""
