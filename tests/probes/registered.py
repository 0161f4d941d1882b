"""The families of the registry that are pure functions, as parameters of tests; most extras are for others."""

import pytest

from scoutrl.envs import registry

_OF_EXTRAS = {"xland"}
"""What else needs an extra is stepped on the host."""
# What takes long to compile: pictures, and all branches of XLand's rules.
_SLOW = {"sign": [pytest.mark.slow], "xland": [pytest.mark.slow, pytest.mark.long]}
FAMILIES = [
    pytest.param(name, marks=_SLOW.get(name, []))
    for name, entry in registry.families().items()
    if not entry.needs or name in _OF_EXTRAS
]
assert FAMILIES  # without any, no test of families would run
