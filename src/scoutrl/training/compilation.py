"""JAX's persistent compilation cache: what was compiled once is not compiled again by the next process."""

import os

import jax

from scoutrl._platform import cache_directory
from scoutrl.errors import ScoutError

_WORTH_KEEPING = 0.5
"""Seconds of compilation from which on a result is kept."""


def use_compilation_cache() -> None:
    """Switch the cache on, in $SCOUT_CACHE_DIR or the user's cache directory.

    A directory set through JAX itself stands; a place that cannot be written to is left alone.

    Raises:
        ScoutError: JAX is set to compute with 64 bits, which would make other numbers of every run.
    """
    if jax.config.values.get("jax_enable_x64"):
        raise ScoutError("JAX is set to 64 bits, and scout computes with 32: unset JAX_ENABLE_X64 and try again.")
    if jax.config.values.get("jax_compilation_cache_dir") is not None:
        return
    try:
        directory = cache_directory()
        directory.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: there is no such home directory
        return
    if os.access(directory, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(directory))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _WORTH_KEEPING)
