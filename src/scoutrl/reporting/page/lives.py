"""Trials for the player: which are shown, and all that is shown of one."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from scoutrl import prng
from scoutrl.envs import Spec
from scoutrl.envs.describe import Description
from scoutrl.envs.spaces import is_image
from scoutrl.evaluation.recorded import RecordedEpisode, RecordedTrials
from scoutrl.evaluation.recording import Recorder, recorder
from scoutrl.reporting.page.numbers import plain
from scoutrl.reporting.page.pictures import in_colour, reduced, sheet
from scoutrl.runs.open import TrainedRun
from scoutrl.trials.agent import Phase

HARDEST, OTHERS = 24, 12
"""Pairs of problem and goal that the player has: those of the lowest return, and others evenly spread."""
LEAST, MOST, MOST_SEEN = 256, 1024, 64
"""Trials that are played, if not one for each problem; and most of them where observations are images."""
FRAMES, SIDE = 8000, 256
"""Pictures that a player has at most, as far as trials may last, and pixels of a side of one."""
NEVER = -1e8
"""Preferences below stand for choices that there are not."""


def play_trials(trained: TrainedRun, record: Recorder | None = None, seed: int = 0) -> RecordedTrials:
    """Greedy trials on the test problems, evenly spread, the same problems and keys for every run of a family.

    `record` is a recorder of this family and protocol, for several runs of the same algorithm: it compiles once.
    """
    env = trained.env
    ids = env.problems.of("test")
    most = MOST_SEEN if is_image(env.spaces.observation) else MOST
    count = min(max(LEAST, len(ids)), most)
    order = np.random.default_rng(seed).permutation(len(ids))[np.arange(count) % len(ids)]
    record = record or recorder(env, trained.algorithm.protocol(greedy=True))
    return record(trained.agent, trained.knowledge, ids[order], jax.random.split(prng.key(seed), count))


@dataclasses.dataclass(frozen=True)
class Case:
    """A problem with a goal."""

    id: tuple[float, ...]
    """The problem ID."""
    key: tuple[float, ...]
    """The problem ID and the goal, as numbers."""
    trial: int
    """The first trial of it, which the player shows."""
    problem: str
    """The problem, in words."""
    goal: str
    """The goal, in words; empty in a family without goals."""
    trials: int
    """Trials of it."""
    score: float
    """Mean return of an exploitation episode."""
    explored: float
    """Mean steps of an exploration episode."""
    residual: float
    """Mean share of the problem that is not known after exploring; NaN if nobody can tell."""


def all_cases(trials: RecordedTrials) -> list[Case]:
    """Problems with their goals, hardest first."""
    words, goals = trials.env.describe(), trials.goals()
    rows = trials.ids if goals is None else np.concatenate([trials.ids, goals.reshape(len(goals), -1)], axis=1)
    _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    scores, explored = trials.returns(Phase.EXPLOITATION), trials.lengths(Phase.EXPLORATION)
    residuals, which = 1 - trials.known(), which.reshape(-1)
    found = []
    for place, trial in enumerate(first):
        of = which == place
        found.append(
            Case(
                tuple(trials.ids[trial].tolist()),
                tuple(rows[trial].tolist()),
                int(trial),
                problem_in_words(trials.env, words, trials.ids[trial]),
                "" if goals is None else str(words.goal(goals[trial])),
                int(of.sum()),
                float(scores[of].mean()),
                float(explored[of].mean()),
                float(residuals[of].mean()),
            )
        )
    return sorted(found, key=lambda case: (case.score, -case.explored))


def chosen(cases: list[Case], moments: int) -> list[Case]:
    """Those that the page has: the hardest, and some of the others; fewer where a trial has many `moments`."""
    share = min(1.0, FRAMES / (moments * (HARDEST + OTHERS)))
    hardest, others = (max(1, int(share * count)) for count in (HARDEST, OTHERS))
    rest = cases[hardest:]
    spread = np.unique(np.linspace(0, len(rest) - 1, min(others, len(rest))).astype(int))
    return cases[:hardest] + [rest[place] for place in spread]


def problem_in_words(env: Spec, words: Description, problem: np.ndarray) -> str:
    """What the family says of it; else its components by name."""
    if words.problem is not None:
        return str(words.problem(problem))
    numbers = plain(problem)
    return ", ".join(f"{name} {value}" for name, value in zip(env.problems.names, numbers, strict=True))


def lives(trials: RecordedTrials, which: Sequence[int]) -> list[dict[str, Any]]:
    """All that the player shows of some trials."""
    words, has_images = trials.env.describe(), is_image(trials.env.spaces.observation)
    return [_life(words, episodes, has_images) for episodes in trials.some(which)]


def _life(words: Description, episodes: list[RecordedEpisode], has_images: bool) -> dict[str, Any]:
    """Moments are those of the episodes, one after the other."""
    starts = np.cumsum([0, *(len(episode.rewards) for episode in episodes[:-1])]).tolist()
    pictures, smaller = reduced(np.concatenate([episode.pictures for episode in episodes]), SIDE)
    seen = np.concatenate([episode.observations for episode in episodes])
    return {
        "sheet": sheet(pictures).to_dict(),
        "seen": sheet(reduced(in_colour(seen), SIDE)[0]).to_dict() if has_images else None,
        "episodes": [
            {
                "phase": str(episode.phase),
                "start": start,
                "moments": len(episode.rewards),
                "goal": None if episode.goal is None else str(words.goal(np.asarray(episode.goal))),
                "score": plain(episode.rewards.sum()),
            }
            for episode, start in zip(episodes, starts, strict=True)
        ],
        "rewards": [value for episode in episodes for value in plain(episode.rewards)],
        "known": [value for episode in episodes for value in plain(episode.known)],
        "spots": [plain(spot / smaller, 1) for episode in episodes for spot in episode.spots],
        "actions": [value for episode in episodes for value in _actions(episode)],
        "values": [value for episode in episodes for value in _values(episode)],
    }


def _actions(episode: RecordedEpisode) -> list[Any]:
    """What is done at each moment; None at the last."""
    return [*([] if episode.actions is None else plain(episode.actions)), None]


def _values(episode: RecordedEpisode) -> list[Any]:
    """What is chosen by at each moment, for actions of one number; None where that cannot be said."""
    found = episode.preferences
    if found is None or found.shape[1] != 1 or episode.actions is None or episode.actions.ndim > 1:
        return [None] * len(episode.rewards)
    return [*plain(np.where(found[:, 0] < NEVER, np.nan, found[:, 0])), None]
