"""The one exception a user's own mistake raises."""


class ScoutError(Exception):
    """Something the user can put right.

    The message is one line: what is wrong, and what to do. The command line prints it and leaves with exit code 2.
    """
