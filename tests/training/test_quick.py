import jax.numpy as jnp
import numpy as np
import pytest

from scoutrl import prng
from scoutrl.evaluation.evaluate import Scores
from scoutrl.training.quick import drawn, summed
from scoutrl.training.state import TrainingState
from scoutrl.trials.watch import Fault

IDS = np.arange(10, dtype=np.int32).reshape(5, 2)


def state(seed: int, done: int) -> TrainingState:
    return TrainingState(None, prng.key(seed), jnp.int32(done))  # type: ignore[arg-type]


def test_no_problem_comes_twice_before_all_were_used():
    found = drawn(IDS, state(0, 3), parts=3, at_once=4)
    assert found.shape == (3, 1, 4, 2)
    order = found.reshape(12, 2)[:, 0] // 2
    assert sorted(order[:5]) == sorted(order[5:10]) == [0, 1, 2, 3, 4]


def test_problems_follow_from_seed_and_iteration():
    draws = [
        drawn(np.arange(80)[:, None], state(seed, done), 2, 40).tolist()
        for seed, done in ((0, 3), (0, 3), (0, 4), (1, 3))
    ]
    assert draws[0] == draws[1]
    assert draws[2] != draws[0] != draws[3]


def scores(returns: list[float], kinds: list[int]) -> Scores:
    column = np.array(returns, np.float32)[:, None]
    faults = Fault(np.array(kinds), np.array([[i] for i in kinds]), np.array(kinds))  # type: ignore[arg-type]
    return Scores(column, column + 1, column + 2, {"paid": column[:, 0] + 3}, faults)  # type: ignore[arg-type]


def test_what_is_beyond_the_trials_asked_for_does_not_count():
    parts = [scores([1.0, 2.0], [0, 0]), scores([6.0, 100.0], [4, 5])]
    means, fault = summed(parts, 3)
    assert means == pytest.approx(
        {
            "validation_return": 3.0,
            "validation_exploration_return": 4.0,
            "validation_exploration_length": 5.0,
            "validation_paid": 6.0,
        }
    )
    assert fault.kind == 4
    assert summed(parts, 2)[1].kind == 0
