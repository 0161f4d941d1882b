"""Whether a family is pure, and whether the problem matters: both are read off the programs that JAX traces."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from scoutrl import prng
from scoutrl.envs.base import MetaEnv
from scoutrl.errors import ScoutError

Traced = Any
"""A `ClosedJaxpr`."""
_ADDRESS = re.compile("0x[0-9a-f]+")


def check_pure(env: MetaEnv, name: str) -> None:
    """Trace each method twice and compare; then follow the problem through the program.

    Raises:
        ScoutError: a method of `name` is not the same each time, or nothing that is seen depends on the problem.
    """
    problem, key = jax.ShapeDtypeStruct(env.problems.ids.shape[1:], env.problems.ids.dtype), prng.key(0)
    space = env.spaces.action
    action = jax.ShapeDtypeStruct(space.shape or (), space.dtype if np.dtype(space.dtype).kind == "f" else np.int32)
    state, _ = jax.eval_shape(lambda *given: env.reset(*given), problem, key)
    reset = _traced(name, "reset", env.reset, problem, key)
    goal = _traced(name, "goal", env.goal, state)
    step = _traced(name, "step", env.step, state, action, key)
    _traced(name, "sample_goal", env.sample_goal, key)
    if len(env.problems.ids) > 1 and not _problem_matters(reset, goal, step, len(jax.tree.leaves(state))):
        raise ScoutError(
            f"the problem makes no difference: nothing that {name}.reset, goal and step return depends on it. Use the "
            "problem that reset is given."
        )


def _traced(name: str, method: str, function: Callable, *arguments: Any) -> Traced:
    """The program of a method, if it is the same twice."""

    def trace() -> Traced:
        return jax.make_jaxpr(lambda *given: function(*given))(*arguments)

    once = trace()
    # In another context, for JAX would not trace anew what the family has jitted itself.
    with jax.default_device(jax.local_devices()[0]):
        again = trace()
    if _written(once) != _written(again):
        raise ScoutError(
            f"{name}.{method} is not the same each time: it uses np.random, Python's random, a clock or something it "
            "counts, whose value would be frozen in the compiled program. Draw with jax.random from the key."
        )
    return once


def _written(program: Traced) -> list[Any]:
    """All that a program says: its text, and its constants with those of the programs within it."""
    # Functions are shown with their address, which is another one each time.
    return [_ADDRESS.sub("", str(program.jaxpr)), *_constants(program)]


def _constants(program: Traced) -> Iterator[bytes]:
    for constant in program.consts:
        if eqx.is_array_like(constant):
            yield in_bytes(constant)
    for equation in program.jaxpr.eqns:
        for part in jax.tree.leaves(equation.params, is_leaf=_is_program):
            if _is_program(part):
                yield from _constants(part)


def _is_program(value: Any) -> bool:
    return hasattr(value, "jaxpr") and hasattr(value, "consts")


def in_bytes(array: Any) -> bytes:
    """The numbers of an array, or of a key, by which to tell whether two are the same."""
    key = hasattr(array, "dtype") and jax.numpy.issubdtype(array.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(array) if key else array).tobytes()


def _problem_matters(reset: Traced, goal: Traced, step: Traced, leaves: int) -> bool:
    """Whether anything that is seen depends on the problem, now or after any number of steps.

    The state has so many `leaves`, which come first in what reset and step return and in what goal and step are given.
    """
    (reset, goal, step), state = (program.jaxpr for program in (reset, goal, step)), [False] * leaves
    found = _reached(reset, [i == 0 for i in range(len(reset.invars))])
    seen = found[leaves:]
    while True:
        state = [one or more for one, more in zip(state, found, strict=False)]
        seen = [*seen, *_reached(goal, state)]
        found = _reached(step, state + [False] * (len(step.invars) - leaves))
        seen += found[leaves:]
        if any(seen) or not any(new and not old for new, old in zip(found, state, strict=False)):
            return any(seen)


def _reached(program: Any, given: Sequence[bool]) -> list[bool]:
    """Which results of a program (a `Jaxpr`) depend on the arguments that are `given`."""
    known = {variable for variable, one in zip(program.invars, given, strict=True) if one}

    def depends(variables: Sequence[Any]) -> list[bool]:
        return [not hasattr(variable, "val") and variable in known for variable in variables]  # literals have a value

    for equation in program.eqns:
        into = depends(equation.invars)
        inner = equation.params.get("jaxpr") if equation.primitive.name == "jit" else None
        out = _reached(inner.jaxpr, into) if inner is not None else [any(into)] * len(equation.outvars)
        known |= {variable for variable, one in zip(equation.outvars, out, strict=True) if one}
    return depends(program.outvars)
