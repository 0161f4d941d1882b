"""The rules of the sign family once more, on many trajectories at once, in double precision: no code of Scout's own."""

import numpy as np

WALLS = """
10 0 10 6.5 | 0 0 10 0 | 0 6.5 0 0 | 10 6.5 6 6.5 | 0 13 0 6.75 | 6 13 0 13 | 10 6.75 10 13 | 6 6.75 10 6.75
10 13 6 13 | 6 6.5 6 6.75 | 0 6.75 0 6.5
"""
#   kind  colour  x  z  radius
THINGS = [
    ("box", "blue", 1, 1, 0.5656854),
    ("box", "red", 9, 1, 0.5656854),
    ("box", "green", 9, 5, 0.5656854),
    ("key", "blue", 5, 1, 0.7355467),
    ("key", "red", 1, 5, 0.7355467),
    ("key", "green", 1, 9, 0.7355467),
]
NEAR = {"box": 1.7356854, "key": 1.9055467}


def too_close(x, z):
    """Whether each place (x, z) is one where the agent cannot be."""
    refused = np.zeros(x.shape, bool)
    for wall in WALLS.replace("\n", "|").split("|"):
        if wall.strip():
            x0, z0, x1, z1 = map(float, wall.split())
            # All walls are along an axis: the nearest point is found by clamping.
            dx = x - np.clip(x, min(x0, x1), max(x0, x1))
            dz = z - np.clip(z, min(z0, z1), max(z0, z1))
            refused |= np.hypot(dx, dz) < 0.4
    for _, _, x0, z0, radius in THINGS:
        refused |= np.hypot(x - x0, z - z0) < 0.4 + radius
    return refused


def step(x, z, heading, count, action, colour, goal):
    """One step of every trajectory: pose, count, reward, terminated, truncated."""
    heading = heading + np.pi / 4 * ((action == 0) * 1.0 - (action == 1))
    ahead = 0.7 * ((action == 2) * 1.0 - (action == 3))
    to_x, to_z = x + ahead * np.cos(heading), z - ahead * np.sin(heading)
    refused = too_close(to_x, to_z)
    x, z = np.where(refused, x, to_x), np.where(refused, z, to_z)
    reward, terminated = np.zeros(len(x)), action == 3
    for kind, tint, x0, z0, _ in THINGS:
        near = np.hypot(x - x0, z - z0) < NEAR[kind]
        right = (np.array(["blue", "red", "green"])[colour] == tint) & (np.array(["box", "key"])[goal] == kind)
        reward = np.where(near, np.where(right, 1.0, -1.0), reward)
        terminated = terminated | near
    return x, z, heading, count + 1, reward, terminated, count + 1 >= 20
