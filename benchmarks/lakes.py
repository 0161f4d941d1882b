"""What can be had on the frozen lakes of docs/gymnasium.md: `python -m benchmarks.lakes`.

The optimum is by breadth-first search. Beside it stands a planner that is given no map: in each episode it goes the way
to the goal that is least likely to lead into a hole, by what it has seen and by how often each cell is a hole in the
training maps. It says how many exploration episodes are needed. Nothing is trained, and nothing kept.
"""

import heapq
import itertools
import json

import numpy as np
from gymnasium.envs.toy_text.frozen_lake import generate_random_map

SIZE, TRAIN = 4, 80
"""Cells of a side, and training maps; the others are unseen."""
Cell = tuple[int, int]


def lakes() -> np.ndarray:
    """[100, 4, 4]: where the holes of the page's maps are."""
    drawn = (tuple(generate_random_map(SIZE, seed=seed)) for seed in range(200))
    return np.array([[list(row) for row in rows] for rows in dict.fromkeys(drawn)])[:100] == "H"


def way(holes: np.ndarray, costs: np.ndarray) -> list[Cell]:
    """The cells of the cheapest way to the goal, the start left out, past all that are known to be holes."""
    goal: Cell = (SIZE - 1, SIZE - 1)
    best: dict[Cell, float] = {(0, 0): 0.0}
    waiting: list[tuple[float, list[Cell]]] = [(0.0, [(0, 0)])]
    while waiting:
        cost, cells = heapq.heappop(waiting)
        if cells[-1] == goal:
            return cells[1:]
        row, column = cells[-1]
        for cell in ((row, column + 1), (row + 1, column), (row, column - 1), (row - 1, column)):
            if min(cell) < 0 or max(cell) >= SIZE or holes[cell]:
                continue
            total = cost + costs[cell]
            if total < best.get(cell, np.inf):
                best[cell] = total
                heapq.heappush(waiting, (total, [*cells, cell]))
    raise ValueError("there is no way to the goal")


def planned(holes: np.ndarray, often: np.ndarray, explorations: int) -> bool:
    """Whether the planner arrives after `explorations` exploration episodes."""
    known, safe = np.zeros_like(holes), np.zeros_like(holes)
    for _ in range(explorations + 1):
        costs = np.where(safe, 0.0, -np.log(1 - np.clip(often, 0, 0.9))) + 1e-3
        cells = way(known, costs)
        for cell in itertools.takewhile(lambda cell: not holes[cell], cells):
            safe[cell] = True
        fatal = next((cell for cell in cells if holes[cell]), None)
        if fatal is None:
            return True
        known[fatal] = True
    return False


def main() -> None:
    """Print both."""
    maps = lakes()
    steps = [len(way(holes, np.ones((SIZE, SIZE)))) for holes in maps]
    often = maps[:TRAIN].mean(axis=0)
    found = {str(count): float(np.mean([planned(holes, often, count) for holes in maps[TRAIN:]])) for count in range(6)}
    print(json.dumps({"optimum": 1.0, "steps": sorted(set(steps)), "planner_by_exploration_episodes": found}))


if __name__ == "__main__":
    main()
