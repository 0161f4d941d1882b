"""Some trials that are played at once, in one half of a pool: they begin each episode together."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import final

import numpy as np
from jaxtyping import PRNGKeyArray

from scoutrl.envs.host import HostFamily
from scoutrl.trials.agent import Memory, Phase
from scoutrl.trials.host.record import PhaseRecord
from scoutrl.trials.host.scene import Scene
from scoutrl.trials.host.verbs import Decision, Keys, Made, Verbs
from scoutrl.trials.trial import Protocol, Trial

_SHOWN = 5
"""Actions that are told of a trial that was lost."""


@dataclasses.dataclass(frozen=True)
class Cast:
    """Who plays."""

    make_agent: Callable
    """From a problem and a key to the agent of a trial."""
    verbs: Verbs
    """Of those agents."""
    protocol: Protocol
    """What they play."""


@dataclasses.dataclass(frozen=True)
class _Episode:
    """An episode of all trials of a group."""

    phase: Phase
    number: int
    """Of its phase."""
    seeds: np.ndarray
    """[trials]"""
    begin: np.ndarray
    """[trials]: keys of the agents when it begins."""
    acts: np.ndarray
    """[trials, horizon]: keys of the agents at each step."""
    record: PhaseRecord
    """What happened in the phase."""


@final
class Group:
    """As many trials as are played at once, or fewer: then some of its rows are not wanted."""

    def __init__(
        self, family: HostFamily, problems: np.ndarray, rows: np.ndarray, keys: PRNGKeyArray, wanted: np.ndarray
    ):
        self.problems = problems
        """[trials, k]"""
        self.rows = rows
        """[trials]: of the problems in the family."""
        self.keys = keys
        """[trials]"""
        self.wanted = wanted
        """[trials]: which of them are."""
        self.trial: Trial | None = None
        """What came of it; rows that are not wanted, or were lost, mean nothing."""
        self.reasons: dict[int, str] = {}
        """Of those that were lost: why, and what had been done."""
        self._family, self._alive = family, wanted.copy()

    @property
    def lost(self) -> np.ndarray:
        """[trials]: those that were wanted, and have to be played again."""
        return self.wanted & ~self._alive

    def play(self, scene: Scene, cast: Cast) -> Iterator[None]:
        """Play the trials; pauses wherever environments are at work."""
        count = len(self.rows)
        agent_keys, keys = cast.verbs.keys(self.keys)
        made = cast.verbs.make(cast.make_agent, self.problems, agent_keys)
        memory, informed = cast.verbs.begin(made, keys.begin)
        phases, priority = [], None
        for number, phase in enumerate(Phase):
            episodes = keys.seeds[number].shape[1]
            record = PhaseRecord(self._family, count, episodes, *scene.seen(count))
            for episode in range(episodes):
                of = _episode(phase, number, episode, keys, record)
                memory = yield from self._episode(scene, cast.verbs, made, memory, of)
            phases.append(record.episodes())
            if phase == Phase.EXPLORATION:
                priority = cast.verbs.priority(made, memory, keys.begin)
        noted = np.asarray(informed), np.asarray(priority)
        self.trial = Trial(self.problems, phases[0], phases[1], *noted)  # pyright: ignore[reportArgumentType]

    def _episode(self, scene: Scene, verbs: Verbs, made: Made, memory: Memory, of: _Episode) -> Iterator[None]:
        """Play an episode; gives the memory after it."""
        yield scene.reset(self.rows, of.seeds, self._alive)
        self._note_lost(scene, of)
        seen, goals = scene.seen(len(self.rows))
        of.record.begin(of.number, seen, goals)
        shown = goals if of.phase == Phase.EXPLOITATION or verbs.sees_goal_exploring else None
        decision: Decision = verbs.start[of.phase](made, memory, shown, seen, of.begin, of.acts[:, 0])
        active, exploring = self._alive.copy(), np.full(len(self.rows), of.phase == Phase.EXPLORATION)
        for time in range(self._family.horizon):
            action = np.asarray(decision.action)
            self._note_lost(scene, of)  # with a worker that the other half found dead
            was = active & self._alive & ~np.asarray(decision.ends)
            if was.any():
                yield scene.step(action, was)
            answer = scene.answer(was, seen)
            of.record.step(of.number, time, action, decision.kept, was, answer)
            self._note_lost(scene, of)
            seen, active = answer.observation, was & ~(answer.terminated | answer.truncated)
            given = made, decision.memory, decision.action, answer, was
            over = not active.any() and self.wanted.any()  # a rehearsal goes through all the verbs
            if time + 1 == self._family.horizon or over:
                return verbs.finish(*given)
            decision = verbs.go_on(*given, active, exploring, of.acts[:, time + 1])
        raise AssertionError("an episode has a step at least")

    def _note_lost(self, scene: Scene, of: _Episode) -> None:
        for place, reason in scene.lost():
            if place < len(self._alive) and self._alive[place]:
                self._alive[place] = False
                problem = self._family.source.job.arguments[self.rows[place]]
                done = of.record.actions(place, of.number)[-_SHOWN:]
                after = f"after the actions {done}" if done else "at its reset"
                self.reasons[place] = f"problem {problem}, seed {of.seeds[place]}, {after}: {reason}"


def _episode(phase: Phase, number: int, episode: int, keys: Keys, record: PhaseRecord) -> _Episode:
    """One of the episodes of a phase, which is number 0 or 1."""
    seeds, begin, acts = (drawn[number][:, episode] for drawn in (keys.seeds, keys.episodes, keys.acts))
    return _Episode(phase, episode, seeds, begin, acts, record)
