"""Which objective of DREAM trains which part, and that rewards are those of the networks of now."""

from types import SimpleNamespace

import equinox as eqx
import jax
import numpy as np
import pytest
from algorithms.small_dream import SEVERAL, ignorant, lived, quick_jit, size, small

LOSSES = ("loss", "decoder_loss", "explorer_loss", "policy_loss", "kl")


@quick_jit
def gradients(nets, state, batch):
    """Each loss, and its gradient in all networks."""
    dream = small(**SEVERAL)
    losses = lambda nets: dream.loss(nets, state, batch, jax.random.key(1))[1].metrics  # noqa: E731
    return losses(nets), jax.jacrev(lambda nets: {name: losses(nets)[name] for name in LOSSES})(nets)


def at(ignorance=0.0, change=lambda nets: nets):
    """Losses and gradients, with `change` made to the networks and nothing else."""
    _, state, batch = lived()
    state = ignorant(state, ignorance)
    return gradients(change(state.nets), state, batch)


def parts(gradient) -> set[str]:
    """The parts that a gradient trains."""
    actors = gradient.actors
    named = SimpleNamespace(f=gradient.encoder, g=actors.decoder, explorer=actors.explorer, policy=actors.policy)
    return {name for name, part in vars(named).items() if size(part) > 0}


@pytest.mark.parametrize(
    ("name", "trained"),
    [
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


@pytest.mark.parametrize("decoder_gradient", [False, True])
@pytest.mark.parametrize("ignorance", [0.0, 1.0])
def test_whether_the_policy_s_loss_trains_the_decoder(decoder_gradient, ignorance):
    dream, state = (
        small(decoder_gradient=decoder_gradient, decoded_share=0.5),
        SimpleNamespace(running={"ignorance": ignorance}),
    )
    mixed = lambda f, g: dream._mixture(f, g, state, jax.random.key(0)).sum(axis=1)  # type: ignore[arg-type] # noqa: E731
    f_slope, g_slope = jax.tree.map(
        lambda slope: np.einsum("iij->i", slope),
        jax.jit(jax.jacrev(mixed, (0, 1)))(np.zeros((64, 2)), np.ones((64, 2))),
    )
    # Each trial is conditioned on one of the two: half of them on g once the decoder is good, none before.
    on_f = f_slope == 2
    assert (f_slope == 2 * on_f).all()
    assert (g_slope == (2 * ~on_f if decoder_gradient else 0)).all()
    assert on_f.all() if ignorance else 16 < on_f.sum() < 48


def test_rewards_of_a_stored_trial_are_recomputed_with_f_and_g_of_now():
    before, _ = at()
    f = lambda nets: nets.encoder.tables[0]  # noqa: E731
    g = lambda nets: nets.actors.decoder.out.weight  # noqa: E731
    for part in (f, g):
        moved = lambda nets, part=part: eqx.tree_at(part, nets, part(nets) * 1.5 + 0.1)  # noqa: E731
        after, _ = at(change=moved)
        assert abs(after["explorer_loss"] - before["explorer_loss"]) > 1e-4


def test_other_parts_do_not_change_the_exploration_reward():
    before, _ = at()
    weight = lambda nets: nets.actors.policy.look.weight  # noqa: E731
    after, _ = at(change=lambda nets: eqx.tree_at(weight, nets, weight(nets) + 1))
    assert after["explorer_loss"] == before["explorer_loss"]
    assert after["policy_loss"] != before["policy_loss"]


def test_the_metrics_add_up():
    metrics, _ = jax.tree.map(np.asarray, at())
    bottleneck = small().bottleneck_weight * metrics["kl"]
    parts = metrics["decoder_loss"] + metrics["explorer_loss"] + metrics["policy_loss"]
    assert metrics["loss"] == pytest.approx(parts + bottleneck, rel=1e-5)
