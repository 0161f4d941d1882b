"""Means and intervals, computed by hand; JSON without NaN."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from scoutrl.errors import ScoutError
from scoutrl.evaluation.evaluate import Scores, summary
from scoutrl.evaluation.scores import Estimate, Evaluation, EvaluationProtocol, over_seeds

PROTOCOL = EvaluationProtocol(1, 2, 3, 5, True, True, "test", 0, "trials")


def evaluation(shift=0.0, name="run"):
    exploitation = np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
    exploitation[:, 0] += shift
    scores: Any = (exploitation, np.array([[1.0], [2.0], [3.0]]), np.array([[4], [4], [1]]))
    return summary("family", "algorithm", Scores(*scores), PROTOCOL, name)


def test_interval_is_students():
    # Mean 2, standard deviation 2, 3 samples: 2 ± 4.3027 x 2 / sqrt(3).
    estimate = Estimate.of([0.0, 2.0, 4.0])
    assert estimate.mean == 2
    assert estimate.ci95 == pytest.approx((2 - 4.9683, 2 + 4.9683), abs=1e-4)
    assert Estimate.of([1.0, 1.0]).ci95 == (1.0, 1.0)


def test_one_sample_has_no_interval():
    assert Estimate.of([0.5]).to_dict() == {"mean": 0.5, "ci95": None}


def test_returns_must_be_finite():
    with pytest.raises(ScoutError, match="not finite"):
        Estimate.of([0.0, float("nan")])


def test_one_run_is_judged_over_its_trials():
    result = evaluation()
    assert result.exploitation_return == Estimate.of([0.5, 1.5, 2.5])
    assert (result.exploration_return, result.exploration_length) == (2.0, 3.0)
    assert result.per_episode == (Estimate.of([0.0, 2.0, 4.0]), Estimate.of([1.0, 1.0, 1.0]))
    assert "seeds" not in result.to_dict()


def test_several_seeds_are_judged_over_the_seeds():
    result = over_seeds([evaluation(0.0, "a"), evaluation(2.0, "b")], "both")
    assert result.exploitation_return == Estimate.of([1.5, 2.5])
    assert result.per_episode[1] == Estimate.of([1.0, 1.0])
    assert result.protocol.interval == "seeds"
    assert [seed["run_dir"] for seed in result.to_dict()["seeds"]] == ["a", "b"]
    assert result.to_dict()["seeds"][0]["protocol"]["interval"] == "trials"
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False)) == result.to_dict()


def test_people_are_told_the_protocol():
    said = str(evaluation())
    for part in ("3 trials", "5 unseen problems", "1 exploration", "2 exploitation", "greedy", "test split", "seed 0"):
        assert part in said


def test_evaluations_are_read_back_as_they_were():
    for result in (evaluation(), over_seeds([evaluation(0.0, "a"), evaluation(2.0, "b")], "both")):
        assert Evaluation.from_dict(json.loads(json.dumps(result.to_dict()))) == result
    for estimate in (Estimate.of([0.5]), Estimate.of([0.0, 1.0])):
        assert Estimate.from_dict(estimate.to_dict()) == estimate
    assert EvaluationProtocol.from_dict(dataclasses.asdict(PROTOCOL)) == PROTOCOL


def test_what_is_no_evaluation_is_refused():
    with pytest.raises(
        ScoutError, match=r"not an evaluation that Scout wrote: expected `str`, got `int` - at `\$\.family`"
    ):
        Evaluation.from_dict(evaluation().to_dict() | {"family": 3})
    with pytest.raises(ScoutError, match="not an estimate"):
        Estimate.from_dict({"mean": 1.0, "ci95": [1.0]})
    with pytest.raises(ScoutError, match="missing required field `trials`"):
        EvaluationProtocol.from_dict({"exploration_episodes": 1, "exploitation_episodes": 1})
