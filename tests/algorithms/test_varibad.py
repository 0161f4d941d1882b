"""VariBAD: the belief's divergences, what is predicted, and which objective trains which part."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import TRIALS, quick_jit, size, trained
from algorithms.small_rivals import lived, small
from algorithms.test_dream_learning import Lamp

from scoutrl.algorithms.recurrent.unroll import unroll
from scoutrl.algorithms.recurrent.varibad import kl_from_previous, sample_prefixes
from scoutrl.trials.sequences import Transitions


def test_the_divergence_from_the_belief_before_by_hand():
    # Means and log-variances of one number: N(1, 1), then N(1, 4), then N(3, 4).
    belief = jnp.array([[[1.0, 0.0], [1.0, np.log(4)], [3.0, np.log(4)]]])
    expected = [0.5 * 1, 0.5 * (4 - 1 - np.log(4)), 0.5 * 4 / 4]
    np.testing.assert_allclose(kl_from_previous(belief)[0], expected, rtol=1e-6)
    np.testing.assert_allclose(kl_from_previous(jnp.zeros((1, 2, 6))), np.zeros((1, 2)))


def test_prefixes_are_drawn_evenly_from_those_lived():
    mask = jnp.array([[True, True, False], [False, False, False]])
    played = Transitions(mask, mask, mask, mask, mask, mask)  # type: ignore[arg-type]
    x = jnp.arange(8.0).reshape(2, 4, 1)
    drawn = np.asarray(jax.jit(sample_prefixes, static_argnums=2)(x, played, 3000, jax.random.key(0)))[..., 0]
    shares = np.bincount(drawn[0].astype(int), minlength=8) / 3000
    np.testing.assert_allclose(shares[:3], 1 / 3, atol=0.04)
    assert shares[3:].sum() == 0
    assert (drawn[1] == 4).all()


LOSSES = ("policy_loss", "elbo", "kl", "log_likelihood")


@quick_jit
def slopes(rival, state, batch):
    """What the loss finds, and its gradients in all networks."""
    found = lambda networks: rival.loss(networks, state, batch, jax.random.key(1))[1].metrics  # noqa: E731
    losses = lambda networks: {name: found(networks)[name] for name in LOSSES}  # noqa: E731
    return found(state.networks), jax.jacrev(losses)(state.networks)


def parts(gradient) -> set[str]:
    actor = gradient.actor
    named = {
        "belief": (actor.history, actor.belief),
        "policy": (actor.layers, actor.head),
        "decoders": (gradient.rewards, gradient.states),
    }
    return {name for name, part in named.items() if size(part) > 0}


@pytest.mark.slow
@pytest.mark.parametrize("policy_gradient", [False, pytest.param(True, marks=pytest.mark.long)])
def test_each_objective_trains_its_own_part(policy_gradient):
    _, state, batch = lived("varibad")
    rival = small("varibad", policy_gradient=policy_gradient)
    metrics, found = slopes(rival, state, batch)
    assert parts(found["policy_loss"]) == ({"belief", "policy"} if policy_gradient else {"policy"})
    assert parts(found["kl"]) == {"belief"}
    assert parts(found["log_likelihood"]) == parts(found["elbo"]) == {"belief", "decoders"}
    metrics = jax.tree.map(float, metrics)
    assert metrics["elbo"] == pytest.approx(metrics["log_likelihood"] - 0.1 * metrics["kl"], rel=1e-5)
    # Eight steps: two episodes of two in each phase.
    assert metrics["loss"] == pytest.approx(metrics["policy_loss"] - 0.1 * metrics["elbo"] / 8, rel=1e-5)


STEPS = 8
"""Of a trial: two episodes of two in each phase."""


@quick_jit
def predicted(rival, state, batch):
    """What is predicted of each trial, by the log-likelihood of it with all beliefs as they are.

    Returns:
        [trials, step + 1]: how it changes with the belief of each moment. Then [trials, step] each: how it changes if a
        step had another reward, or led to another observation.
    """
    unrolled = unroll(state.networks.actor, batch, rival.see_rewards)
    belief, moved = state.networks.actor.belief(unrolled.hidden), unrolled.transitions

    def likelihood(belief, rewards, after):
        parts = lambda u: (u.sequence.transitions.rewards, u.sequence.transitions.after)  # noqa: E731
        lived = eqx.tree_at(parts, unrolled, (rewards, after))
        return rival.log_likelihood(state.networks, belief, lived, jax.random.key(0)).mean()

    def changed(place):
        """In one step of one trial."""
        rewards = likelihood(belief, moved.rewards + place, moved.after)
        after = jnp.where(place[..., None], jnp.roll(moved.after, 1, axis=-1), moved.after)
        return jnp.stack([rewards, likelihood(belief, moved.rewards, after)])

    places = jnp.eye(TRIALS * STEPS, dtype=bool).reshape(-1, TRIALS, STEPS)
    others = jax.lax.map(changed, places) - likelihood(belief, moved.rewards, moved.after)
    slope = jax.grad(likelihood)(belief, moved.rewards, moved.after)
    return jnp.abs(slope).sum(axis=-1), *jnp.abs(others).T.reshape(2, TRIALS, STEPS)


@pytest.mark.slow
@pytest.mark.parametrize(("what", "alone"), [("rewards", {"state_weight": 0.0}), ("states", {"reward_weight": 0.0})])
def test_past_and_future_are_predicted_from_every_moment(what, alone):
    _, state, batch = lived("varibad")
    found = predicted(small("varibad", elbo_terms=1, **alone), state, batch)
    by_moment, by_reward, by_state = (np.asarray(x) for x in found)
    # One moment was drawn for each trial: only what was believed then counts.
    assert ((by_moment > 0).sum(axis=1) == 1).all()
    past = np.arange(STEPS) < np.argmax(by_moment, axis=1)[:, None]
    changes = {"rewards": by_reward, "states": by_state}[what]
    for steps in (past, ~past):
        assert steps.sum() > STEPS
        assert (changes[steps] > 1e-5).all()
    assert what == "rewards" or (by_reward == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("weight", ["reward_weight", pytest.param("state_weight", marks=pytest.mark.long)])
def test_a_weight_of_nothing_leaves_its_decoder_alone(weight):
    _, state, batch = lived("varibad")
    gradient = slopes(small("varibad", **{weight: 0.0}), state, batch)[1]["elbo"]
    assert (size(gradient.rewards) == 0) == (weight == "reward_weight")
    assert (size(gradient.states) == 0) == (weight == "state_weight")


@pytest.mark.slow
@pytest.mark.long
def test_pictures_are_learnt_from_and_not_predicted():
    state, found = trained(Lamp(), small("varibad"))
    assert bool(found.finite.all())
    assert state.networks.states is None
    seen, averaged = (networks.actor.encode.observation for networks in (state.networks, state.targets))
    assert not np.array_equal(seen.embed.weight, averaged.embed.weight)
