"""The file that `--problems` names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from scoutrl.errors import ScoutError
from scoutrl.runs.files import local, read_given


def read_problems(path: str) -> Any:
    """The problems in a file of JSON: a list of keyword arguments, or such lists by split.

    Raises:
        ScoutError: there is no such file, or it is no JSON.
    """
    try:
        content = json.loads(read_given(local(path, "--problems")))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScoutError(f"the problems in {path} cannot be read: {reason}.") from error
    if not isinstance(content, Mapping | Sequence) or isinstance(content, str):
        raise ScoutError(f"{path} must hold a list of keyword arguments, or an object of such lists by split.")
    return content
