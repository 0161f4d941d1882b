"""Families of environments in JAX that other packages offer: three adapters, each for the shape of an interface.

None of those packages is imported: what an environment can do is seen from its methods.
"""

from scoutrl.envs.suites.brax_like import from_brax as from_brax
from scoutrl.envs.suites.family import SuiteFamily as SuiteFamily
from scoutrl.envs.suites.gymnax_like import from_gymnax as from_gymnax
from scoutrl.envs.suites.timestep_like import from_timestep as from_timestep
