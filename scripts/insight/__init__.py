"""What a change does to a model, and what images and labels say about each other."""
