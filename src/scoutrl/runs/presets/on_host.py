"""Presets of families that are stepped on the host: robots in MuJoCo, and doors in MiniGrid."""

from typing import Any

from scoutrl.runs.presets.preset import ALL_ALIKE, BUDGETS, MARKOV, RIVALS, Preset, Presets, default

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

_DREAM_RUNNING = MARKOV | _RUNNING | {"policy_warmup": 10, "rho": 0.1, "bottleneck_weight": 4e-4, "step_cost": 0.0}
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


def _on_mujoco(family: str, settings: dict[str, Any]) -> dict[str, Preset]:
    """The dense reward, and `sparse`: of the half-cheetah's velocities with its authors' horizon."""
    sparse = {"env.reward": "sparse"} | ({"env.horizon": 64} if family == "cheetah-vel" else {})
    return default(family, settings) | {"sparse": Preset(BUDGETS[family], settings | sparse)}


PRESETS: Presets = {("dream", "minigrid-doors"): default("minigrid-doors", _DOORS)}
for _family in ("cheetah-vel", "cheetah-dir", "ant-goal"):
    PRESETS["dream", _family] = _on_mujoco(_family, _DREAM_RUNNING)
    for _rival in RIVALS:
        _running = _RUNNING | ALL_ALIKE if _rival in ("pearl", "metacure") else _RL2_RUNNING
        PRESETS[_rival, _family] = _on_mujoco(_family, _running)
