"""Any space of Gymnasium's becomes one that agents know, or is refused with what would help."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, Graph, MultiBinary, MultiDiscrete, Sequence, Text, Tuple

from scoutrl.errors import ScoutError
from scoutrl.pool.spaces import actions_for, reader_for

INF = np.float32(np.inf)
CAMERA = Box(0, 255, (24, 30, 3), np.uint8)


def picture(*shape: int) -> Box:
    return Box(0, 255, shape, np.uint8)


@pytest.mark.parametrize(
    ("space", "known"),
    [
        (Discrete(4, start=-2), Discrete(4)),
        (MultiDiscrete([2, 3], start=[5, 6]), MultiDiscrete([2, 3])),
        (MultiDiscrete(np.array([[2, 3], [4, 5]])), MultiDiscrete([2, 3, 4, 5])),
        (MultiBinary((2, 2)), MultiDiscrete([2, 2, 2, 2])),
        (Box(-1, 2, (2, 2), np.float64), Box(-1, 2, (4,), np.float32)),
        (Box(-np.inf, np.inf, (3,), np.float64), Box(-INF, INF, (3,), np.float32)),
        (Box(0, 1, (), np.float32), Box(0, 1, (1,), np.float32)),
        (Box(-3, 4, (2,), np.int64), MultiDiscrete([8, 8])),
        (Box(0, 10**6, (2,), np.int64), Box(0, 10**6, (2,), np.float32)),
        (Box(0, 255, (128,), np.uint8), Box(0, 255, (128,), np.float32)),
        (Box(0, 3, (2, 2), np.uint8), MultiDiscrete([4, 4, 4, 4])),
        (CAMERA, CAMERA),
        (picture(24, 30), picture(24, 30, 1)),
        (picture(24, 30, 1), picture(24, 30, 1)),
        (picture(3, 24, 30), picture(24, 30, 3)),
        (picture(4, 24, 30), picture(24, 30, 4)),
        (picture(4, 24, 30, 3), picture(24, 30, 12)),
        (Dict({"only": picture(3, 24, 30)}), picture(24, 30, 3)),
        (Tuple((Discrete(2), MultiDiscrete([3, 4]))), MultiDiscrete([2, 3, 4])),
        (
            Dict({"a": Discrete(2), "b": Box(-1, 1, (2,))}),
            Box(np.array([0, 0, -1, -1], "f"), np.array([1, 1, 1, 1], "f")),
        ),
    ],
)
def test_elements_are_read_into_the_space_that_is_known(space, known):
    reader = reader_for(space, "the observation")
    assert reader.space == known
    space.seed(0)
    for _ in range(20):
        read = reader(space.sample())
        assert read.shape == known.shape
        assert read.dtype == (known.dtype if isinstance(known, Box) else np.int32)
        assert known.contains(read) or known.contains(read.astype(known.dtype))


def test_a_small_grid_holds_codes_as_many_as_are_said():
    reader = reader_for(picture(7, 7, 3), "the observation", codes=11)
    assert reader.space == MultiDiscrete([11] * 147)
    with pytest.raises(ValueError, match=r"the code 11, .* give from_gymnasium\(…, codes=12\)"):
        reader(np.full((7, 7, 3), 11, np.uint8))


def test_channels_and_frames_end_up_last():
    stack = np.random.default_rng(0).integers(0, 256, (4, 24, 30, 3), np.uint8)
    read = reader_for(picture(4, 24, 30, 3), "the observation")(stack)
    for frame in range(4):
        np.testing.assert_array_equal(read[:, :, 3 * frame : 3 * frame + 3], stack[frame])


def test_parts_stand_side_by_side():
    space = Dict({"a": Discrete(3, start=1), "b": Box(-1, 1, (2,)), "c": MultiBinary(2)})
    read = reader_for(space, "the observation")({"a": 3, "b": np.array([0.5, -0.5]), "c": np.array([1, 0])})
    assert read.tolist() == [0, 0, 1, 0.5, -0.5, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (Text(5), "Text space, which no encoder reads.*FilterObservation"),
        (Sequence(Discrete(2)), "Sequence space"),
        (Graph(Discrete(2), None), "Graph space"),
        (Dict({"a": Discrete(2), "words": Text(5)}), r"the observation\['words'\] has a Text space"),
        (Dict({"a": Discrete(2), "view": CAMERA}), r"FilterObservation\(env, \['view'\]\)"),
        (Box(0, 1, (24, 30, 3), np.float32), "RescaleObservation.*DtypeObservation"),
        (Dict({}), "nothing to see"),
    ],
)
def test_others_are_refused_with_what_would_help(space, said):
    with pytest.raises(ScoutError, match=said) as refusal:
        reader_for(space, "the observation")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("value", [np.zeros((2, 3)), "text", None, [0.0, 1.0]])
def test_what_is_no_element_is_said_to_be_none(value):
    with pytest.raises(ValueError, match=r"an array of shape \(3,\) was expected"):
        reader_for(Box(-1, 1, (3,)), "the observation")(value)


@pytest.mark.parametrize(
    ("space", "known"),
    [
        (Discrete(3, start=7), Discrete(3)),
        (MultiDiscrete([2, 3], start=[1, 1]), MultiDiscrete([2, 3])),
        (MultiBinary((2, 2)), MultiDiscrete([2, 2, 2, 2])),
        (Box(-2, 3, (2, 2), np.float64), Box(-2, 3, (4,), np.float32)),
    ],
)
def test_actions_are_given_as_the_environment_wants_them(space, known):
    actions = actions_for(space)
    assert actions.space == known
    known.seed(0)
    for _ in range(20):
        given = actions(np.asarray(known.sample()))
        assert space.contains(given), given


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (Box(-np.inf, np.inf, (2,)), "finite bounds.*RescaleAction"),
        (Box(0, 5, (2,), np.int32), "real numbers"),
        (Dict({"a": Discrete(2)}), "Dict space.*ActionWrapper"),
    ],
)
def test_other_actions_are_refused(space, said):
    with pytest.raises(ScoutError, match=said):
        actions_for(space)
