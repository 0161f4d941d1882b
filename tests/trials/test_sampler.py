"""Samplers are alike to those who train and evaluate: one on the device, and a plain loop on the host."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.rooms import Rooms
from training.inline import Chunk, chunk
from trials.corridor import Clerk, Corridor, Keeper
from trials.loop_sampler import LoopSampler

from scoutrl.algorithms.dream.dream import Dream
from scoutrl.envs import ProblemSet, Spaces, Spec
from scoutrl.errors import ScoutError
from scoutrl.evaluation.evaluate import scorer
from scoutrl.training.state import TrainingState, start
from scoutrl.trials.sampler import DeviceSampler, Sampler, sampler_for
from scoutrl.trials.trial import Episodes, Protocol, Trial

SAMPLERS = [DeviceSampler, LoopSampler]


def both(env, function) -> list[Any]:
    """What a function of a sampler gives with each of them, as NumPy arrays."""
    return [jax.tree.map(np.asarray, function(sampler(env))) for sampler in SAMPLERS]


def assert_same(one: Trial, other: Trial) -> None:
    """The same trials, up to what means nothing: what is written down of steps that did not take place."""
    for a, b in zip(*(jax.tree.leaves(meaningful(trial)) for trial in (one, other)), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def meaningful(trial: Trial) -> Any:
    def steps(episodes: Episodes):
        taken = lambda x: x[episodes.mask]  # noqa: E731
        seen = np.concatenate([np.ones_like(episodes.mask[..., :1]), episodes.mask], axis=-1)
        each = jax.tree.map(taken, (episodes.actions, episodes.kept))
        return episodes.observations[seen], each, episodes.rewards, episodes.ended, episodes.mask, episodes.goals

    return trial.problem, steps(trial.exploration), steps(trial.exploitation), trial.informed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("agent", "protocol"), [(Clerk("steps"), Protocol(2, 3)), (Keeper("features"), Protocol(1, 1, True))]
)
def test_a_loop_on_the_host_samples_the_same_trials(agent, protocol):
    """Episodes end early, by termination and by truncation, or at the horizon."""
    env = Corridor()
    given = env.problems.ids, jax.random.split(jax.random.key(0), 4)
    one, other = both(env, lambda sampler: sampler.sample(lambda *_: agent, *given, protocol))
    assert one.exploration.mask.sum(axis=(0, 1)).tolist() == [n * protocol.exploration_episodes for n in (4, 3, 2, 1)]
    assert_same(one, other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)


def test_agents_are_made_for_each_trial_with_its_problem_and_a_key_of_its_own():
    env, keys = Corridor(), jax.random.split(jax.random.key(0), 4)

    class Told(Clerk):
        told: Any = None

        def act(self, memory, features, key, greedy):
            return self.told, memory

    def make(problem, key):
        return Told("steps", problem[0] + jax.random.randint(key, (), 0, 1000))

    one, other = both(env, lambda sampler: sampler.sample(make, env.problems.ids, keys, Protocol()))
    assert len(set(one.exploration.actions[:, 0, 0].tolist())) == 4
    assert_same(one, other)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_is_compiled_computes_the_same(sampler):
    sampler = sampler(Rooms())
    given = {"x": jnp.arange(3.0)}, jnp.float32(2)
    shapes = jax.eval_shape(lambda *x: x, *given)
    compiled = sampler.compile(lambda tree, factor: jax.tree.map(lambda x: factor * x, tree), *shapes)
    assert compiled(*given)["x"].tolist() == [0, 2, 4]


class Paper(Spec):
    """A family that nothing steps."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def sample_goal(self, key):
        return None


class Hosted(Paper):
    """One that a simulator of its own steps."""


@sampler_for.register
def _(spec: Hosted) -> Sampler:
    return LoopSampler(Rooms())


def test_the_sampler_goes_by_the_kind_of_family():
    env = Rooms()
    assert isinstance(sampler_for(env), DeviceSampler)
    assert sampler_for(env).spec is env
    assert isinstance(sampler_for(Hosted(env.problems, env.spaces, 2)), LoopSampler)
    with pytest.raises(ScoutError, match=r"Paper has no simulator: no sampler can step it") as refusal:
        sampler_for(Paper(env.problems, env.spaces, 2))
    assert "\n" not in str(refusal.value)


# Who trains or evaluates does not know which of them it is.

ENV, TRIALS = Rooms(), 8
SIZES: dict[str, Any] = {"z": 3, "width": 4, "memory_size": 4, "policy_width": 4, "policy_memory": False}
DREAM = Dream(trials_per_iteration=TRIALS, batch_size=TRIALS, capacity=2 * TRIALS, updates_per_iteration=2, **SIZES)
METRICS = {"loss", "bottleneck_loss", "decoder_loss", "explorer_loss", "policy_loss", "residual"}


@pytest.fixture(scope="module")
def trained() -> list[tuple[TrainingState, Chunk]]:
    """Two iterations with each of the samplers."""

    def train(sampler: Sampler):
        state = start(ENV, DREAM, 3)
        return sampler.compile(lambda state: chunk(sampler, DREAM, 2, state), state)(state)

    return [train(sampler(ENV)) for sampler in SAMPLERS]


@pytest.mark.slow
@pytest.mark.long
def test_training_is_the_same(trained):
    (state, told), (other_state, other_told) = trained
    assert told.metrics.keys() == other_told.metrics.keys() >= METRICS
    for name, value in told.metrics.items():
        np.testing.assert_allclose(other_told.metrics[name], value, rtol=1e-4, atol=1e-4, err_msg=name)
    # Two episodes of two steps in each trial.
    assert int(told.env_steps) == int(other_told.env_steps) == 2 * TRIALS * 2 * 2
    assert told.finite.all()
    np.testing.assert_array_equal(told.finite, other_told.finite)
    assert int(state.iteration) == int(other_state.iteration) == 2
    replays = [one.algorithm.replay for one in (state, other_state)]
    assert replays[0].size == 2 * TRIALS
    assert set(replays[0].trials.informed.tolist()) == {True}
    assert_same(*(jax.tree.map(np.asarray, replay.trials) for replay in replays))
    for a, b in zip(*(jax.tree.leaves(one.algorithm.networks) for one in (state, other_state)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.long
def test_evaluation_is_the_same(trained):
    agent, protocol = DREAM.agent(ENV, trained[0][0].algorithm), DREAM.protocol(greedy=True)
    scores, other_scores = both(ENV, lambda sampler: scorer(sampler, protocol, 10, "train")(agent, 1))
    for a, b in zip(jax.tree.leaves(scores), jax.tree.leaves(other_scores), strict=True):
        assert a.shape[0] == 10
        np.testing.assert_allclose(a, b, atol=1e-4)
