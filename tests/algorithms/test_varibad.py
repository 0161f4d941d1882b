"""VariBAD: the belief's divergences, what is predicted, and which objective trains which part."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import quick_jit, size
from algorithms.small_rivals import lived, small
from algorithms.test_dream_learning import Lamp

from scoutrl.algorithms.recurrent.unroll import recall
from scoutrl.algorithms.recurrent.varibad import some_of, steps_of_belief
from scoutrl.training.iteration import chunk
from scoutrl.training.state import start
from scoutrl.trials.sequences import Transitions


def test_steps_of_belief_by_hand():
    # Means and log-variances of one number: N(1, 1), then N(1, 4), then N(3, 4).
    belief = jnp.array([[[1.0, 0.0], [1.0, np.log(4)], [3.0, np.log(4)]]])
    expected = [0.5 * 1, 0.5 * (4 - 1 - np.log(4)), 0.5 * 4 / 4]
    np.testing.assert_allclose(steps_of_belief(belief)[0], expected, rtol=1e-6)
    np.testing.assert_allclose(steps_of_belief(jnp.zeros((1, 2, 6))), np.zeros((1, 2)))


def test_prefixes_are_drawn_evenly_from_those_lived():
    mask = jnp.array([[True, True, False], [False, False, False]])
    played = Transitions(mask, mask, mask, mask, mask)  # type: ignore[arg-type]
    x = jnp.arange(8.0).reshape(2, 4, 1)
    drawn = np.asarray(jax.jit(some_of, static_argnums=2)(x, played, 3000, jax.random.key(0)))[..., 0]
    shares = np.bincount(drawn[0].astype(int), minlength=8) / 3000
    np.testing.assert_allclose(shares[:3], 1 / 3, atol=0.04)
    assert shares[3:].sum() == 0
    assert (drawn[1] == 4).all()


LOSSES = ("policy_loss", "elbo", "kl", "log_likelihood")


@quick_jit
def slopes(rival, state, batch):
    """What the loss finds, and its gradients in all networks."""
    found = lambda nets: rival.loss(nets, state, batch, jax.random.key(1))[1].metrics  # noqa: E731
    return found(state.nets), jax.jacrev(lambda nets: {name: found(nets)[name] for name in LOSSES})(state.nets)


def parts(gradient) -> set[str]:
    actor = gradient.actor
    named = {
        "belief": (actor.history, actor.belief),
        "policy": (actor.look, actor.hidden, actor.head),
        "decoders": (gradient.rewards, gradient.states),
    }
    return {name for name, part in named.items() if size(part) > 0}


@pytest.mark.parametrize("policy_gradient", [False, True])
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


@quick_jit
def likelihood_after(rival, state, batch, moment):
    """Log-likelihood of all steps, by what was believed on one prefix."""
    recalled = recall(state.nets.actor, batch, rival.see_rewards)
    belief = state.nets.actor.belief(recalled.hidden)
    belief = jnp.broadcast_to(belief[:, moment, None], belief.shape)
    return rival.log_likelihood(state.nets, belief, recalled, jax.random.key(0))


def test_past_and_future_are_predicted_from_every_moment():
    _, state, batch = lived("varibad")
    rival = small("varibad", elbo_terms=2)
    for moment in (0, 4):
        before = likelihood_after(rival, state, batch, jnp.int32(moment))
        # The last step of the trial, and the first: at moment 4 one is future and the other past.
        for phase, step in [("exploitation", (-1, -1)), ("exploration", (0, 0))]:
            rewards = lambda t, phase=phase: getattr(t, phase).rewards  # noqa: E731
            other = eqx.tree_at(rewards, batch, rewards(batch).at[:, *step].add(1))
            if moment == 0 or phase == "exploitation":
                assert likelihood_after(rival, state, other, jnp.int32(moment)) != before


@pytest.mark.parametrize("weight", ["reward_weight", "state_weight"])
def test_a_weight_of_nothing_leaves_its_decoder_alone(weight):
    _, state, batch = lived("varibad")
    gradient = slopes(small("varibad", **{weight: 0.0}), state, batch)[1]["elbo"]
    assert (size(gradient.rewards) == 0) == (weight == "reward_weight")
    assert (size(gradient.states) == 0) == (weight == "state_weight")


def test_pictures_are_learnt_from_and_not_predicted():
    env, rival = Lamp(), small("varibad")
    progress, report = quick_jit(lambda seed: chunk(env, rival, 2, start(env, rival, seed)))(jnp.int32(0))
    assert bool(report.finite.all())
    assert progress.learner.nets.states is None
    first, averaged = (nets.actor.observe.embed.weight for nets in (progress.learner.nets, progress.learner.average))
    assert not np.array_equal(first, averaged)
