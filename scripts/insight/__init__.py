"""What a change does to a model."""
