"""The rules of the grid families once more, as plain Python on tuples: nothing here knows Scout's own code.

A state is a tuple; `step(state, action)` gives (state, observation, reward, terminated, truncated).
"""

import itertools

MOVES = {0: (-1, 0), 1: (0, 1), 2: (1, 0), 3: (0, -1)}
RIDE, END, PICK_UP, DROP = 5, 6, 7, 8


def moved(x, y, action, size):
    dx, dy = MOVES.get(action, (0, 0))
    return min(max(x + dx, 0), size - 1), min(max(y + dy, 0), size - 1)


class BusRules:
    def __init__(self, n, goal, family):
        self.n, self.goal, self.family = n, tuple(goal), family
        useful = list(itertools.permutations([(0, 1), (0, 7), (8, 1), (8, 7)]))[n % 24]
        self.lines = dict(zip([(4, 5), (5, 4), (3, 4), (4, 3)], useful, strict=True))
        if family == "distracting-bus":
            useless = list(itertools.permutations([(0, 4), (4, 0), (8, 4), (4, 8)]))[n // 24]
            self.lines |= dict(zip([(5, 5), (3, 3), (3, 5), (5, 3)], useless, strict=True))
        self.bus = self.lines | {end: stop for stop, end in self.lines.items()}
        self.start = (4, 4, 0)

    def observation(self, state):
        x, y, _ = state
        seen = (x, y, int((x, y) in self.bus))
        if self.family == "map":
            seen += (self.n + 1 if (x, y) == (7, 3) else 0,)
        return seen

    def step(self, state, action):
        x, y, steps = state
        x, y = self.bus.get((x, y), (x, y)) if action == RIDE else moved(x, y, action, 9)
        state = (x, y, steps + 1)
        left = 20 - (steps + 1)
        if (x, y) == self.goal:
            return state, self.observation(state), 1.0, True, left == 0
        reward = -0.1 - 0.1 * left if action == END else -0.1
        return state, self.observation(state), reward, action == END, left == 0


class KitchenRules:
    def __init__(self, n, goal):
        self.goal = tuple(goal)
        self.drawers = {(2, 0): n % 4, (2, 1): n // 4 % 4, (2, 2): n // 16 % 4}
        self.start = ((1, 1), None, (), 0, 0)

    def observation(self, state):
        place, hand, bowl, _, _ = state
        status = 2 if place == (1, 1) else 3 if place in self.drawers else 0
        bowl = [*bowl, 4, 4, 4][:3]
        return (*place, status, 4 if hand is None else hand, *bowl)

    def step(self, state, action):
        place, hand, bowl, stage, steps = state
        if action == PICK_UP and place == (1, 1):
            hand = None
        if action == PICK_UP and place in self.drawers:
            hand = self.drawers[place]
        if action == DROP:
            if place == (1, 1) and len(bowl) < 3 and hand is not None:
                bowl = (*bowl, hand)
            hand = None
        place = moved(*place, action, 3)  # type: ignore
        left = 20 - (steps + 1)
        reward, stage, cooked = self.judged(hand, bowl, stage, action)
        if action == END:
            reward -= 0.1 * left
        state = (place, hand, bowl, stage, steps + 1)
        return state, self.observation(state), reward, cooked or action == END, left == 0

    def judged(self, hand, bowl, stage, action):
        wanted = self.goal[0 if stage < 2 else 1]
        if stage in (0, 2):
            if hand == wanted:
                return 0.25, stage + 1, False
            return (-0.35 if action == PICK_UP else -0.1), stage, False
        if bowl[: 1 if stage == 1 else 2] == self.goal[: 1 if stage == 1 else 2]:
            return 0.25, stage + 1, stage == 3
        if hand != wanted:
            return -0.35, stage - 1, False
        return -0.1, stage, False


def worth(rules, choose):
    """The value of the start, by recursion; `choose` makes one number of the values of the nine actions."""
    known = {}

    def value(state):
        if state not in known:
            outcomes = (rules.step(state, action) for action in range(9))
            known[state] = choose([r + (0.0 if end or late else value(s)) for s, _, r, end, late in outcomes])
        return known[state]

    return value(rules.start)
