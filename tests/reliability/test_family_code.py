"""Whatever the code of a family does is told in one line, and what passes the check trains."""

import os
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.puzzles import Puzzle, scrambled
from probes.rooms import Rooms

import scoutrl
from scoutrl import ProblemSet, Spaces, Step
from scoutrl.algorithms.dream.dream import Dream
from scoutrl.cli import main
from scoutrl.envs.check import check, check_render
from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.errors import ScoutError
from scoutrl.exact.bounds import bounds
from scoutrl.training.state import state_like

SCRIPT = "probes.scripted:Script"


class Keeps(EnumerableEnv):
    """Keeps a part of the problem as it was given, and looks up in it where it is."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self):
        ids = np.indices((2,) * 4).reshape(4, -1).T
        self.problems, discrete = ProblemSet(ids, range(8), range(8, 16)), gymnasium.spaces.Discrete
        self.spaces, self.horizon = Spaces(discrete(2), discrete(3)), 2

    def reset(self, problem, key):
        return (problem[:4], jnp.int32(0)), jnp.int32(0)

    def goal(self, state):
        return None

    def step(self, state, action, key):
        layout, place = state
        seen = layout[place]
        return (layout, (place + action) % 4), Step(seen, seen.astype(jnp.float32), jnp.bool_(False), jnp.bool_(False))

    def render(self, state):
        return jnp.zeros((2, 2, 3), jnp.uint8)

    def starts(self, problem):
        return Starts((problem[None], jnp.zeros(1, jnp.int32)), jnp.zeros(1, jnp.int32), jnp.ones(1))

    def representative(self, problem):
        return problem

    def restrictions(self):
        return {}


@pytest.mark.slow
def test_a_part_of_the_problem_kept_in_the_state_can_be_looked_up_everywhere(tmp_path):
    env = Keeps()
    check(env)
    assert bounds(env)["optimum"]["test"] > 0
    state_like(env, Dream())
    run = scoutrl.train(SCRIPT, env, 16, out=tmp_path / "run", settings={"iterations": 1}, show=False)
    scoutrl.evaluate(run, trials=2)
    scoutrl.InteractiveEnv(env).reset(3)


class Breaks(Rooms):
    """Rooms in which one thing goes wrong."""

    fault: str = eqx.field(static=True)

    def __init__(self, fault: str):
        super().__init__()
        self.fault = fault

    def step(self, state, action, key):
        if self.fault == "exit":
            sys.exit()
        state, answer = super().step(state, action, key)
        if self.fault not in ("callback", "late callback"):
            return state, answer

        def host(reward):
            CALLS.append(reward)
            if self.fault == "callback" or len(CALLS) > 400:
                raise OSError("no such device\nat all")
            return reward

        reward = jax.pure_callback(host, jax.ShapeDtypeStruct((), jnp.float32), answer.reward, vmap_method="sequential")
        return state, eqx.tree_at(lambda step: step.reward, answer, reward)

    def sample_goal(self, key):
        return jnp.zeros(3) if self.fault == "goal" else super().sample_goal(key)

    def render(self, state):
        if self.fault == "render":
            raise OSError("no display\nat all")
        return jnp.zeros((2, 2, 4) if self.fault == "picture" else (2, 2, 3), jnp.uint8)


CALLS: list[float] = []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("exit", "^Breaks.step raised SystemExit: no message$"),
        ("callback", r"^Breaks raised OSError: no such device \(in a callback\).$"),
        ("goal", r"the goal that Breaks.sample_goal returns must have shape \(\)"),
    ],
)
def test_what_the_code_raises_is_one_line(fault, message):
    with pytest.raises(ScoutError, match=message):
        check(Breaks(fault))


@pytest.mark.slow
def test_a_callback_that_fails_in_the_midst_of_training_is_one_line(tmp_path):
    CALLS.clear()
    settings = {"iterations": 1, "evaluation_trials": 4}
    with pytest.raises(ScoutError, match=r"^Breaks raised OSError: no such device \(in a callback\).$"):
        scoutrl.train(SCRIPT, Breaks("late callback"), 10**4, out=tmp_path, settings=settings, show=False)
    assert (tmp_path / "checkpoints").is_dir()


@pytest.mark.parametrize(
    ("fault", "message"),
    [("render", "^Breaks.render raised OSError: no display$"), ("picture", r"must have shape \[height, width, 3\]")],
)
def test_a_family_that_cannot_be_rendered_is_told_of_when_filmed(scripted_run, tmp_path, fault, message):
    check(Breaks(fault))
    with pytest.raises(ScoutError, match=message):
        scoutrl.film(scripted_run, tmp_path / "films", env=Breaks(fault))
    check_render(Breaks("none"))


class Unlisted(Puzzle):
    """A family whose methods for exact bounds are wrong in one way."""

    fault: str = eqx.field(static=True)

    def __init__(self, fault: str):
        same = scrambled(0)
        super().__init__(same.leads, same.pays, same.shows, same.horizon)
        self.fault = fault

    def starts(self, problem):
        starts = super().starts(problem)
        return eqx.tree_at(lambda s: s.probabilities, starts, jnp.ones(3)) if self.fault == "starts" else starts

    def representative(self, problem):
        return problem[0] if self.fault == "representative" else problem

    def restrictions(self):
        if self.fault == "restrictions":
            raise KeyError("walls")
        return {"none at all": np.zeros(3, bool)} if self.fault == "nothing allowed" else {}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("starts", "Unlisted.starts must return the states and observations that reset draws from"),
        ("representative", r"Unlisted.representative must return a problem ID of shape \(1,\)"),
        ("restrictions", "Unlisted.restrictions raised KeyError: 'walls'"),
        (
            "nothing allowed",
            "Unlisted.restrictions must tell which of the 3 actions 'none at all' allows",
        ),
    ],
)
def test_what_is_wrong_with_exact_bounds_is_one_line(fault, message):
    with pytest.raises(ScoutError, match=message):
        bounds(Unlisted(fault))


MODULES = {
    "leaves": ("import sys; sys.exit()", "SystemExit"),
    "leaves_well": ("import sys; sys.exit(0)", "SystemExit: 0"),
    "fails": ("raise RuntimeError('two\\nlines')", r"RuntimeError: two lines \(.*fails\.py, line 1\)"),
    "lacks": ("import no_such_module_at_all", "there is no module 'no_such_module_at_all'"),
    "raises_bare": ("raise ModuleNotFoundError", "ModuleNotFoundError"),
    "half": (
        "from scoutrl.envs.enumerable import EnumerableEnv\n\nclass Family(EnumerableEnv):\n    pass\n",
        "is no complete family: it must define goal, horizon, problems, .*restrictions",
    ),
    "exits": (
        "from probes.rooms import Rooms\n\nclass Family(Rooms):\n    def __init__(self):\n        exit(3)\n",
        "its constructor raised SystemExit: 3",
    ),
}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_cannot_be_used_is_one_line_and_a_mistake(module, tmp_path, monkeypatch, capsys):
    source, message = MODULES[module]
    Path(tmp_path, f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["bounds", f"{module}:Family"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("scout: ")
    assert said.count("\n") == 1
    with pytest.raises(ScoutError, match=message):
        scoutrl.make(f"{module}:Family")


def test_an_algorithm_that_lacks_methods_is_one_line():
    with pytest.raises(ScoutError, match=r"is no complete algorithm: it must define agent, collector, .*learn"):
        scoutrl.train("scoutrl.algorithms.base:Algorithm", "lever", 1)


@pytest.mark.slow
def test_a_failing_callback_prints_no_traceback():
    code = (
        "from reliability.test_family_code import Breaks\nfrom scoutrl.envs.check import check\n"
        "try:\n    check(Breaks('callback'))\nexcept Exception as error:\n    print(error)\n"
    )
    around = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=around, capture_output=True, text=True, timeout=300)
    assert done.stdout == "Breaks raised OSError: no such device (in a callback).\n"
    assert "Traceback" not in done.stderr
