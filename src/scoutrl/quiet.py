"""Keeping the libraries' own warnings from people who can do nothing about them."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def silence_libraries() -> Iterator[None]:
    """Within the block no warning of a library is shown; errors still are."""
    # Read when JAX is imported, for what its C++ part writes to stderr by itself.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
