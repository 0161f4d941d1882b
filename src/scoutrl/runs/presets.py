"""Presets: what `scout train ALGORITHM FAMILY` does when nothing else is said.

A preset's settings have the names of `--set`: a hyper-parameter of the algorithm, `iterations`, `evaluation_trials`, or
`env.NAME` for an option of the family. Whatever a preset leaves out keeps the default of the algorithm.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from scoutrl.errors import ScoutError


@dataclasses.dataclass(frozen=True)
class Preset:
    """How long to train, and the settings to train with."""

    steps: int
    """Environment steps."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Name to value, as after `--set`."""
    until: float | None = None
    """Return on validation problems with which training stops once it is held; None: none."""


BUDGETS = {
    "distracting-bus": 3_000_000,
    "bus": 1_800_000,
    "map": 1_800_000,
    "cooking": 6_000_000,
    "cooking-split": 6_000_000,
    "lever": 400_000,
    "sign": 1_000_000,
    "semicircle": 3_000_000,
    "semicircle-wind": 3_000_000,
    "escape-room": 3_000_000,
    "cheetah-vel": 2_000_000,
    "cheetah-dir": 2_000_000,
    "ant-goal": 2_000_000,
    "minigrid-doors": 250_000,
}
"""Family to environment steps of a default preset, the same for every algorithm; others have `UNTUNED`."""
UNTIL = {"distracting-bus": 0.792, "bus": 0.792, "map": 0.792, "cooking": 0.37, "lever": 0.99}
"""Family to the return that ends a default preset early: 99% of the optimum on its validation problems; of `cooking`
98%, as what the best agent earns there depends on the goals drawn, and differs by 1% from evaluation to evaluation."""
UNTUNED = 1_000_000
"""Steps on families nobody has tuned an algorithm on."""

_MARKOV = {"policy_memory": False}
"""For families whose observation, goal and z say all that a policy needs: its memory would only cost time."""

_OFTEN = {"success_share": 0.4}
"""Some goals are reached far less often than others, and the policy has to learn them all."""

_BUS = _MARKOV | _OFTEN

_BRISK = {"step_cost_below": 0.6, "step_cost": 0.03}
"""Of what the encoder holds, 0.4 stays unknown after the best exploration: with the usual 0.3 a step would never cost
anything. With 0.02 a step explorers of the distracting bus still wander (12 to 17 steps, where 10 suffice), with 0.03
they take 11."""

_SMALL_STEPS = {
    "policy_width": 64,
    "batch_size": 16,
    "updates_per_iteration": 8,
    "learning_rate": 3e-3,
    "decay_updates": 20_000,
}
"""Small networks, and many small steps that become smaller, whatever algorithm learns: an iteration takes about half as
long. Small batches fall back now and then unless the step size falls."""

_QUICK = _BUS | _SMALL_STEPS | _BRISK | {"z_scale": 0.1, "bottleneck_weight": 8e-5}
"""With a memory shared by decoder and explorer an iteration would take less still, but explorers of the distracting bus
then wander for twice as long before they are quick."""

_LONG = {"success_share": 0.5, "average_rate": 0.02}
"""For tasks that take many steps to do, whatever algorithm learns them: what takes long is the policy."""

_COOKING = _MARKOV | _LONG | {"bottleneck_weight": 1.2e-5, "priority_share": 0.1}
"""A weak bottleneck: each drawer matters, and exploring is easy."""

_SMALL = {
    "trials_per_iteration": 8,
    "updates_per_iteration": 4,
    "batch_size": 32,
    "capacity": 4096,
    "warmup": 0,
    "width": 32,
    "memory_size": 32,
    "policy_width": 64,
}
"""Small networks that learn from few samples: what is counted is samples, of many seeds and sizes."""


def _default(family: str, settings: Mapping[str, Any]) -> dict[str, Preset]:
    return {"default": Preset(BUDGETS.get(family, UNTUNED), settings, UNTIL.get(family))}


def _on_mujoco(family: str, settings: dict[str, Any]) -> dict[str, Preset]:
    """The dense reward, and `sparse`: of the half-cheetah's velocities with its authors' horizon."""
    sparse = {"env.reward": "sparse"} | ({"env.horizon": 64} if family == "cheetah-vel" else {})
    return _default(family, settings) | {"sparse": Preset(BUDGETS[family], settings | sparse)}


_HIDDEN = {"see_rewards": False}
"""On the lever family the reward would tell what only one lever is to tell."""

_SIGN = {
    "trials_per_iteration": 32,
    "updates_per_iteration": 3,
    "batch_size": 24,
    "capacity": 2048,
    "learning_rate": 1e-3,
    "discount": 0.92,
    "success_share": 0.4,
    "success_floor": 0.0,
    "priority_share": 0.2,
    "random_actions": (0.25, 0.25, 0.47, 0.03),
    "iterations": 25,
}
"""Frames are what costs: fewer trials, and none wasted. Without a price on a step only the discount makes haste."""

_ALL_ALIKE = {"success_share": 0.0, "priority_share": 0.0}
"""As its authors do, PEARL draws all trials alike, also where a family's preset seeks out successes for the others.
These are weighted by how often they happen: luck does not look like skill to who is not told the problem."""

_PLANE = {
    "exploration_episodes": 3,
    "trials_per_iteration": 32,
    "updates_per_iteration": 8,
    "capacity": 8192,
    "learning_rate": 1.5e-3,
    "discount": 0.95,
    "epsilon_high": 0.3,
    "warmup": 30,
    "iterations": 25,
}
"""A point in the plane, for whatever algorithm: three episodes see all of the half circle; ε is drawn in each of two
coordinates; and as warm-up trials are random altogether and held, a few of them do."""

_DREAM_PLANE = (
    _MARKOV
    | _PLANE
    | {
        "policy_warmup": 30,
        "explorer_layers": 2,
        "rho": 0.1,
        "bottleneck_weight": 4e-4,
        "decoded_below": 0.8,
        "step_cost": 0.0,
        "decay_updates": 9_000,
    }
)
"""A goal is never met by independent random actions: the policy begins with held ones, too. What z needs to tell is one
number, and noise and bottleneck are strong. The decoder is of use long before it is good. At a steady step
size explorers go on changing their way, and lose a goal here and there."""

_MUJOCO = {
    "see_time": False,
    "discount": 0.99,
    "learning_rate": 3e-4,
    "evaluation_trials": 20,
    "evaluations": 20,
}
"""Running goes on when time is up, and in the originals no policy sees the time. Trials are long, and so are
evaluations."""

_RUNNING = _MUJOCO | {
    "learner": "sac",
    "lambda_": 0.5,
    "trials_per_iteration": 8,
    "updates_per_iteration": 128,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "capacity": 2048,
    "warmup": 10,
}
"""SAC, which learns from few samples, and takes many gradient steps for each: about as much time goes into them as into
stepping the robots."""

_DREAM_RUNNING = _MARKOV | _RUNNING | {"policy_warmup": 10, "rho": 0.1, "bottleneck_weight": 4e-4, "step_cost": 0.0}
"""What is to be found out is one or two numbers, as in the plane; and nobody can end an episode."""

_RL2_RUNNING = _MUJOCO | {
    "learner": "ppo",
    "lambda_": 0.9,
    "discount": 0.97,
    "entropy_weight": 0.01,
    "trials_per_iteration": 32,
    "batch_size": 8,
    "updates_per_iteration": 8,
    "learning_rate": 7e-4,
    "max_gradient": 0.5,
}
"""After VariBAD's configuration of RL² on the half-cheetah: γ, λ, entropy, step size and clipping are its own."""
_DOORS = {"updates_per_iteration": 12, "warmup": 80, "policy_warmup": 60}
"""On the host steps take longer than gradient steps; and most doors do harm."""

PRESETS: dict[tuple[str, str], dict[str, Preset]] = {
    ("dream", "distracting-bus"): _default("distracting-bus", _QUICK)
    | {
        "frugal": Preset(
            steps=400_000,
            settings=_MARKOV
            | {
                "trials_per_iteration": 16,
                "updates_per_iteration": 16,
                "warmup": 100,
                "hypothesis_share": 0.75,
                "iterations": 40,
            },
        ),
    },
    ("dream", "bus"): _default("bus", _BUS | _BRISK),
    ("dream", "map"): _default("map", _QUICK | {"step_cost": 0.06}),
    ("dream", "cooking"): _default("cooking", _COOKING),
    ("dream", "cooking-split"): _default("cooking-split", _COOKING),
    ("dream", "lever"): _default("lever", _MARKOV | _HIDDEN)
    | {"coupling": Preset(steps=400_000, settings=_MARKOV | _HIDDEN | _SMALL)},
    ("dream", "semicircle"): _default("semicircle", _DREAM_PLANE),
    ("dream", "semicircle-wind"): _default("semicircle-wind", _DREAM_PLANE),
    ("dream", "escape-room"): _default("escape-room", _DREAM_PLANE),
    ("dream", "minigrid-doors"): _default("minigrid-doors", _DOORS),
    ("dream", "sign"): _default(
        "sign",
        _SIGN
        | {
            "z_scale": 1.0,
            "rho": 0.1,
            "bottleneck_weight": 1e-5,
            "decoder_weight": 0.1,
            "step_cost": 0.0,
            "hypothesis_share": 0.0,
            "warmup": 250,
            "policy_warmup": 200,
        },
    ),
}
"""(algorithm, family) to its presets by name; `default` is what runs without `--preset`."""

_RIVALS = ("rl2", "e-rl2", "import", "varibad", "pearl", "metacure")
_FOR_RIVALS = (
    dict.fromkeys(("distracting-bus", "map"), _OFTEN | _SMALL_STEPS)
    | {"bus": _OFTEN, "cooking": _LONG, "cooking-split": _LONG, "sign": _SIGN}
    | dict.fromkeys(("semicircle", "semicircle-wind", "escape-room"), _PLANE)
)
"""Family to what DREAM's preset for it has that is not DREAM's own: sizes, steps, sampling and random actions."""

for _rival in _RIVALS:
    for _family, _settings in _FOR_RIVALS.items():
        PRESETS[_rival, _family] = _default(_family, _settings | (_ALL_ALIKE if _rival == "pearl" else {}))
for _rival in ("rl2", "e-rl2", "import", "varibad"):
    PRESETS[_rival, "lever"] = _default("lever", _HIDDEN) | {
        "coupling": Preset(steps=400_000, settings=_HIDDEN | _SMALL)
    }
for _family in ("cheetah-vel", "cheetah-dir", "ant-goal"):
    PRESETS["dream", _family] = _on_mujoco(_family, _DREAM_RUNNING)
    for _rival in _RIVALS:
        _running = _RUNNING | _ALL_ALIKE if _rival in ("pearl", "metacure") else _RL2_RUNNING
        PRESETS[_rival, _family] = _on_mujoco(_family, _running)


def presets(algorithm: str, family: str) -> dict[str, Preset]:
    """The presets of one pair, by name; there always is a `default`."""
    return _default(family, {}) | PRESETS.get((algorithm, family), {})


def preset(algorithm: str, family: str, name: str) -> Preset:
    """One preset.

    Raises:
        ScoutError: there is none of that name.
    """
    known = presets(algorithm, family)
    if name not in known:
        raise ScoutError(f"there is no preset {name!r} of {algorithm} for {family}; there are: {', '.join(known)}.")
    return known[name]
