"""The machine: what must be settled before JAX first computes, and what it says when it cannot."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from scoutrl.errors import ScoutError

_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container says how much memory it may take."""
_LIMITS = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
"""With what the system refuses one more file or process."""
_SMALL = 1e8
"""Bytes that are always there."""


def pin_threads() -> None:
    """Have one thread do each operation, so that numbers do not depend on how many cores there are.

    XLA splits long sums and products of matrices among the threads it has, and floating-point sums depend on how they
    are split: a seed would not end alone where it ends beside others, each on one core. XLA looks at this variable when
    JAX first computes; later calls change nothing. A value the user has set stands.
    """
    os.environ.setdefault("PJRT_NPROC", "1")


def split_processor(shards: int) -> None:
    """Have JAX take the processor for as many devices as there are shards, which share the cores there are.

    It is the number of shards that counts and not that of cores: with other devices XLA has other threads, and sums end
    in other bits. JAX looks at this when it first computes; later calls change nothing. What the user has set stands.
    """
    import jax

    if shards > 1 and jax.config.values.get("jax_num_cpu_devices", -1) < 0:
        with contextlib.suppress(RuntimeError):  # it has computed
            jax.config.update("jax_num_cpu_devices", shards)


def compute_in_own_thread() -> None:
    """Have each thread compute the programs that it calls, so that two threads compute two programs at once.

    XLA would hand all but the cheapest to a pool, which has a single thread (`pin_threads`): whatever one thread calls
    would wait for the other's. JAX looks at this when it first computes; later calls change nothing. Numbers are the
    same either way. What the user has set in the environment stands.
    """
    import jax

    if "JAX_CPU_ENABLE_ASYNC_DISPATCH" not in os.environ:
        jax.config.update("jax_cpu_enable_async_dispatch", False)


@contextlib.contextmanager
def on_this_machine() -> Iterator[None]:
    """Start JAX, and tell in one line when it does not start, or when memory, files or processes run out in the block.

    Raises:
        ScoutError: either of them.
    """
    pin_threads()
    import jax

    try:
        jax.devices()
    # JAX asserts, without a word, that there is a device of a platform which it knows and has no plugin for.
    except (RuntimeError, AssertionError) as error:
        asked = jax.config.values.get("jax_platforms")
        advice = f"JAX_PLATFORMS asks for {asked}: unset it, or set it to cpu." if asked else "is it installed whole?"
        raise ScoutError(f"JAX does not start on this machine ({_first_line(error, 'no device')}); {advice}") from error
    try:
        yield
    except MemoryError as error:
        raise _out_of_memory(error) from error
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise _out_of_memory(error) from error
    except OSError as error:
        # The last is what `tempfile` says where nothing can be written, or no file opened.
        if error.errno not in _LIMITS and "No usable temporary directory" not in str(error):
            raise
        raise ScoutError(
            f"the system gives no more files or processes ({error.strerror}); raise its limits (ulimit -n, ulimit -u), "
            "make room in its temporary directory, or train fewer seeds at once."
        ) from error


def require_memory(count: float, what: str, advice: str) -> None:
    """Refuse what cannot fit, before it is tried.

    Args:
        count: bytes it takes, at least.
        what: such as "the replay".
        advice: what to change.

    Raises:
        ScoutError: the machine has less.
    """
    if count > _SMALL and count > (have := available_memory()):
        raise ScoutError(f"{what} takes {gigabytes(count)} of memory, and {gigabytes(have)} are free; {advice}.")


def available_memory() -> float:
    """Bytes that this machine, or the container, has left for programs."""
    found = [float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")]
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [1024 * float(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    for path in _CGROUPS:
        with contextlib.suppress(OSError, ValueError):  # "max" is no limit
            found.append(float(Path(path).read_text(encoding="ascii")))
    return min(found)


def device_memory() -> float:
    """Bytes of the device that JAX computes on; on a CPU those of the machine."""
    import jax

    told = jax.local_devices()[0].memory_stats() or {}
    return float(told["bytes_limit"]) if "bytes_limit" in told else available_memory()


def accelerator() -> str | None:
    """The kind of device that JAX computes on, such as "NVIDIA H100"; None if that is the processor. Starts JAX."""
    import jax

    device = jax.local_devices()[0]
    return None if device.platform == "cpu" else device.device_kind


def gigabytes(count: float) -> str:
    """Bytes for people; what is less than a tenth of a gigabyte in megabytes."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.0f} MB"


def _first_line(error: BaseException, otherwise: str) -> str:
    return (str(error).strip() or otherwise).splitlines()[0].rstrip(".")


def _out_of_memory(error: BaseException) -> ScoutError:
    reason = _first_line(error, "out of memory")
    return ScoutError(
        f"the memory of this machine does not suffice ({reason}); lower capacity, batch_size or "
        "trials_per_iteration, or end other programs."
    )


def cache_directory() -> Path:
    """Where is kept what takes long to compile or to compute, in $SCOUT_CACHE_DIR or the user's cache directory.

    Raises:
        RuntimeError: it is in the home directory of a user who has none.
    """
    if own := os.environ.get("SCOUT_CACHE_DIR"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "scoutrl"
