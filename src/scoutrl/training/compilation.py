"""JAX's persistent compilation cache: what was compiled once is not compiled again by the next process."""

import hashlib
import json
import math
import os
from pathlib import Path

import jax

from scoutrl._platform import cache_directory
from scoutrl.errors import ScoutError
from scoutrl.runs.config import RunConfig
from scoutrl.runs.files import write_text

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


def how_long(config: RunConfig) -> str:
    """What there is to say of compiling a run's program before it is done: how long it took the last time, if ever."""
    try:
        seconds = float(_note_of(config).read_text(encoding="utf-8"))
    except (OSError, RuntimeError, ValueError):
        seconds = math.nan
    if math.isfinite(seconds):
        return f"{seconds:.0f} s the last time"
    return "a minute or so the first time; then it is kept, and takes seconds"


def note_how_long(config: RunConfig, seconds: float) -> None:
    """Note how long it took; that there is no room for the note is no reason to fail."""
    try:
        note = _note_of(config)
        note.parent.mkdir(parents=True, exist_ok=True)
        write_text(note, f"{seconds:.1f}\n")
    except (OSError, RuntimeError):
        return


def _note_of(config: RunConfig) -> Path:
    """The file of the note; all seeds of a configuration have one program."""
    which = json.dumps(config.identity() | {"seed": 0}, sort_keys=True)
    return cache_directory() / "compiled" / hashlib.sha256(which.encode()).hexdigest()[:32]
