"""What people write: the config, read strictly, with a position for every problem."""
