"""Publishes, verifies, repairs and promotes versions, and finds the objects they need."""
