"""Dataclasses read back from what JSON can hold."""

from typing import TypeVar

import msgspec

from scoutrl.errors import ScoutError

T = TypeVar("T")


def decode(content: object, kind: type[T], what: str) -> T:
    """Make a dataclass of JSON content, recursively: lists become tuples and keys become numbers where `kind` says so.

    Args:
        content: what `json.loads` gave; entries that `kind` has no field for are ignored.
        kind: the dataclass.
        what: what `content` ought to be, for messages: "a comparison".

    Raises:
        ScoutError: a field is missing or its value has another type; says which.
    """
    try:
        return msgspec.convert(content, kind, str_keys=True)
    except msgspec.ValidationError as error:
        raise ScoutError(f"this is not {what} that Scout wrote: {str(error)[:1].lower()}{str(error)[1:]}.") from None
