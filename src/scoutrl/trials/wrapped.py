"""Agents that stand in for another one."""

from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.trials.agent import Agent, Features, Kept, Memory, Phase


class WrappedAgent(Agent):
    """Does as `agent` does, all but how it acts."""

    agent: eqx.AbstractVar[Agent]
    """Whom it stands in for."""

    @property
    def informed(self) -> Bool[Array, ""]:
        """As the agent."""
        return self.agent.informed

    @property
    def sees_goal_exploring(self) -> bool:
        """As the agent."""
        return self.agent.sees_goal_exploring

    def begin(self, key: PRNGKeyArray) -> Memory:
        """As the agent."""
        return self.agent.begin(key)

    def begin_episode(self, memory: Memory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> Memory:
        """As the agent."""
        return self.agent.begin_episode(memory, phase, goal, key)

    def encode(self, observation: Observation) -> Features:
        """As the agent."""
        return self.agent.encode(observation)

    def keep(self, memory: Memory, action: Action) -> Kept:
        """As the agent."""
        return self.agent.keep(memory, action)

    def ends(self, memory: Memory) -> Bool[Array, ""] | bool:
        """As the agent."""
        return self.agent.ends(memory)

    def priority(self, memory: Memory) -> Float[Array, ""] | float:
        """As the agent."""
        return self.agent.priority(memory)

    def observe(self, memory: Memory, action: Action, step: Step) -> Memory:
        """As the agent."""
        return self.agent.observe(memory, action, step)


@final
class SwitchedAgent(WrappedAgent):
    """Greedy or not by a number in place of a constant, so that one program does for both.

    What the two ways of acting have in common the compiler computes once.
    """

    agent: Agent
    greedy: Bool[Array, ""]
    """Whether it acts greedily; what `act` is told does not count."""

    def act(self, memory: Memory, features: Features, key: PRNGKeyArray, greedy: bool) -> tuple[Action, Memory]:
        """As the agent, greedily or not."""
        del greedy
        ways = [self.agent.act(memory, features, key, way) for way in (True, False)]
        return jax.tree.map(lambda a, b: jnp.where(self.greedy, a, b), *ways)


def switch(condition: Bool[Array, ""], yes: Any, no: Any) -> Any:
    """`yes` or `no`, trees that are `alike`; settings that both share, as Python's own numbers, stay what they are."""
    ours, tree = jax.tree.flatten(yes)
    pairs = list(zip(ours, jax.tree.leaves(no), strict=True))
    differ = [eqx.is_array(a) or eqx.is_array(b) or a != b for a, b in pairs]
    arrays = [(jnp.asarray(a, jnp.result_type(b)), b) for (a, b), one in zip(pairs, differ, strict=True) if one]
    # To choose each array by itself would take as many small programs.
    chosen = iter(jax.lax.cond(condition, lambda: [a for a, _ in arrays], lambda: [jnp.asarray(b) for _, b in arrays]))
    return jax.tree.unflatten(tree, [next(chosen) if one else a for a, one in zip(ours, differ, strict=True)])


def alike(one: Any, other: Any) -> bool:
    """Whether two trees differ at most in the values of arrays, or of shapes that stand for them.

    Python's own numbers, by which code may branch, have to be the same in both, or an array in one of them.
    """
    if jax.tree.structure(one) != jax.tree.structure(other):
        return False
    return all(map(_same_kind, jax.tree.leaves(one), jax.tree.leaves(other)))


def _same_kind(one: Any, other: Any) -> bool:
    if not (_is_number(one) and _is_number(other)):
        return one is other
    if not (hasattr(one, "dtype") or hasattr(other, "dtype")):
        return one == other
    return np.shape(one) == np.shape(other) and _type(one) == _type(other)


def _type(number: Any) -> Any:
    return getattr(number, "dtype", None) or jnp.result_type(number)


def _is_number(leaf: Any) -> bool:
    return eqx.is_array_like(leaf) or isinstance(leaf, jax.ShapeDtypeStruct)
