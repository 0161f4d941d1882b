"""A trial as data."""

import equinox as eqx
from jaxtyping import Array, Bool, Float

from scoutrl.envs.base import Action, Goal, Observation, Problem


class Episodes(eqx.Module):
    """Episodes of one phase; every field has the leading axes [..., episode].

    After an episode's end its arrays go on with values that mean nothing: `mask` says which steps were lived.
    """

    observations: Observation
    """[..., episode, time + 1, *observation]: the one before each step, and the last one."""
    actions: Action
    """[..., episode, time, *action]."""
    rewards: Float[Array, "*batch episode time"]
    """Rewards; 0 where `mask` is False."""
    terminated: Bool[Array, "*batch episode time"]
    """The step ended the episode for a reason of the problem's own; False where `mask` is False."""
    mask: Bool[Array, "*batch episode time"]
    """The step was lived; lived steps come first."""
    goals: Goal
    """[..., episode, *goal], or None in a family without goals."""

    @property
    def returns(self) -> Float[Array, "*batch episode"]:
        """Undiscounted return of each episode."""
        return self.rewards.sum(axis=-1)

    @property
    def lengths(self) -> Array:
        """Lived steps of each episode, [..., episode]."""
        return self.mask.sum(axis=-1)


class Trial(eqx.Module):
    """Exploration episodes, then exploitation episodes, in one problem."""

    problem: Problem
    """[..., k], the problem ID: for learning and for judging, never for an agent at test time."""
    exploration: Episodes
    """Episodes whose reward does not count."""
    exploitation: Episodes
    """Episodes whose return is the score."""
    informed: Bool[Array, "*batch"] | None = None
    """Whether the agent was told the problem, where the algorithm tells it in some of the training trials."""
