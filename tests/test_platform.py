import os
import subprocess
import sys

import pytest

SUMS = """
import os, sys
os.sched_setaffinity(0, set(map(int, sys.argv[1].split(","))))
from scoutrl._platform import pin_threads
pin_threads()
import hashlib, jax
a, b = jax.random.normal(jax.random.key(0), (2, 600, 600))
print([hashlib.sha256(x.tobytes()).hexdigest() for x in jax.jit(lambda a, b: (a.T @ b, a.sum()))(a, b)])
"""

STARTED = """
import os, jax, scoutrl
devices = jax.devices
jax.devices = lambda: print(os.environ.get("PJRT_NPROC")) or devices()
try:
    scoutrl.train("nonsense", "lever")
except scoutrl.ScoutError:
    pass
"""


@pytest.mark.slow
def test_threads_are_settled_before_jax_starts_also_from_python():
    environment = {name: value for name, value in os.environ.items() if "NPROC" not in name}
    words = [sys.executable, "-c", STARTED]
    said = subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout
    assert said.splitlines() == ["1"]


AT_ONCE = """
import threading, time
import jax, jax.numpy as jnp
from scoutrl._platform import compute_in_own_thread, pin_threads
pin_threads()
compute_in_own_thread()
x = jnp.ones((200, 200))
power = lambda n: jax.jit(lambda x: jax.lax.fori_loop(0, n, lambda i, y: y @ x, x)).lower(x).compile()
slow, quick = power(2000), power(1)
thread = threading.Thread(target=lambda: jax.block_until_ready(slow(x)))
thread.start()
time.sleep(0.05)
jax.block_until_ready(quick(x))
print(thread.is_alive())
thread.join()
"""


@pytest.mark.slow
def test_two_threads_compute_two_programs_at_once():
    environment = {name: value for name, value in os.environ.items() if "NPROC" not in name}
    words = [sys.executable, "-c", AT_ONCE]
    assert subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout == "True\n"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot choose cores")
def test_sums_have_the_same_bits_on_one_core_and_on_all():
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        pytest.skip("there is only one core")

    def sums(some: list[int]) -> str:
        words = [sys.executable, "-c", SUMS, ",".join(map(str, some))]
        environment = {name: value for name, value in os.environ.items() if "NPROC" not in name}
        return subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout

    assert sums(cores[:1]) == sums(cores)
