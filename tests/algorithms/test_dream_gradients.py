"""Which objective of DREAM trains which part, and that rewards are those of the networks of now."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import SEVERAL, lived, quick_jit, size, small, with_counter

LOSSES = ("loss", "bottleneck_loss", "decoder_loss", "explorer_loss", "policy_loss", "kl")


@quick_jit
def gradients(networks, state, batch, dream):
    """Each loss, and its gradient in all networks."""
    losses = lambda networks: dream.loss(networks, state, batch, jax.random.key(1))[1].metrics  # noqa: E731
    return losses(networks), jax.jacrev(lambda networks: {name: losses(networks)[name] for name in LOSSES})(networks)


def at(residual=0.0, change=lambda networks: networks):
    """Losses and gradients, with `change` made to the networks and nothing else."""
    _, state, batch = lived()
    state = with_counter(state, residual=residual, least_residual=residual)
    return gradients(change(state.networks), state, batch, small(**SEVERAL))


def parts(gradient) -> set[str]:
    """The parts that a gradient trains."""
    actors = gradient.actors
    named = SimpleNamespace(f=gradient.encoder, g=actors.decoder, explorer=actors.explorer, policy=actors.policy)
    return {name for name, part in vars(named).items() if size(part) > 0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "trained"),
    [
        ("bottleneck_loss", {"f"}),
        ("decoder_loss", {"g"}),
        ("explorer_loss", {"explorer"}),
        ("policy_loss", {"f", "policy"}),
        ("kl", {"f"}),
        ("loss", {"f", "g", "explorer", "policy"}),
    ],
)
def test_each_objective_trains_its_own_part(name, trained):
    metrics, slopes = at()
    assert metrics["decoded_share"] == 0.5
    assert parts(slopes[name]) == trained


@pytest.mark.slow
@pytest.mark.parametrize("explorer_gradient", [False, True])
def test_whether_the_explorer_s_loss_trains_a_memory_that_it_shares(explorer_gradient):
    settings = {"shared_memory": True, "explorer_gradient": explorer_gradient}
    _, state, batch = lived(shared_memory=True)
    _, slopes = gradients(state.networks, state, batch, small(**settings, **SEVERAL))
    assert state.networks.actors.explorer.history is None
    assert parts(slopes["decoder_loss"]) == {"g"}
    assert parts(slopes["explorer_loss"]) == ({"g", "explorer"} if explorer_gradient else {"explorer"})
    assert size(slopes["explorer_loss"].actors.decoder.out) == 0


@pytest.mark.parametrize("decoder_gradient", [False, True])
def test_whether_the_policy_s_loss_trains_the_decoder(decoder_gradient):
    dream, informed = small(decoder_gradient=decoder_gradient), jnp.arange(64) % 3 > 0
    task = lambda f, g: dream._task(f, g, informed, jax.random.key(0)).sum(axis=1)  # noqa: E731
    f_slope, g_slope = jax.tree.map(
        lambda slope: np.einsum("iij->i", slope),
        jax.jit(jax.jacrev(task, (0, 1)))(np.zeros((64, 2)), np.ones((64, 2))),
    )
    # Each trial is conditioned on one of the two: the one that it was lived on.
    assert (f_slope == 2 * informed).all()
    assert (g_slope == (2 * ~informed if decoder_gradient else 0)).all()


@pytest.mark.slow
def test_rewards_of_a_stored_trial_are_recomputed_with_f_and_g_of_now():
    before, _ = at()
    f = lambda networks: networks.encoder.tables[0]  # noqa: E731
    g = lambda networks: networks.actors.decoder.out.weight  # noqa: E731
    for part in (f, g):
        moved = lambda networks, part=part: eqx.tree_at(part, networks, part(networks) * 1.5 + 0.1)  # noqa: E731
        after, _ = at(change=moved)
        assert abs(after["explorer_loss"] - before["explorer_loss"]) > 1e-4


def test_other_parts_do_not_change_the_exploration_reward():
    before, _ = at()
    weight = lambda networks: networks.actors.policy.layers.embed.weight  # noqa: E731
    after, _ = at(change=lambda networks: eqx.tree_at(weight, networks, weight(networks) + 1))
    assert after["explorer_loss"] == before["explorer_loss"]
    assert after["policy_loss"] != before["policy_loss"]


def test_the_metrics_add_up():
    metrics, _ = jax.tree.map(np.asarray, at())
    assert metrics["bottleneck_loss"] == pytest.approx(small().bottleneck_weight * metrics["kl"], rel=1e-5)
    parts = [metrics[f"{name}_loss"] for name in ("bottleneck", "decoder", "explorer", "policy")]
    assert metrics["loss"] == pytest.approx(sum(parts), rel=1e-5)
