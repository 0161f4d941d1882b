"""The families of the registry that are pure functions, as parameters of tests."""

import pytest

from scoutrl.envs import registry

# Pictures take long to compile.
FAMILIES = [
    pytest.param(name, marks=[pytest.mark.slow] if name.startswith("sign") else [])
    for name, entry in registry.families().items()
    if not entry.needs  # what needs an extra is stepped on the host
]
assert FAMILIES  # without any, no test of families would run
