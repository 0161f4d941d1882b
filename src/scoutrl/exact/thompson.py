"""What exact posterior sampling earns: no learning, no sampling, every possible history and its probability.

Exploring, a hypothesis is a problem and a start of it, goal included, for goals are hidden then; exploiting, the goal
and the first observation are seen. A draw from the posterior is acted on by its optimal plan for as long as all that is
observed (observations, rewards, ends) can be true of it. For what comes after, it has no plan: another is drawn from
the posterior, or exploring ends there. Of equally good actions plans take the lowest.
"""

import dataclasses

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from scoutrl.envs.base import State
from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.exact.optimal_policy import Plan
from scoutrl.exact.reachable import act, distinct, flat, take

Posterior = Float[np.ndarray, "beliefs problems"]
"""Probabilities of beliefs and of the problems in each: all of them add up to 1."""


class _Moment(eqx.Module):
    """One time of an episode. A row is a history that can be, and a hypothesis that is consistent with it."""

    history: Int[np.ndarray, " rows"]
    """In order: the rows of a history are neighbours."""
    problem: Int[np.ndarray, " rows"]
    """Which problem the hypothesis says."""
    state: State
    """[rows, …]: the state that it says."""
    place: Int[np.ndarray, " rows"]
    """Where the plan for it stands."""
    chance: Float[np.ndarray, " rows"]
    """Probability of the history and of the hypothesis being true."""
    drawn: Float[np.ndarray, " rows"]
    """Probability that it is the draw acted on, given the history."""
    reward: Float[np.ndarray, " rows"]
    """Reward of the last step."""
    ended: Bool[np.ndarray, " rows"]
    """The last step ended the episode."""

    def per_history(self, x: np.ndarray) -> np.ndarray:
        """The sum of `x` [rows] over the rows of the same history, for each row."""
        return np.bincount(self.history, weights=x)[self.history] if len(x) else x


class Thompson(eqx.Module):
    """Posterior sampling on some problems of a family, every one as likely as the other."""

    env: EnumerableEnv
    starts: Starts
    """The starts of all problems, one after the other: every field [problems * starts, …]."""
    places: Int[np.ndarray, "problems starts"]
    """Where the plan for each start of each problem begins."""
    plan: Plan

    def explored(self, belief: Posterior, again: bool) -> Posterior:
        """The beliefs that an exploration episode can end with.

        Args:
            belief: the beliefs it can begin with.
            again: after a draw is refuted, draw again; else explore no further.
        """
        ends = self._explore(self._begin(belief, goal=False), again)
        found: dict[bytes, Float[np.ndarray, " problems"]] = {}
        for end in ends:
            for weights in _beliefs(end, belief.shape[1]):
                key = np.round(weights / weights.sum(), 9).tobytes()
                found[key] = found[key] + weights if key in found else weights
        return np.stack(list(found.values()))

    def exploited(self, belief: Posterior) -> float:
        """The expected return of an exploitation episode that begins with these beliefs; refuted draws are replaced."""
        moment, earned = self._begin(belief, goal=True), 0.0
        for time in range(self.env.horizon):
            moment = _redrawn(self._step(moment, time))
            earned += float(moment.chance @ moment.reward)
            moment = _keep(moment, ~moment.ended)
        return earned

    def _explore(self, moment: _Moment, again: bool) -> list[_Moment]:
        """The moments at which exploring can end: what comes after the problem is known makes no difference."""
        ends = []
        for time in range(self.env.horizon):
            moment = self._step(moment, time)
            if again:
                moment = _redrawn(moment)
            else:
                refuted, moment = _parted(moment)
                ends.append(refuted)
            over = moment.ended | _known(moment)
            ends.append(_keep(moment, over))
            moment = _keep(moment, ~over)
        return ends

    def _begin(self, belief: Posterior, goal: bool) -> _Moment:
        """The first moment of an episode, after what the agent sees at once."""
        count = self.places.shape[1]
        which, problem = (np.repeat(x, count) for x in np.nonzero(belief))
        rows = problem * count + np.tile(np.arange(count), len(problem) // count)
        state = take(self.starts.states, rows)
        seen = [which, *flat(take(self.starts.observations, rows))]
        seen += flat(jax.vmap(self.env.goal)(state)) if goal else []
        chance = belief[which, problem] * np.asarray(self.starts.probabilities, np.float64)[rows]
        places = self.places.reshape(-1)[rows]
        nothing = np.zeros(len(rows))
        moment = _Moment(distinct(seen)[1], problem, state, places, chance, nothing, nothing, nothing > 0)
        return _sorted(_redrawn(moment))

    def _step(self, moment: _Moment, time: int) -> _Moment:
        """The moment after, whatever is drawn and whatever is true; refuted draws are missing from its `drawn`."""
        if not len(moment.history):
            return moment
        wish = self.plan.actions[time][moment.place]
        count = int(self.env.spaces.action.n)  # pyright: ignore[reportAttributeAccessIssue]
        likely = np.bincount(moment.history * count + wish, weights=moment.drawn)
        branch = np.flatnonzero(likely > 1e-12)
        size = np.bincount(moment.history)
        first, sizes = (np.cumsum(size) - size)[branch // count], size[branch // count]
        branches = np.repeat(np.arange(len(branch)), sizes)
        rows = np.arange(sizes.sum()) + np.repeat(first - (np.cumsum(sizes) - sizes), sizes)
        action, share = (branch % count)[branches], likely[branch][branches]

        after, observation, reward, ended = act(self.env, take(moment.state, rows), action)
        history = distinct([branches, *flat((observation, reward, ended))])[1]
        chance = moment.chance[rows] * share
        drawn = np.where(wish[rows] == action, moment.drawn[rows] / share, 0.0)
        place = self.plan.children[time][moment.place[rows], action]
        ended = ended | (time == self.env.horizon - 1)
        reward = reward.astype(np.float64)
        return _sorted(_Moment(history, moment.problem[rows], after, place, chance, drawn, reward, ended))


def _redrawn(moment: _Moment) -> _Moment:
    """Refuted draws replaced by draws from the posterior."""
    refuted = np.clip(1 - moment.per_history(moment.drawn), 0, 1)
    posterior = moment.chance / moment.per_history(moment.chance)
    return dataclasses.replace(moment, drawn=moment.drawn + refuted * posterior)


def _parted(moment: _Moment) -> tuple[_Moment, _Moment]:
    """The same moment where the draw is refuted, and where it is not."""
    held = np.clip(moment.per_history(moment.drawn), 0, 1)
    refuted = dataclasses.replace(moment, chance=moment.chance * (1 - held))
    rest = dataclasses.replace(moment, chance=moment.chance * held, drawn=moment.drawn / np.maximum(held, 1e-12))
    return _keep(refuted, held < 1 - 1e-9), _keep(rest, held > 1e-9)


def _known(moment: _Moment) -> Bool[np.ndarray, " rows"]:
    """Histories in which one problem only is left."""
    first = np.searchsorted(moment.history, moment.history)
    return moment.per_history(moment.problem != moment.problem[first]) == 0


def _keep(moment: _Moment, which: Bool[np.ndarray, " rows"]) -> _Moment:
    """Some histories, numbered anew."""
    moment = take(moment, np.flatnonzero(which))
    return dataclasses.replace(moment, history=distinct([moment.history])[1])


def _sorted(moment: _Moment) -> _Moment:
    return take(moment, np.argsort(moment.history, kind="stable"))


def _beliefs(end: _Moment, problems: int) -> Posterior:
    """What each history that ended says of the problems."""
    beliefs = np.zeros((end.history.max(initial=-1) + 1, problems))
    np.add.at(beliefs, (end.history, end.problem), end.chance)
    return beliefs
