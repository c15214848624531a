"""The errors that a person, not a programmer, can put right."""


class UserError(Exception):
    """Something is wrong that the user can change; its text says what, where, and what to do.

    Shown as a message with exit code 1. Any other exception is a bug and looks like one.
    """
