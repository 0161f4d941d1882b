"""A run that nobody trained: what a page of it needs is on disk, and its agent's networks are as they were drawn."""

import dataclasses
import json
from pathlib import Path

import jax
from probes.rooms import Rooms

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.envs import draw
from scoutrl.envs.describe import Description, Symbol
from scoutrl.runs import checkpoint
from scoutrl.runs.agent import AGENT, TrainedAgent
from scoutrl.runs.arrays import to_arrays
from scoutrl.runs.begun import CHECKPOINTS
from scoutrl.runs.config import make_algorithm, resolve
from scoutrl.runs.metrics import FILE, RETURN
from scoutrl.runs.open import TrainedRun

SMALL = {"width": 4, "policy_width": 4, "z": 3, "memory_size": 4}


class NamedRooms(Rooms):
    """Rooms whose actions, goals, problems and symbols have names: by default plain ones."""

    def __init__(self):
        super().__init__()

    def name(self, of: str) -> str:
        return of

    def describe(self):
        symbol = Symbol(self.name("a wall"), draw.symbol(draw.agent))
        return Description(
            [self.name(f"door {action}") for action in range(4)],
            (symbol,),
            goal=lambda goal: self.name(f"aim {int(goal)}"),
            problem=lambda problem: self.name(f"secret {int(problem[0])}, shade {int(problem[1])}"),
        )

    def render(self, state):
        return jax.numpy.full((8, 10, 3), 40, jax.numpy.uint8).at[:, 2 + state.steps].set(200)


def untrained(path: Path, env: Rooms, seed: int = 0, saved: bool = False) -> TrainedRun:
    """A run in the directory `path`, with three rows of metrics and, if `saved`, a checkpoint of its agent."""
    path.mkdir(parents=True)
    config = resolve("dream", env, steps=1000, seed=seed, sets=SMALL)
    config = dataclasses.replace(config, by_hand=True)
    algorithm = make_algorithm(config)
    drawn = algorithm.init(env, jax.random.key(seed))
    state = AlgorithmState(networks=drawn.networks, targets=drawn.networks, counters=drawn.counters)
    rows = [
        {"iteration": i, "env_steps": 100 * i, "seconds": 0.5 * i, RETURN: 0.1 * i, "residual": 1 / i, "kl": 3.0 / i}
        for i in (1, 2, 3)
    ]
    (path / FILE).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "config.json").write_text(config.to_json())
    if saved:
        parts = {AGENT: to_arrays(TrainedAgent(algorithm.agent(env, state), algorithm.knowledge(env, state)))}
        checkpoint.save(path / CHECKPOINTS, 1, parts, config.identity(), {"iteration": 1, "env_steps": 300})
    agent, knowledge = algorithm.agent(env, state), algorithm.knowledge(env, state)
    return TrainedRun(path, config, env, env, algorithm, agent, knowledge, 300)


def hostile() -> list[str]:
    """Fifty texts, each of which sets `window.hit` where it is taken for HTML or for a script."""
    hit = "window.hit=1"
    forms = [
        f"<script>{hit}</script>",
        f"</script><script>{hit}</script>",
        f"<img src=x onerror={hit}>",
        f'"><img src=x onerror={hit}>',
        f"'><svg onload={hit}>",
        f"</title><script>{hit}</script>",
        f"</style><script>{hit}</script>",
        f"--><script>{hit}</script>",
        f"<!--<script>{hit}",
        f"]]><script>{hit}</script>",
        f'" autofocus onfocus={hit} x="',
        f"javascript:{hit}",
        f"{{{{ cycler.__init__.__globals__ }}}}<script>{hit}</script>",
        f"{{% raw %}}<script>{hit}</script>",
        f"\\u003cscript>{hit}</script>",
        f"\u2028</script><script>{hit}</script>",
        f"';{hit};'",
        f'";{hit};"',
        f"${{{hit}}}",
        f"`;{hit};`",
        f"<iframe srcdoc='<script>parent.{hit}</script>'>",
        f"<details open ontoggle={hit}>",
        f"<math><mtext></p><style><img src onerror={hit}>",
        f"</pre></code><body onload={hit}>",
        f"</option></select><img src=x onerror={hit}>",
    ]
    return [form + str(number) for number in (1, 2) for form in forms]
