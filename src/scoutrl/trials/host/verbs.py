"""What an agent does between two steps of its environments, compiled for many trials at once."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from scoutrl.envs import Step
from scoutrl.trials.agent import Agent, Kept, Memory, Phase, encode_step
from scoutrl.trials.trial import Protocol

Leaves = list[Array]


class Made(NamedTuple):
    """The agents of some trials."""

    shared: Leaves
    """What all of them have in common, as weights."""
    own: Leaves
    """What is each trial's, with the leading axis [trials]."""


class Keys(NamedTuple):
    """All that is random in some trials, drawn as `rollout` draws it; arrays of NumPy, keys as their data."""

    begin: Any
    """[trials]: of the trial."""
    seeds: list[Any]
    """For each phase, [trials, episodes]: of the environment."""
    episodes: list[Any]
    """For each phase, [trials, episodes]: of the agent when an episode begins."""
    acts: list[Any]
    """For each phase, [trials, episodes, horizon]: of the agent at each step."""


class Decision(NamedTuple):
    """What agents decided."""

    memory: Memory
    action: Array
    kept: Kept
    ends: Array
    """The episode is over, and the action is not taken."""


@final
class Verbs:
    """The verbs of the agents that `make_agent` makes, with a leading axis of trials."""

    def __init__(self, make_agent: Callable, problem: np.ndarray, key: PRNGKeyArray, protocol: Protocol, horizon: int):
        """Trace how an agent is made in `problem` with `key`, to see what all have in common."""
        arrays, self._rest = eqx.partition(make_agent, eqx.is_array)
        leaves, self._given = jax.tree.flatten(arrays)
        self._greedy, self._impl = protocol.greedy, jax.random.key_impl(key)
        program = jax.make_jaxpr(self._leaves_of)(leaves, problem, key).jaxpr
        inputs = program.invars[: len(leaves)]
        places = [next((i for i, one in enumerate(inputs) if one is leaf), None) for leaf in program.outvars]
        self._places = places
        """Of each array of an agent: which of those of `make_agent` it is; None where it is computed."""
        counts = protocol.exploration_episodes, protocol.exploitation_episodes
        self._draw = functools.partial(_draw, counts, horizon)
        self._make_own = jax.jit(jax.vmap(self._computed, in_axes=(None, 0, 0)))
        self.begin = jax.jit(self._over_trials(self._begin))
        """(agents, keys) -> memory, informed."""
        self.start = {phase: jax.jit(self._over_trials(self._start(phase))) for phase in Phase}
        """Begin an episode and decide: (agents, memory, goals, observations, keys, keys to act) -> Decision."""
        self.go_on = jax.jit(self._over_trials(self._go_on))
        """(agents, memory, actions, answers, were active, are active, exploring, keys to act) -> Decision."""
        self.priority = jax.jit(self._over_trials(_priority))
        """When exploration is over: (agents, memory, keys, which say how many trials) -> how much there is to learn."""
        self.finish = jax.jit(self._over_trials(self._finish))
        """The last step of an episode: (agents, memory, actions, answers, were active) -> memory."""

    def make(self, make_agent: Callable, problems: np.ndarray, keys: PRNGKeyArray) -> Made:
        """An agent for each of the problems [trials, k]."""
        leaves = jax.tree.leaves(eqx.filter(make_agent, eqx.is_array))
        own = self._make_own(leaves, problems, keys)
        return Made([leaves[place] for place in self._places if place is not None], own)

    def keys(self, keys: PRNGKeyArray) -> tuple[PRNGKeyArray, Keys]:
        """The keys that make the agents, and all others, from those of the trials."""
        agents, rest = self._draw(keys)
        return agents, jax.tree.map(np.asarray, rest)

    @property
    def sees_goal_exploring(self) -> bool:
        """As the agents say."""
        return self._agent_like().sees_goal_exploring

    def _leaves_of(self, leaves: Leaves, problem: Array, key: PRNGKeyArray) -> Leaves:
        agent = eqx.combine(jax.tree.unflatten(self._given, leaves), self._rest)(problem, key)
        arrays, self._agent_rest = eqx.partition(agent, eqx.is_array)
        found, self._agent_tree = jax.tree.flatten(arrays)
        return found

    def _computed(self, leaves: Leaves, problem: Array, key: PRNGKeyArray) -> Leaves:
        made = self._leaves_of(leaves, problem, key)
        return [leaf for leaf, place in zip(made, self._places, strict=True) if place is None]

    def _agent(self, shared: Leaves, own: Leaves) -> Agent:
        ours, theirs = iter(shared), iter(own)
        leaves = [next(theirs) if place is None else next(ours) for place in self._places]
        return eqx.combine(jax.tree.unflatten(self._agent_tree, leaves), self._agent_rest)

    def _agent_like(self) -> Agent:
        nothing = [None] * len(self._places)
        return eqx.combine(jax.tree.unflatten(self._agent_tree, nothing), self._agent_rest)

    def _over_trials(self, verb: Callable) -> Callable:
        def all_at_once(made: Made, *each: Any) -> Any:
            def one(own: Leaves, *each: Any) -> Any:
                return verb(self._agent(made.shared, own), *each)

            return jax.vmap(one)(made.own, *each)

        return all_at_once

    def _begin(self, agent: Agent, key: Array) -> tuple[Memory, Array]:
        return agent.begin(self._key(key)), jnp.asarray(agent.informed, bool)

    def _start(self, phase: Phase) -> Callable[..., Decision]:
        def start(agent: Agent, memory: Memory, goal: Any, seen: Array, begin: Array, act: Array) -> Decision:
            memory = agent.begin_episode(memory, phase, goal, self._key(begin))
            return self._decide(agent, memory, agent.encode(seen), act, jnp.bool_(phase == Phase.EXPLORATION))

        return start

    def _go_on(
        self,
        agent: Agent,
        memory: Memory,
        action: Array,
        answer: Step,
        was: Array,
        active: Array,
        exploring: Array,
        act: Array,
    ) -> Decision:
        step = encode_step(agent, answer)
        memory = _where(was, agent.observe(memory, action, step), memory)
        decision = self._decide(agent, memory, step.observation, act, exploring)
        # Once an episode has ended its memory stays as it was.
        return decision._replace(memory=_where(active, decision.memory, memory))

    def _finish(self, agent: Agent, memory: Memory, action: Array, answer: Step, was: Array) -> Memory:
        return _where(was, agent.observe(memory, action, encode_step(agent, answer)), memory)

    def _decide(self, agent: Agent, memory: Memory, features: Any, act: Array, exploring: Array) -> Decision:
        action, after = agent.act(memory, features, self._key(act), self._greedy)
        ends = exploring & jnp.asarray(agent.ends(after))
        return Decision(_where(ends, memory, after), action, agent.keep(after, action), ends)

    def _key(self, data: Array) -> PRNGKeyArray:
        return jax.random.wrap_key_data(data, impl=self._impl)


def _priority(agent: Agent, memory: Memory, key: Array) -> Array:
    """`key` has the axis of trials also where agent and memory have no array at all."""
    return jnp.asarray(agent.priority(memory), jnp.float32)


def _where(condition: Array, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _draw(counts: tuple[int, int], horizon: int, keys: PRNGKeyArray) -> tuple[PRNGKeyArray, Keys]:
    """The keys of the agents of some trials, and all others; the fewer splits there are, the sooner it is compiled."""
    both = _split(keys, 2)
    parts = _split(both[..., 1], 1 + len(counts))
    # All episodes of a trial, [trials, episodes].
    starts = jnp.concatenate([_split(parts[..., 1 + i], count) for i, count in enumerate(counts)], axis=1)
    each = _split(starts, 3)
    acts = _split(_split(each[..., 2], horizon), 2)[..., 0]
    drawn = jax.vmap(jax.vmap(jax.random.bits))(each[..., 0]), *map(jax.random.key_data, (each[..., 1], acts))
    first = counts[0]
    begin = jax.random.key_data(parts[..., 0])
    return both[..., 0], Keys(begin, *([one[:, :first], one[:, first:]] for one in drawn))


def _split(keys: PRNGKeyArray, count: int) -> PRNGKeyArray:
    """Each of the keys as so many, in a further axis."""
    split = jax.vmap(functools.partial(jax.random.split, num=count))(keys.reshape(-1))
    return split.reshape(*keys.shape, count)
