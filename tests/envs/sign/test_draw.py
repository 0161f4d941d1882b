"""The renderer beside frames of Miniworld 2.1.0, and its batches beside single frames."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.similarity import mean_error, ssim

from scoutrl.envs.sign import Sign, draw

HERE = Path(__file__).parent
TWELVE = HERE / "frames.npz"
"""Every tenth of 120 frames with their poses, drawn by Miniworld 2.1.0 with Mesa's software renderer."""
ALL = next(iter(HERE.parents[2].parent.glob("*/data/sign_frames.npz")), None)
"""All of them, where they lie beside the repository."""


def frames(path):
    with np.load(path) as file:
        poses = [file[name] for name in ("x", "z", "heading", "sign_colour", "object_headings")]
        return poses, file["frames"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "similarity", "error"),
    [
        # Half of the twelve are little but bare wall, which is drawn without its grain.
        (TWELVE, 0.95, 2.2),
        pytest.param(ALL, 0.965, 2.2, marks=pytest.mark.skipif(ALL is None, reason="only 12 of the frames are here")),
    ],
)
def test_frames_look_like_the_real_ones(path, similarity, error):
    poses, real = frames(path)
    drawn = np.asarray(draw(*poses))
    assert drawn.shape == real.shape
    assert drawn.dtype == np.uint8
    pairs = list(zip(drawn, real, strict=True))
    assert np.mean([ssim(one, other) for one, other in pairs]) >= similarity
    assert mean_error(drawn, real) <= error
    # No single frame is wrong: the worst are those of bare walls, whose plaster is drawn without its grain.
    assert min(ssim(one, other) for one, other in pairs) > 0.88


@pytest.mark.slow
@pytest.mark.long
def test_a_frame_is_the_same_alone_in_a_batch_and_under_vmap():
    poses, _ = frames(TWELVE)
    together = np.asarray(draw(*poses))
    again = np.asarray(draw(*(np.concatenate([pose] * 7)[:70] for pose in poses)))
    env = Sign()
    state, _ = env.reset(jnp.array([0]), jax.random.key(0))
    x, z, heading, colour, headings = (jnp.asarray(pose, jnp.float32) for pose in poses)
    states = type(state)(x, z, heading, headings, colour.astype(int), jnp.zeros(12, int), jnp.zeros(12, int))
    nested = jax.tree.map(lambda leaf: leaf.reshape(3, 4, *leaf.shape[1:]), states)
    mapped = np.asarray(jax.jit(jax.vmap(jax.vmap(env.look)))(nested)).reshape(together.shape)
    # Compiled apart, they may differ by a rounding.
    for other in (again[:12], again[12:24], again[60:], mapped):
        assert np.abs(other.astype(int) - together[: len(other)].astype(int)).max() <= 1


def test_no_frames():
    nothing = np.zeros(0)
    assert draw(nothing, nothing, nothing, nothing, np.zeros((0, 6))).shape == (0, 60, 80, 3)


@pytest.mark.slow
def test_other_sizes_show_the_same():
    poses, _ = frames(TWELVE)
    usual = np.asarray(draw(*poses), np.float64)
    large = np.asarray(draw(*poses, height=120, width=160), np.float64)
    shrunk = large.reshape(12, 60, 2, 80, 2, 3).mean((2, 4))
    assert np.abs(shrunk - usual).mean() < 3


@pytest.mark.slow
def test_the_words_differ():
    n = np.ones(3)
    shown = np.asarray(draw(8.0 * n, 10.25 * n, 0 * n, np.arange(3), np.zeros((3, 6))), int)
    assert min(np.abs(shown[i] - shown[i - 1]).mean() for i in range(3)) > 0.5
