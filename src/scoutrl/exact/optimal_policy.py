"""What to do in every state of a family that is known: plans made by backward induction."""

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Int

from scoutrl.exact.reachable import Layer

_TIE = 1e-5
"""Returns that differ by less are the same: rewards have single precision."""


class Plan(eqx.Module):
    """The optimal actions for each state of each layer of time."""

    actions: list[Int[np.ndarray, " states"]]
    """The lowest of the best."""
    best: list[Bool[np.ndarray, "states actions"]]
    """All of the best."""
    children: list[Int[np.ndarray, "states actions"]]
    """Places in the next layer; -1: the episode ended."""


def plan(found: list[Layer]) -> Plan:
    """The optimum's choices in the states of `found`."""
    values, best = np.zeros(0), []
    for layer in reversed(found):
        worth = layer.rewards + np.append(values, 0.0)[layer.children]
        values = worth.max(axis=1)
        best.append(worth > values[:, None] - _TIE)
    best.reverse()
    actions = [allowed.argmax(axis=1).astype(np.int32) for allowed in best]
    return Plan(actions, best, [layer.children.astype(np.int32) for layer in found])


def joined(plans: list[Plan]) -> Plan:
    """Plans side by side: in every layer the states of each come after those of the one before."""
    depth = max(len(each.actions) for each in plans)
    actions, best, children = [], [], []
    for time in range(depth):
        lasting = [each for each in plans if len(each.actions) > time]
        sizes = [len(each.actions[time + 1]) if len(each.actions) > time + 1 else 0 for each in lasting]
        offsets = np.cumsum([0, *sizes[:-1]])
        parts = [each.children[time] for each in lasting]
        moved = [np.where(part < 0, -1, part + offset) for part, offset in zip(parts, offsets, strict=True)]
        actions.append(np.concatenate([each.actions[time] for each in lasting]))
        best.append(np.concatenate([each.best[time] for each in lasting]))
        children.append(np.concatenate(moved).astype(np.int32))
    return Plan(actions, best, children)
