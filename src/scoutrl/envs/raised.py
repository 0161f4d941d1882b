"""What the code of a family raises, in one line."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import jax

from scoutrl.errors import ScoutError

Shapes = Any
"""A tree of `jax.ShapeDtypeStruct`, as `jax.eval_shape` gives it."""
OWN = (Exception, SystemExit)
"""All that code of a user's may raise that is not a person's wish to stop."""
_LOG = logging.getLogger("jax._src.callback")


def one_line(error: BaseException) -> str:
    """An exception's type and the first line of what it says; of one in a callback, that of the user's own."""
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip()]
    if is_callback(error):
        last_frame = max((i for i, line in enumerate(lines) if line.startswith("  File ")), default=0)
        own = next((line for line in lines[last_frame + 1 :] if not line.startswith(" ")), "an exception")
        return f"{own} (in a callback)"
    return f"{type(error).__name__}: {lines[0].strip() if lines else 'no message'}"


def is_callback(error: BaseException) -> bool:
    """Whether a compiled program failed because a callback of it raised something."""
    return isinstance(error, jax.errors.JaxRuntimeError) and "callback" in str(error).partition("\n")[0].lower()


def returned(method: str, function: Callable, *arguments: Any) -> Shapes:
    """The shapes and types of what a method would return; the user's own exception becomes one line."""
    try:
        return jax.eval_shape(lambda *given: function(*given), *arguments)
    except OWN as error:
        raise ScoutError(f"{method} raised {one_line(error)}") from error


@contextlib.contextmanager
def callbacks_of(name: str) -> Iterator[None]:
    """While a compiled program of the family `name` runs: what a callback raises becomes one line.

    Raises:
        ScoutError: a callback raised something. Other faults of a program are left as they are.
    """
    before, _LOG.disabled = _LOG.disabled, True  # JAX would print the whole traceback
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if not is_callback(error):
            raise
        raise ScoutError(f"{name} raised {one_line(error)}.") from error
    finally:
        _LOG.disabled = before
