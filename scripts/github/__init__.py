"""Everything that knows GitHub: its API, the environment of a workflow, comments, notes."""
