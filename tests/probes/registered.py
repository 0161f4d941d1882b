"""The families of the registry that are in JAX, as parameters of tests."""

import pytest

from scoutrl.envs import registry

# Pictures take long to compile.
FAMILIES = [
    pytest.param(name, marks=[pytest.mark.slow] if name.startswith("sign") else [])
    for name in registry.families()
    if not name.startswith("minigrid") and not name.endswith("miniworld")
]
