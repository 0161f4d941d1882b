"""The exceptions that tell of what a user can put right."""

import copyreg
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class ScoutError(Exception):
    """Something the user can put right.

    The message is one line: what is wrong, and what to do. The command line prints it and leaves with exit code 2.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as `without_constructor` says, with whatever arguments the constructor of a subclass has."""
        return without_constructor(self)


class RunsFailedError(ScoutError):
    """Some runs of several could not go on; the others went on to their end."""

    def __init__(self, message: str, reasons: Mapping[Path, str]):
        super().__init__(message)
        self.reasons = dict(reasons)
        """Run directory to why it failed, in one line."""


def without_constructor(error: BaseException) -> tuple[Any, ...]:
    """What `__reduce__` has to give for an exception to be made again without its constructor.

    Python would call that with the message alone: where it takes more, a `multiprocessing.Pool` waits forever.
    """
    return copyreg.__newobj__, (type(error), *error.args), error.__dict__ or None  # pyright: ignore
