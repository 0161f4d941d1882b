"""The families of the benchmarks are what they say, and results with known best returns are added to."""

import itertools

import jax
import numpy as np
import pytest
from benchmarks import doors, known, posterior_sampling, record, rows, xland
from benchmarks.hidden import Arms, HalfDisc, line

from scoutrl.evaluation.evaluate import Scores
from scoutrl.exact.bounds import bounds


@pytest.mark.slow
def test_a_draw_an_episode_tries_one_place_after_the_other():
    for env, places in ((Arms(4), 4), (HalfDisc(2), 5)):
        assert [line(env, e) for e in range(places)] == pytest.approx([(e + 1) / places for e in range(places)])
        assert line(env, 1) == bounds(env)["thompson_one_draw"]["test"]


def test_the_robot_tries_one_place_of_the_rim_in_an_episode():
    env = HalfDisc(2)
    step = jax.jit(lambda state, action: env.step(state, action, jax.random.key(0)))
    found = []
    for problem, path in itertools.product(env.problems.ids, itertools.product(range(3), repeat=2)):
        state, _ = env.reset(problem, jax.random.key(0))
        _, answer = step(step(state, path[0])[0], path[1])
        assert not answer.reward or answer.terminated
        found += [(int(problem[0]), path)] * int(answer.reward)
    left, right, up = range(3)
    ways = {0: [(left, left)], 1: [(left, up), (up, left)], 2: [(up, up)], 3: [(right, up), (up, right)]}
    assert found == [(place, path) for place in range(5) for path in sorted(ways.get(place, [(right, right)]))]


@pytest.mark.parametrize("benchmark", [doors, posterior_sampling])
def test_seeds_are_added_to_a_result(benchmark, tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(known.Case, "_seed", _seed)
    only = {"algorithms": ("pearl",)} if benchmark is doors else {"families": ("arms",)}
    benchmark.main(benchmark.Options(seeds=2, **only))
    benchmark.main(benchmark.Options(seeds=2, first=1, **only))
    (path,) = tmp_path.iterdir()
    found = rows.rows({"file": path.name} | record.earlier(path.stem, {}))
    assert [row.name for row in found] == ["seed 0", "seed 1", "seed 2"]
    assert "src/scoutrl/algorithms/pearl" in found[0].paths


def test_xlands_protocol_counts_all_episodes_of_a_trial_and_tells_the_20th_percentile():
    exploitation = np.array([[1.0, 1.0], [0.0, 0.5], [0.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.0, 0.0]])
    exploration = np.array([[0.0], [0.0], [0.5], [1.0], [0.0], [0.0]])
    found = xland.summary(Scores(exploitation, exploration, np.zeros((6, 1))))  # type: ignore
    assert found["mean"] == pytest.approx((2 + 0.5 + 0.5 + 2 + 1 + 0) / 6, abs=1e-4)
    assert (found["median"], found["percentile_20"]) == (0.75, 0.5)
    assert found["by_episode"] == [0.25, 0.25, 0.5]


def _seed(case, seed):
    return {"seed": seed, "return": 0.5, "provenance": record.provenance(case.benchmark)}
