"""Trained agents that were watched, one a lane of the player: what the page's parts about them are made of."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scoutrl.envs import Spec
from scoutrl.evaluation.recorded import RecordedTrials
from scoutrl.evaluation.recording import Recorder
from scoutrl.evaluation.scores import Estimate
from scoutrl.reporting.page.lives import Case, all_cases, chosen, lives, play_trials
from scoutrl.reporting.page.numbers import shown
from scoutrl.reporting.page.pictures import address
from scoutrl.runs.open import TrainedRun
from scoutrl.trials.agent import Phase


@dataclasses.dataclass(frozen=True)
class Watched:
    """A trained agent and its greedy trials on the test problems."""

    label: str
    """What it is called beside others."""
    trained: TrainedRun
    trials: RecordedTrials

    @staticmethod
    def of(trained: TrainedRun, label: str, record: Recorder | None = None) -> "Watched":
        """Play the trials; `record` as for `play_trials`."""
        return Watched(label, trained, play_trials(trained, record))

    @property
    def score(self) -> Estimate:
        """Return of an exploitation episode; the interval is over trials."""
        return Estimate.of(self.trials.returns(Phase.EXPLOITATION))

    @property
    def explored(self) -> float:
        """Mean steps of an exploration episode."""
        return float(self.trials.lengths(Phase.EXPLORATION).mean())

    @property
    def residual(self) -> float:
        """Mean share of a problem that is not known after exploring; NaN if nobody can tell."""
        return float(1 - self.trials.known().mean())


def player(lanes: Sequence[Watched]) -> tuple[list[Case], dict[str, Any]]:
    """The problems that are shown, hardest first for all together, and the data of the player: a life for each lane."""
    found = [{case.key: case for case in all_cases(lane.trials)} for lane in lanes]
    together = [_mean([of[key] for of in found if key in of]) for key in found[0]]
    most = len(lanes[0].trials.phases) * (1 + lanes[0].trials.env.horizon)
    cases = chosen(sorted(together, key=lambda case: (case.score, -case.explored)), most)
    # Where an agent did not meet the problem with this goal, it is shown with another one.
    trials = [
        [of[case.key].trial if case.key in of else _met(lane.trials, case) for case in cases]
        for lane, of in zip(lanes, found, strict=True)
    ]
    shown_lives = [lives(lane.trials, some) for lane, some in zip(lanes, trials, strict=True)]
    env = lanes[0].trials.env
    data = {
        "cases": _cases(env, lanes[0].trials, cases),
        "lanes": [lane.label for lane in lanes],
        "lives": [list(of_case) for of_case in zip(*shown_lives, strict=True)],
        **_words(env),
    }
    return cases, data


def table(cases: Sequence[Case]) -> list[Mapping[str, Any]]:
    """The table of problems; what it sorts by stands beside what it shows."""
    return [
        {
            "problem": case.problem,
            "goal": case.goal,
            "trials": case.trials,
            "score": (case.score, shown(case.score)),
            "explored": (case.explored, shown(case.explored, 1)),
            "residual": (case.residual, shown(case.residual)),
        }
        for case in cases
    ]


def _mean(cases: Sequence[Case]) -> Case:
    """The same problem and goal of several agents, as one."""
    means = {
        name: float(np.mean([getattr(case, name) for case in cases])) for name in ("score", "explored", "residual")
    }
    return dataclasses.replace(cases[0], trials=sum(case.trials for case in cases), **means)


def _met(trials: RecordedTrials, case: Case) -> int:
    return int(np.flatnonzero((trials.ids == np.array(case.id)).all(axis=1))[0])


def _cases(env: Spec, trials: RecordedTrials, cases: Sequence[Case]) -> list[dict[str, Any]]:
    beside = env.describe().beside
    return [
        {
            "problem": case.problem,
            "goal": case.goal,
            "score": shown(case.score),
            "beside": None if beside is None else address(beside(trials.ids[case.trial])),
        }
        for case in cases
    ]


def _words(env: Spec) -> dict[str, Any]:
    """Names of actions, and the legend."""
    description = env.describe()
    return {
        "actions": [str(name) for name in description.actions],
        "legend": [{"meaning": one.meaning, "source": address(one.picture)} for one in description.legend],
    }
