"""IMPORT: which objective trains which part, and who is told the embedding of the problem."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import TRIALS, play, quick_jit, size, with_encoders
from algorithms.small_rivals import lived, small

from scoutrl.algorithms.recurrent.import_ import Import
from scoutrl.trials.sequences import Transitions


@quick_jit
def slopes(rival, state, batch):
    """Gradients of the policy's loss and of the auxiliary loss in all networks."""
    found = lambda networks: rival.loss(networks, state, batch, jax.random.key(1))[1].metrics  # noqa: E731
    losses = lambda networks: {name: found(networks)[name] for name in ("policy_loss", "imitation_loss")}  # noqa: E731
    return jax.jacrev(losses)(state.networks)


def parts(gradient) -> set[str]:
    actor = gradient.actor
    named = {"e_id": gradient.encoder, "e_h": (actor.history, actor.belief), "policy": (actor.layers, actor.head)}
    return {name for name, part in named.items() if size(part) > 0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("informed", "policy"),
    [(0, {"e_h", "policy"}), (1, {"e_id", "e_h", "policy"}), (TRIALS, {"e_id", "policy"})],
)
def test_each_objective_trains_its_own_part(informed, policy):
    _, state, batch = lived("import")
    # Trials are learnt from as they were lived.
    batch = dataclasses.replace(batch, informed=jnp.arange(TRIALS) < informed)
    found = slopes(small("import"), state, batch)
    assert parts(found["policy_loss"]) == policy
    # sg: the memory comes to the problem's embedding, not the other way round.
    assert parts(found["imitation_loss"]) == {"e_h"}


def test_the_imitation_loss_by_hand():
    mask = jnp.array([[True, False]])
    played = Transitions(mask, mask, mask, mask, mask, mask)  # type: ignore[arg-type]
    e_id, e_h = jnp.array([[[1.0, 0.0]]]), jnp.array([[[0.0, 2.0], [1.0, 1.0], [9.0, 9.0]]])
    # ‖(1, -2)‖² and ‖(0, -1)‖²; the third prefix was not lived.
    assert Import().imitation_loss(e_id, e_h, played) == (5 + 1) / 2


@quick_jit
def collectors(rival, env, state, problem, keys):
    told = jax.vmap(lambda key: rival.collector(env, state, problem, key).privileged)(keys)
    return told, state.networks.encoder(problem)


def test_half_of_the_agents_that_collect_are_told():
    env, state, _ = lived("import")
    told, e_id = collectors(small("import"), env, state, jnp.array([2, 1]), jax.random.split(jax.random.key(0), 400))
    np.testing.assert_allclose(told.belief, np.broadcast_to(e_id, told.belief.shape), rtol=1e-6)
    assert np.mean(told.used) == pytest.approx(0.5, abs=0.1)
    assert small("import").agent(env, state).privileged is None


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["q", pytest.param("ppo", marks=pytest.mark.long)])
def test_trials_know_whether_their_agent_was_told(learner):
    env, state, batch = lived("import", learner)
    assert 0 < np.mean(batch.informed) < 1
    key, shares = jax.random.key(0), (0.0, 1.0)
    trials = {share: play(env, small("import", learner=learner, informed_share=share), state, key) for share in shares}
    assert not np.any(trials[0.0].informed)
    assert np.all(trials[1.0].informed)
    assert not np.any(lived("e-rl2")[2].informed)


@pytest.mark.slow
def test_the_deployed_agent_is_the_same_whatever_the_encoder_of_problems():
    env, state, _ = lived("import")
    changed = with_encoders(state, lambda encoders: jax.tree.map(lambda x: x + 1, encoders))
    assert not eqx.tree_equal(state, changed)
    assert eqx.tree_equal(small("import").agent(env, state), small("import").agent(env, changed))
