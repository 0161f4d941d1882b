"""What an adapter costs: `python -m benchmarks.adapters`, where gymnax is installed.

gymnax's CartPole with poles of unknown length, through `scoutrl.from_gymnax`, against the same rules written as a
family of Scout's. Both are stepped by random actions, in turns, in one program each that does nothing else.
"""

import dataclasses
import importlib.metadata
import statistics
import time
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from cyclopts import App, Parameter
from jaxtyping import Array

from benchmarks.record import keep, print_status, provenance
from scoutrl import MetaEnv, ProblemSet, Spaces, Step, from_gymnax, prng

HORIZON = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Measure what an adapter costs."""

    trials: int = 64
    """Environments that are stepped side by side."""
    episodes: int = 20
    """Episodes of each in one measurement."""
    repeats: int = 15
    """Measurements of both, in turns."""
    smoke: bool = False
    """Measure little, to see that everything works; nothing is kept."""


class State(eqx.Module):
    place: Array
    """Position, speed, angle and angular speed."""
    time: Array
    length: Array


class Cart(MetaEnv):
    """The rules of gymnax's CartPole, without gymnax."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def reset(self, problem, key):
        state = State(jax.random.uniform(key, (4,), minval=-0.05, maxval=0.05), jnp.int32(0), problem[0])
        return state, state.place

    def goal(self, state):
        return None

    def step(self, state, action, key):
        x, speed, angle, turn = state.place
        force = jnp.where(action == 1, 10.0, -10.0)
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        pushed = (force + 0.05 * turn**2 * sin) / 1.1
        turned = (9.8 * sin - cos * pushed) / (state.length * (4 / 3 - 0.1 * cos**2 / 1.1))
        moved = pushed - 0.05 * turned * cos / 1.1
        place = jnp.stack([x + 0.02 * speed, speed + 0.02 * moved, angle + 0.02 * turn, turn + 0.02 * turned])
        after = State(place, state.time + 1, state.length)
        return after, Step(place, 1.0 - self._over(state), self._over(after), after.time >= 500)

    def render(self, state):
        return jnp.zeros((1, 1, 3), jnp.uint8)

    def _over(self, state):
        return (jnp.abs(state.place[0]) > 2.4) | (jnp.abs(state.place[2]) > 12 * 2 * np.pi / 360)


def played(family: MetaEnv, trials: int, episodes: int) -> Any:
    """A compiled function from a key to the sum of all that many random episodes answer."""
    ids = jnp.asarray(family.problems.ids)

    def episode(total, key):
        drawn, begun, lived = jax.random.split(key, 3)
        rows = jax.random.randint(drawn, (trials,), 0, len(ids))
        state, _ = jax.vmap(family.reset)(ids[rows], jax.random.split(begun, trials))

        def step(state, key):
            actions = jax.random.randint(key, (trials,), 0, 2)
            state, answer = jax.vmap(family.step)(state, actions, jax.random.split(key, trials))
            return state, sum((jnp.sum(leaf, dtype=jnp.float32) for leaf in jax.tree.leaves(answer)), jnp.float32(0))

        return total + jax.lax.scan(step, state, jax.random.split(lived, HORIZON))[1].sum(), None

    return jax.jit(lambda key: jax.lax.scan(episode, jnp.float32(0), jax.random.split(key, episodes))[0])


def measure(options: Options) -> dict[str, Any]:
    """Steps per second of processor time, of both, and their ratio."""
    import gymnax  # pyright: ignore[reportMissingImports] (installed by whoever measures)

    env, params = gymnax.make("CartPole-v1")
    adapted = from_gymnax(env, params, {"length": np.linspace(0.2, 2.0, 40)}, HORIZON)
    families = {"native": Cart(adapted.problems, adapted.spaces, HORIZON), "adapted": adapted}
    runs = {name: played(family, options.trials, options.episodes) for name, family in families.items()}
    answers = {name: float(run(prng.key(0))) for name, run in runs.items()}
    assert np.isclose(*answers.values(), rtol=1e-4), f"the two are not the same environment: {answers}"
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(options.repeats):
        for name, run in runs.items():
            began = time.process_time()
            run(prng.key(repeat)).block_until_ready()
            seconds[name].append(time.process_time() - began)
    steps = options.trials * options.episodes * HORIZON
    rates = {name: steps / statistics.median(times) for name, times in seconds.items()}
    return {
        "gymnax": importlib.metadata.version("gymnax"),
        "steps_per_second": rates,
        "adapted_to_native": rates["adapted"] / rates["native"],
    }


def main(options: Annotated[Options, Parameter(name="*")] = Options()) -> None:
    """Measure, and write the result."""
    if options.smoke:
        options = dataclasses.replace(options, episodes=2, repeats=3)
    print_status("stepping both in turns …")
    result = dataclasses.asdict(options) | measure(options) | {"provenance": provenance("adapters")}
    keep("adapters", result, options.smoke)


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
