"""JAX's persistent compilation cache: what was compiled once is not compiled again by the next process."""

import os
from pathlib import Path

import jax

_WORTH_KEEPING = 0.5
"""Seconds of compilation from which on a result is kept."""


def use_compilation_cache() -> None:
    """Switch the cache on, in $SCOUT_CACHE_DIR or the user's cache directory.

    A directory set through JAX itself stands; a place that cannot be written to is left alone.
    """
    if jax.config.values.get("jax_compilation_cache_dir") is not None:
        return
    directory = cache_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(directory, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(directory))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _WORTH_KEEPING)


def cache_directory() -> Path:
    """Where compiled programs are kept."""
    if "SCOUT_CACHE_DIR" in os.environ:
        return Path(os.environ["SCOUT_CACHE_DIR"]).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "scoutrl"
