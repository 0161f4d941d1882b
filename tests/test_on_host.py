"""Families on the host from one end to the other: trained, measured, filmed, compared, deployed, opened again."""

import json
import os
import re
import signal
import time

import numpy as np
import psutil
import pytest
from gymnasium.spaces import Discrete
from PIL.GifImagePlugin import GifImageFile
from probes.gym_rooms import PROBLEMS, GymRooms, rooms, rooms_of
from training.runs import assert_same, rows

import scoutrl
from scoutrl import from_gymnasium
from scoutrl.cli import main
from scoutrl.engines import seeds as training_seeds
from scoutrl.errors import ScoutError
from scoutrl.training import loop

SCRIPT, TABULAR, NAMED = "probes.scripted:Script", "probes.tabular:Tabular", "probes.gym_rooms:rooms"
SETTINGS = {"iterations": 1, "evaluation_trials": 4}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of the agent that plays perfectly; only to be read."""
    out = tmp_path_factory.mktemp("runs") / "named"
    return scoutrl.train(SCRIPT, NAMED, 48, out=out, settings=SETTINGS, show=False).path


@pytest.mark.slow
def test_a_run_is_evaluated_by_its_name(run):
    config = json.loads((run / "config.json").read_text())
    assert (config["family"], config["family_options"], config["by_hand"]) == (NAMED, {}, False)
    assert {row["env_restarts"] for row in rows(run)} == {0}
    result = scoutrl.evaluate(run, trials=20)
    assert result.exploitation_return.mean == 2.0
    assert result.exploration_length == 2.0


@pytest.mark.slow
def test_films_show_what_the_environment_draws(run, tmp_path):
    films = scoutrl.film(run, tmp_path)
    assert [path.name for path in films] == [f"secret-{secret}.gif" for secret in range(4)]
    with GifImageFile(films[3]) as film:
        assert film.n_frames == 9
        assert film.size[1] == 320 + 84


@pytest.mark.slow
def test_a_page_shows_what_the_environment_draws(run):
    data = json.loads(
        re.findall(r'<script type="application/json" id="data">(.*?)</script>', scoutrl.report(run).html)[0]
    )
    assert len(data["cases"]) == len(data["lives"]) == 8
    for (life,) in data["lives"]:
        assert [episode["phase"] for episode in life["episodes"]] == ["exploration", "exploitation", "exploitation"]
        assert [episode["goal"] is None for episode in life["episodes"]] == [True, False, False]
        assert [episode["score"] for episode in life["episodes"][1:]] == [2.0, 2.0]
        assert (life["sheet"]["width"], life["sheet"]["height"]) == (60, 40)
        assert len(life["actions"]) == sum(episode["moments"] for episode in life["episodes"]) == 9


class Forgetful(GymRooms):
    """Draws what its seed does not say."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=time.perf_counter_ns() % 2**32)


@pytest.mark.slow
def test_what_does_not_take_place_again_is_not_drawn(tmp_path):
    def make(problem, render_mode=None):
        return Forgetful(problem["secret"], render_mode=render_mode)

    shifting = from_gymnasium(make, rooms.problems, 2, goal="order", goal_space=Discrete(2), workers=1)
    mine = scoutrl.train(SCRIPT, shifting, 16, out=tmp_path / "run", settings=SETTINGS, show=False)
    with pytest.raises(ScoutError, match=r"cannot be filmed: with the same seed and actions another episode"):
        scoutrl.film(mine, tmp_path)


def test_its_agent_plays_in_the_users_own_loop(run):
    agent, world = scoutrl.load(run), GymRooms(3)
    memory = agent.begin()
    for phase in ("exploration", "exploitation"):
        seen, info = world.reset(seed=1)
        memory = agent.begin_episode(memory, phase, goal=None if phase == "exploration" else info["order"])
        earned, over = 0.0, False
        while not over:
            action, memory = agent.act(memory, seen)
            answer = world.step(action)
            memory = agent.observe(memory, action, answer)
            seen, earned, over = answer[0], earned + answer[1], answer[2] or answer[3]
    assert earned == 2.0


@pytest.mark.slow
def test_an_object_is_a_family_of_its_own(run, tmp_path):
    shifted = rooms_of(start=3)
    mine = scoutrl.train(SCRIPT, shifted, 48, out=tmp_path / "own", settings=SETTINGS, show=False)
    assert scoutrl.evaluate(mine, trials=8).exploitation_return.mean == 2.0
    assert rows(mine.path) == rows(run)
    config = json.loads((mine.path / "config.json").read_text())
    assert (config["family"], config["by_hand"]) == ("GymRooms", True)
    with pytest.raises(ScoutError, match="given as an object"):
        scoutrl.evaluate(mine.path)
    assert shifted.observation(4) == 1
    assert shifted.action(np.int32(1)) == 4


@pytest.mark.slow
def test_a_function_takes_options(tmp_path):
    settings = {**SETTINGS, "env.start": 2}
    mine = scoutrl.train(SCRIPT, f"{NAMED}_of", 24, out=tmp_path / "made", settings=settings, show=False)
    assert json.loads((mine.path / "config.json").read_text())["family_options"] == {"start": 2}
    assert scoutrl.evaluate(mine, trials=4).exploitation_return.mean == 2.0


@pytest.mark.slow
def test_without_any_python(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "problems.json").write_text(json.dumps(PROBLEMS))
    words = ["gym:probes.gym_rooms:RoomsProbe-v0", "--problems", "problems.json", "--steps", "24", "--out", "run"]
    sets = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    assert main(["train", SCRIPT, *words, *sets]) == 0
    options = json.loads((tmp_path / "run/config.json").read_text())["family_options"]
    assert options == {"problems": PROBLEMS}
    (tmp_path / "problems.json").unlink()
    assert main(["evaluate", "run", "--trials", "8", "--trust", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["protocol"]["problems"] == 8
    assert main(["train", SCRIPT, *words, *sets]) == 2
    assert "problems in problems.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("family", "settings", "said"),
    [
        ("gym:NoSuchThing-v0", {"env.problems": [{}]}, "these have none"),
        ("gym:NoSuchThing-v0", {"env.problems": [{"a": 1}]}, "NoSuchThing"),
        ("gym:CartPole-v1", {}, "say what the problems of gym:CartPole-v1 are"),
        ("gym:CartPole-v1", {"env.problems": [{"nothing": 1}]}, "{'nothing': 1}, raised TypeError"),
        ("gym:CartPole-v1", {"env.problems": [{"sutton_barto_reward": True}], "env.horizon": 0}, "at least 1"),
        ("probes.gym_rooms:PROBLEMS", {}, "is no family"),
        ("probes.gym_rooms:GymRooms", {}, "is no family"),
        ("probes.gym_rooms:gymnasium", {}, "is no family"),
    ],
)
def test_mistakes_are_one_line(family, settings, said, tmp_path):
    with pytest.raises(ScoutError) as refusal:
        scoutrl.train(SCRIPT, family, 10, out=tmp_path / "never", settings=settings)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "never").exists()


@pytest.mark.slow
def test_several_seeds_are_trained_one_after_the_other_in_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(training_seeds.jax, "default_backend", lambda: "gpu")
    mine = scoutrl.train(SCRIPT, NAMED, 24, out=tmp_path, seeds=2, settings=SETTINGS, show=False)
    assert scoutrl.evaluate(mine, trials=4).exploitation_return.mean == 2.0
    with pytest.raises(ScoutError, match="cannot be vmapped"):
        scoutrl.train(SCRIPT, NAMED, 24, out=tmp_path, seeds=3, settings=SETTINGS, seeds_mode="vmap")


@pytest.mark.slow
@pytest.mark.long
def test_variants_are_compared(tmp_path):
    found = scoutrl.compare(
        rooms, [SCRIPT, f"{SCRIPT},shift=1"], 1, tmp_path, steps=24, trials=8, settings=SETTINGS, show=False
    )
    finals = [one.final.iqm for one in found.algorithms if one.final is not None]
    assert finals[0] == 2.0 > finals[1]


@pytest.mark.slow
def test_stopped_and_disturbed_it_ends_with_the_same_numbers(tmp_path, monkeypatch):
    whole = scoutrl.train(TABULAR, rooms, 640, out=tmp_path / "whole", settings=SETTINGS, show=False).path
    scoutrl.train(TABULAR, rooms, 256, out=tmp_path / "parts", settings=SETTINGS, show=False)
    count = loop._Training._advance
    killed = []

    def kill_then_advance(self, progress, going):
        workers = [child.pid for child in psutil.Process().children() if "scoutrl.pool.worker" in child.cmdline()]
        if workers and len(killed) < 3:
            killed.append(workers[0])
            os.kill(workers[0], signal.SIGKILL)
        return count(self, progress, going)

    monkeypatch.setattr(loop._Training, "_advance", kill_then_advance)
    parts = scoutrl.train(TABULAR, rooms, 640, out=tmp_path / "parts", settings=SETTINGS, show=False).path
    restarts = [row.pop("env_restarts") for row in rows(parts)]
    assert sum(restarts) == len(killed) == 3
    for path in (whole, parts):
        file = path / "metrics.jsonl"
        lines = [json.loads(line) | {"env_restarts": 0} for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert_same(parts, whole)
