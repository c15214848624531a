"""The version inputs: the config, read strictly, with a position for every problem."""
