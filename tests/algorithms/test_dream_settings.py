"""Which settings and which spaces DREAM admits, and how large its state is."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import small
from probes.rooms import Rooms

from scoutrl.algorithms.dream.dream import Dream
from scoutrl.algorithms.settings import build
from scoutrl.envs import ProblemSet, Spaces, Spec
from scoutrl.errors import ScoutError
from scoutrl.training.state import state_like


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"z": 0}, "z must be above 0; it is 0"),
        ({"trials_per_iteration": -1}, "trials_per_iteration must be above 0"),
        ({"exploration_episodes": 0}, "exploration_episodes must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0; it is nan"),
        ({"decoded_share": 1.5}, "decoded_share must be at least 0 and at most 1; it is 1.5"),
        ({"discount": -0.1}, "discount must be at least 0 and at most 1"),
        ({"epsilon_low": 0.0}, "epsilon_low must be above 0 and at most 1"),
        ({"epsilon_high": 1.5}, "epsilon_high must be at least 0 and at most 1"),
        ({"step_cost": -1.0}, "step_cost must be at least 0; it is -1"),
        ({"bottleneck_weight": -1.0}, "bottleneck_weight must be at least 0"),
        (
            {"capacity": 100, "trials_per_iteration": 64},
            r"capacity \(100\) must be a multiple of trials_per_iteration \(64\)",
        ),
        ({"epsilon_low": 0.5, "epsilon_high": 0.4}, r"epsilon_low \(0.5\) must not exceed epsilon_high \(0.4\)"),
        ({"random_actions": (1.0, -1.0)}, "random_actions must be weights of at least 0, not all 0"),
        ({"random_actions": (0.0, 0.0)}, "random_actions must be weights of at least 0, not all 0"),
        ({"success_share": 0.5, "priority_share": 0.5}, "leave none of 32 trials to be drawn"),
        ({"decay_updates": -1}, "decay_updates must be at least 0"),
    ],
)
def test_values_that_make_no_sense_are_refused_in_one_line(settings, said):
    with pytest.raises(ScoutError, match=said) as refusal:
        build(Dream, settings)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"discount": 1.0, "lambda_": 0.0, "decoded_share": 1.0, "step_cost": 0.0, "warmup": 0},
        {"success_share": 0.5, "priority_share": 0.45},
        {"epsilon_low": 1.0, "epsilon_high": 1.0, "bottleneck_weight": 0.0, "decoded_share": 0.0, "average_rate": 1.0},
    ],
)
def test_the_ends_of_the_ranges_are_allowed(settings):
    build(Dream, settings)


def test_a_learner_on_fresh_trials_is_refused_in_one_line():
    with pytest.raises(ScoutError, match="DREAM learns from replayed trials, learner=ppo from fresh") as refusal:
        build(Dream, {"learner": "ppo"})
    assert "\n" not in str(refusal.value)


class Given(Spec):
    """A family of other spaces, of which networks are all that is asked for."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = 2

    def __init__(self, **spaces):
        self.problems, discrete = ProblemSet([0, 1], [0], [1]), gymnasium.spaces.Discrete(2)
        self.spaces = Spaces(**({"observation": discrete, "action": discrete} | spaces))

    def sample_goal(self, key):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("spaces", "said"),
    [
        ({"observation": gymnasium.spaces.Text(3)}, "no encoder reads a Text space"),
        ({"goal": gymnasium.spaces.Text(3)}, "no encoder reads a Text space"),
    ],
)
def test_spaces_it_cannot_deal_with_are_refused_in_one_line(spaces, said):
    with pytest.raises(ScoutError, match=said) as refusal:
        small().init(Given(**spaces), jax.random.key(0))
    assert "\n" not in str(refusal.value)


def test_an_action_may_be_several_numbers():
    state = small().init(Given(action=gymnasium.spaces.MultiDiscrete([2, 3])), jax.random.key(0))
    assert state.networks.actors.policy.head.components.sizes == (2, 3)


@pytest.mark.parametrize("policy_memory", [False, True])
def test_the_state_is_as_large_as_the_settings_say(policy_memory):
    dream = small(z=5, capacity=32, policy_memory=policy_memory)
    state = state_like(Rooms(), dream).algorithm
    assert [table.shape for table in state.networks.encoder.tables] == [(4, 5), (2, 5)]
    assert (state.networks.actors.policy.history is not None) == policy_memory
    assert state.replay.priority.shape == (32,)
    assert state.replay.trials.exploration.observations.dtype == np.int8


def test_as_many_weights_as_actions():
    with pytest.raises(ScoutError, match="random_actions has 2 weights; the family has 4 actions"):
        small(random_actions=(1.0, 2.0)).init(Rooms(), jax.random.key(0))


@pytest.mark.parametrize(("decay", "expected"), [(0, [1, 1, 1, 1, 1]), (2, [1, 0.6, 0.2, 0.2, 0.2])])
def test_the_step_size_falls_to_a_part_of_itself(decay, expected):
    adam = small(learning_rate=0.1, decay_updates=decay, decay_to=0.2)._adam()
    weights, steps = jnp.zeros(1), []
    state = adam.init(weights)
    for _ in expected:  # Adam's step along a gradient that stays the same is its step size
        change, state = adam.update(jnp.ones(1), state, weights)
        steps.append(-np.asarray(change)[0] / 0.1)
    np.testing.assert_allclose(steps, expected, rtol=1e-4)
