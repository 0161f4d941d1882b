"""Problem IDs that would be turned into others, and splits that count a problem twice."""

import time

import numpy as np
import pytest

from scoutrl.envs import ProblemSet
from scoutrl.errors import ScoutError
from scoutrl.evaluation.evaluate import _disjoint
from scoutrl.runs.stand_in import StandIn


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[2**40], [1]], "2 problems do not need one as large as 1099511627776: number the values that occur"),
        ([[2**31], [1]], "as large as 2147483648"),
        ([[2**63], [1]], "as large as 9223372036854775808"),
        ([[2**70], [1]], "as large as 1180591620717411303424"),
        (np.array([2**63, 0], np.uint64), "as large as 9223372036854775808"),
        ([[0, 10**9], [0, 1]], "as large as 1000000000"),
        ([1000, 0], "as large as 1000:"),
        ([1e300, 1.0], r"float32, which cannot hold 1e\+300: scale them"),
        ([1e-300, 1.0], "float32, which cannot hold 1e-300"),
        ([[0, 1], [2, 3], [0, 1]], "must differ: 1 of the 3 rows repeat another one"),
        ([0.1, 0.1 + 1e-12], "must differ"),
        ([0.0, -0.0], "must differ"),
        ([[1, 2], [3]], "rows differ in length"),
    ],
)
def test_ids_that_would_become_others_are_refused(ids, message):
    with pytest.raises(ScoutError, match=message):
        ProblemSet(ids, [0], [1])


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ([0, 1, 0], [2], "the train split names a row twice"),
        ([0, 1], [2, 2], "the test split names a row twice"),
    ],
)
def test_splits_that_count_a_problem_twice_are_refused(train, test, message):
    with pytest.raises(ScoutError, match=message):
        ProblemSet(range(3), train, test)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ([0, 2], "row 0 is in the validation split and in the train split: leave it out of one"),
        ([3], "row 3 is in the validation split and in the test split"),
        ([], "the validation split must be a list of at least one row"),
        ([5], "outside 0 … 4"),
        ([4, 4], "names a row twice"),
    ],
)
def test_validation_problems_are_no_others(validation, message):
    with pytest.raises(ScoutError, match=message):
        ProblemSet(range(5), [0, 1], [3], validation=validation)
    assert ProblemSet(range(5), [0, 1], [3], validation=[4, 2]).of("validation").tolist() == [[4], [2]]


def test_a_tenth_is_taken_for_validation_only_where_there_is_enough_and_no_row_is_shared():
    for train, test in ((range(19), range(19, 30)), (range(30), range(30)), (range(25), range(24, 30))):
        problems = ProblemSet(range(30), train, test)
        assert problems.validation.tolist() == problems.train.tolist() == list(train)
    pairs = [(i // 6, i % 6) for i in range(31)]
    for ids in (np.linspace(0, 1, 31), range(31), pairs, [(i, i % 2) for i in range(31)]):
        problems, other = ProblemSet(ids, range(30), [30]), ProblemSet(ids, range(29, -1, -1), [30])
        assert len(problems.validation) == 3
        assert sorted([*problems.train, *problems.validation]) == list(range(30))
        assert problems.validation.tolist() == other.validation.tolist(), "the order of the rows makes no difference"


def test_validation_takes_no_value_of_a_component_from_training_where_others_can_be_taken():
    # In the first ten rows either component has values of its own, in the other twenty none.
    ids = [(4 + i, 4 + i) for i in range(10)] + [(i % 4, i // 4) for i in range(20)] + [(3, 9)]
    problems = ProblemSet(ids, range(30), [30])
    assert len(problems.validation) == 3
    assert problems.validation.min() >= 10


def test_ids_in_order_stay_as_they_are():
    for ids in ([[999], [0]], [[1.5, 2.0], [1.5, 2.5]], np.arange(20000), [-0.5, 0.5]):
        np.testing.assert_array_equal(ProblemSet(ids, [0], [1]).ids.reshape(np.shape(ids)), ids)
    assert ProblemSet(range(3), [0, 1, 2], [2, 0, 1]).test.tolist() == [2, 0, 1]


@pytest.mark.parametrize("sizes", [(1,), (2, 1), (5000, 3), (576, 24)])
def test_the_stand_in_of_an_exported_agent_has_ids_of_any_size(sizes):
    assert StandIn(None, 1, sizes, len(sizes)).problems.sizes == sizes  # pyright: ignore[reportArgumentType]


@pytest.mark.slow
def test_whether_problems_are_unseen_is_found_at_once():
    began = time.process_time()
    problems = ProblemSet(np.arange(500_000), range(250_000), range(250_000, 500_000))
    assert _disjoint(problems.of("train"), problems.of("test"))
    assert not _disjoint(problems.of("train"), problems.ids[-250_001:])
    assert time.process_time() - began < 5
    assert _disjoint(problems.of("test"), np.array([[300_000]], np.float32))
    assert _disjoint(problems.of("test"), np.array([[300_000, 0]], np.int32))
    assert not _disjoint(np.array([[0.0]]), np.array([[-0.0]]))
