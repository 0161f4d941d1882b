"""The exceptions that tell of what a user can put right."""

from collections.abc import Mapping
from pathlib import Path


class ScoutError(Exception):
    """Something the user can put right.

    The message is one line: what is wrong, and what to do. The command line prints it and leaves with exit code 2.
    """


class RunsFailedError(ScoutError):
    """Some runs of several could not go on; the others went on to their end."""

    def __init__(self, message: str, reasons: Mapping[Path, str]):
        super().__init__(message)
        self.reasons = dict(reasons)
        """Run directory to why it failed, in one line."""
