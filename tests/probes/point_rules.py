"""The rules of the families of a point in the plane once more, as plain Python: no code of Scout's own."""

import math


class PointRules:
    """A point that moves by at most 0.1 along each axis; `limit` is where the plane ends."""

    limit = 2.0

    def __init__(self, problem: list[float]):
        self.problem, self.position = problem, (0.0, 0.0)

    def step(self, action: list[float]) -> tuple[tuple[float, float], float]:
        """Where it is after a step, and the reward."""
        x, y = (
            min(max(p + 0.1 * a + w, -self.limit), self.limit)
            for p, a, w in zip(self.position, action, self.wind(), strict=True)
        )
        self.position = self.arrive(x, y)
        return self.position, self.reward()

    def wind(self) -> tuple[float, float]:
        return (0.0, 0.0)

    def arrive(self, x: float, y: float) -> tuple[float, float]:
        return x, y

    def reward(self) -> float:
        raise NotImplementedError

    def optimum(self) -> float:
        """The return of the best episode, by a formula."""
        raise NotImplementedError


class SemicircleRules(PointRules):
    """1 less the distance within 0.2 of the goal."""

    def reward(self) -> float:
        return self.worth(math.dist(self.position, self.problem[:2]))

    def worth(self, distance: float) -> float:
        return 1 - distance if distance <= 0.2 else 0.0

    def optimum(self) -> float:
        """After t steps the point may be anywhere in a rectangle, and the best place is the nearest to the goal."""
        total = 0.0
        for t in range(1, 21):
            near = [
                min(max(g, t * (w - 0.1)), t * (w + 0.1)) for g, w in zip(self.problem[:2], self.wind(), strict=True)
            ]
            total += self.worth(math.dist(near, self.problem[:2]))
        return total


class BinaryRules(SemicircleRules):
    def worth(self, distance: float) -> float:
        return 1.0 if distance <= 0.2 else 0.0


class WindRules(SemicircleRules):
    limit = 3.0

    def wind(self) -> tuple[float, float]:
        return self.problem[2], self.problem[3]


class EscapeRules(PointRules):
    """A wall of radius 1 with an opening of π/8 around the problem; 1 outside."""

    def arrive(self, x: float, y: float) -> tuple[float, float]:
        inside, stays_inside = (math.hypot(*place) <= 1 for place in (self.position, (x, y)))
        off = math.atan2(y, x) - math.atan2(self.problem[1], self.problem[0])
        if inside == stays_inside or abs(math.remainder(off, 2 * math.pi)) <= math.pi / 16:
            return x, y
        radius = (0.999 if inside else 1.001) / math.hypot(x, y)
        return x * radius, y * radius

    def reward(self) -> float:
        return float(math.hypot(*self.position) > 1)

    def optimum(self) -> float:
        """The way out at angle φ takes floor(10 max(|cos φ|, |sin φ|)) + 1 steps."""
        middle = math.atan2(self.problem[1], self.problem[0])
        ways = [middle + math.pi / 16 * i / 1000 for i in range(-1000, 1001)]
        return 20.0 - math.floor(10 * min(max(abs(math.cos(way)), abs(math.sin(way))) for way in ways))
