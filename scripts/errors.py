"""Errors that the user can fix."""


class UserError(Exception):
    """An error that the user can fix; its text says what is wrong, where, and what to do.

    The command line shows it as a message and exits with code 1. Any other exception is a bug.
    """
