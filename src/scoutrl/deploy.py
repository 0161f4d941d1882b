"""A trained agent for a plain Python loop: NumPy in, NumPy out, no JAX to be seen."""

import dataclasses
from collections.abc import Callable
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from scoutrl import prng
from scoutrl.envs import Spaces, Step
from scoutrl.envs.spaces import fit_space
from scoutrl.errors import ScoutError
from scoutrl.trials.agent import Agent, Phase, encode_step


@dataclasses.dataclass(frozen=True)
class DeployedMemory:
    """What the agent remembers of the trial, with its random state. Nothing in it is ever changed in place."""

    inner: Any
    """The agent's own memory."""
    key: Any
    """Random state, from the seed of the trial."""
    phase: Phase | None
    """Of the episode going on; None before the first."""


@final
class DeployedAgent:
    """A meta-policy that meets an unseen problem: it explores, then exploits what it found.

        memory = agent.begin(seed=0)                                    # a new problem
        memory = agent.begin_episode(memory, "exploration")
        action, memory = agent.act(memory, observation)
        memory = agent.observe(memory, action, (observation, reward, terminated, truncated))
        memory = agent.begin_episode(memory, "exploitation", goal=goal)

    After `act`, `agent.ends(memory)` tells whether it ends the exploration episode in place of the action, as agents
    trained with `end_exploration` may. It is never told which problem it is in. A memory may be kept and gone on from
    twice: verbs return a new one.
    """

    spaces: Spaces
    """What observations, actions and goals look like."""
    horizon: int
    """The most steps of an episode."""
    explorations: int
    """Exploration episodes the agent was trained for."""
    exploitations: int
    """Exploitation episodes the agent was trained for."""

    def __init__(self, agent: Agent, spaces: Spaces, horizon: int, explorations: int = 1, exploitations: int = 1):
        """Wrap an agent; each verb is compiled when it is first used."""
        self.spaces, self.horizon = spaces, horizon
        self.explorations, self.exploitations = explorations, exploitations
        self._sees_goal_exploring = agent.sees_goal_exploring
        arrays, rest = eqx.partition(agent, eqx.is_array)
        self._leaves, structure = jax.tree.flatten(arrays)

        def whole(leaves: list) -> Agent:
            return eqx.combine(jax.tree.unflatten(structure, leaves), rest)

        self._begin, self._begin_episode, self._act, self._observe, self._ends = _compiled(whole)

    def begin(self, seed: int = 0) -> DeployedMemory:
        """Forget everything: a new problem. The seed draws whatever the agent does at random."""
        inner, key = self._begin(self._leaves, prng.key(seed))
        return DeployedMemory(inner, key, None)

    def begin_episode(self, memory: DeployedMemory, phase: str, goal: Any = None) -> DeployedMemory:
        """Start an episode.

        Args:
            memory: from `begin`, or from the episode before.
            phase: "exploration" to look around, "exploitation" to do the job.
            goal: what the episode is for, in `spaces.goal`; None in families without goals, and when exploring, unless
                the agent was trained with `goal_while_exploring`.

        Raises:
            ScoutError: no such phase; a goal that is missing, not wanted or outside its space.
        """
        if phase not in (Phase.EXPLORATION, Phase.EXPLOITATION):
            raise ScoutError(f'an episode is "exploration" or "exploitation"; there is no phase {phase!r}.')
        shows = phase == Phase.EXPLOITATION or self._sees_goal_exploring
        wanted = shows and self.spaces.goal is not None
        if goal is None and wanted:
            raise ScoutError(f"this family has goals: an {phase} episode needs goal=….")
        if goal is not None and not wanted:
            raise ScoutError("no goal is shown when exploring, or in a family without goals: leave out goal=….")
        shown = fit_space(goal, self.spaces.goal, "goal") if wanted and self.spaces.goal is not None else None
        inner, key = self._begin_episode(self._leaves, memory.inner, memory.key, shown, Phase(phase))
        return DeployedMemory(inner, key, Phase(phase))

    def act(self, memory: DeployedMemory, observation: Any, greedy: bool = True) -> tuple[Any, DeployedMemory]:
        """Choose an action: an int where actions are numbered, else a NumPy array.

        Args:
            memory: from `begin_episode` or `observe`.
            observation: in `spaces.observation`; lists and numbers will do.
            greedy: leave out the noise of training.

        Raises:
            ScoutError: no episode was begun, or the observation is outside its space.
        """
        seen = fit_space(observation, self.spaces.observation, "observation")
        action, inner, key = self._act(self._leaves, _begun(memory), memory.key, seen, bool(greedy))
        array = np.asarray(action)
        return (int(array) if array.shape == () and array.dtype.kind in "iu" else array), DeployedMemory(
            inner, key, memory.phase
        )

    def ends(self, memory: DeployedMemory) -> bool:
        """Whether the agent ends its exploration episode in place of the action that it has just chosen.

        Only agents trained with `end_exploration` ever do. That episode is over then: begin the next one.

        Raises:
            ScoutError: no episode was begun.
        """
        return memory.phase == Phase.EXPLORATION and bool(self._ends(self._leaves, _begun(memory)))

    def observe(self, memory: DeployedMemory, action: Any, step: Step | tuple) -> DeployedMemory:
        """Take in what the environment answered to `action`.

        Args:
            memory: from `act`.
            action: what was done.
            step: a `scoutrl.Step`, or (observation, reward, terminated, truncated) as in Gymnasium, info or not.

        Raises:
            ScoutError: no episode was begun, or something of the wrong shape, type or range.
        """
        done = fit_space(action, self.spaces.action, "action")
        inner = self._observe(self._leaves, _begun(memory), done, self._checked(step))
        return DeployedMemory(inner, memory.key, memory.phase)

    def _checked(self, step: Step | tuple) -> Step:
        if isinstance(step, Step):
            step = (step.observation, step.reward, step.terminated, step.truncated)
        if not isinstance(step, tuple | list) or len(step) not in (4, 5):
            raise ScoutError("a step is (observation, reward, terminated, truncated) or a scoutrl.Step.")
        reward = np.asarray(step[1])
        if reward.shape != () or reward.dtype.kind not in "biuf" or not np.isfinite(reward):
            raise ScoutError(f"the reward must be one finite number; it is {step[1]!r}.")
        seen = fit_space(step[0], self.spaces.observation, "observation")
        return Step(seen, np.float32(reward), np.bool_(step[2]), np.bool_(step[3]))  # pyright: ignore[reportArgumentType]


def _begun(memory: DeployedMemory) -> Any:
    if memory.phase is None:
        raise ScoutError("no episode was begun: call begin_episode first.")
    return memory.inner


def _compiled(whole: Callable[[list], Agent]) -> tuple[Callable, Callable, Callable, Callable, Callable]:
    """The five verbs as compiled functions of the agent's arrays; random keys are split inside."""

    def begin(leaves, key):
        key, drawn = jax.random.split(key)
        return whole(leaves).begin(drawn), key

    def begin_episode(leaves, inner, key, goal, phase):
        key, drawn = jax.random.split(key)
        return whole(leaves).begin_episode(inner, phase, goal, drawn), key

    def act(leaves, inner, key, observation, greedy):
        key, drawn = jax.random.split(key)
        agent = whole(leaves)
        action, inner = agent.act(inner, agent.encode(observation), drawn, greedy)
        return jnp.asarray(action), inner, key

    def observe(leaves, inner, action, step):
        agent = whole(leaves)
        return agent.observe(inner, action, encode_step(agent, step))

    def ends(leaves, inner):
        return whole(leaves).ends(inner)

    return (
        jax.jit(begin),
        jax.jit(begin_episode, static_argnums=4),
        jax.jit(act, static_argnums=4),
        jax.jit(observe),
        jax.jit(ends),
    )
