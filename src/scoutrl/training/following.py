"""What the processes of a run do that have no run directory: as the first one orders."""

import contextlib
import json
from typing import Any

from scoutrl.algorithms.base import Algorithm
from scoutrl.envs import Spec
from scoutrl.errors import ScoutError
from scoutrl.runs.config import RunConfig
from scoutrl.training.channel import END
from scoutrl.training.program import TrainingProgram
from scoutrl.training.signals import StopSignals
from scoutrl.training.team import Team
from scoutrl.trials.sampler import sampler_for


def begin(team: Team, config: RunConfig) -> None:
    """Have all others begin with a run, which they check to be theirs as well."""
    team.order("begin", run=config.identity())


def follow(team: Team, config: RunConfig, env: Spec, algorithm: Algorithm, show: bool) -> None:
    """Take part in a run that another process leads, until that says it is over.

    A signal is told to process 0, which saves and ends all.

    Raises:
        ScoutError: the run is not that of `config`, or the first process is gone or cannot go on.
        Interrupted: a process was stopped by a signal, and the first one has saved.
    """
    with contextlib.ExitStack() as stack:
        team.heed(stack.enter_context(StopSignals("the chunk that all are in", show)))
        (order,) = team.hear()
        if order.kind == END:
            return  # nothing was left to do
        _refuse_other(order.content["run"], config)
        sampler = stack.enter_context(contextlib.closing(sampler_for(env)))
        program = TrainingProgram(sampler, algorithm, 1, config.iterations, config.evaluation_trials, team=team)
        program.compile()
        state = program.spread()
        while order.kind != END:
            (order,) = team.hear()
            match order.kind:
                case "advance":
                    state, _ = program.advance(state)
                case "evaluate":
                    program.evaluate(state)
                case "parts":
                    program.parts(state)


def _refuse_other(theirs: dict[str, Any], config: RunConfig) -> None:
    mine = json.loads(json.dumps(config.identity()))
    other = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    if other:
        raise ScoutError(f"process 0 was given a command that differs in {', '.join(other)}; give all the same one.")
