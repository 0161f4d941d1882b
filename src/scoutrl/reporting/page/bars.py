"""Numbers beside each other on one axis: what was reached, and the bounds it is measured by."""

import dataclasses
from collections.abc import Mapping, Sequence

from scoutrl.evaluation.scores import Estimate
from scoutrl.exact.length import ExplorationLength
from scoutrl.reporting.page.numbers import shown

BOUNDS = {
    "optimum": "optimum, told the problem",
    "thompson": "Thompson sampling after exploring",
    "no_exploration": "Thompson sampling, no exploration",
    "random": "random actions",
}
"""Bounds that every page shows, in this order, and what they are called."""


@dataclasses.dataclass(frozen=True)
class Bar:
    """One row."""

    name: str
    text: str
    """The number, for people."""
    at: float
    """Where it lies on the axis, in percent."""
    low: float
    """Where its interval begins, in percent; as `at` without one."""
    high: float
    """Where its interval ends, in percent."""
    own: bool
    """What was trained; the others are bounds."""
    beyond: bool
    """It lies so far below all else that it is drawn at the end of the axis."""
    seeds: tuple[float, ...] = ()
    """Where each seed lies, in percent."""


def return_bars(
    own: Mapping[str, Estimate], bounds: Mapping[str, float], seeds: Mapping[str, Sequence[float]] | None = None
) -> list[Bar]:
    """Returns of what was trained, by label, with those of its `seeds`; then the bounds."""
    rows = [(label, one, True) for label, one in own.items()]
    rows += [(name, Estimate(bounds[key], None), False) for key, name in BOUNDS.items() if key in bounds]
    return _on_one_axis(rows, 2, seeds=seeds or {})


def length_bars(own: Mapping[str, float], shortest: ExplorationLength | None, horizon: int | None) -> list[Bar]:
    """Steps of exploration of what was trained, by label, then the shortest that suffices and the longest there is."""
    rows = [(label, Estimate(value, None), True) for label, value in own.items()]
    if shortest is not None and shortest.steps is not None:
        rows.append((f"shortest that suffices ({shortest.kind})", Estimate(shortest.steps, None), False))
    if horizon is not None:
        rows.append(("longest episode there is", Estimate(float(horizon), None), False))
    return _on_one_axis(rows, 1, start=0.0)


def _on_one_axis(
    rows: list[tuple[str, Estimate, bool]],
    digits: int,
    start: float | None = None,
    seeds: Mapping[str, Sequence[float]] | None = None,
) -> list[Bar]:
    if not rows:
        return []
    ends = [end for _, one, _ in rows for end in one.ci95 or (one.mean,)]
    if all(is_own for _, _, is_own in rows):
        ends.append(0.0)  # without bounds there is nothing else to measure by
    low, high = min(ends) if start is None else start, max(ends)
    # Random actions, where they are far below all else, would leave no room to see the rest.
    others = [one.mean for name, one, _ in rows if name != BOUNDS["random"]]
    if start is None and min(others, default=low) - low > high - min(others, default=low):
        low = min(others) - 0.25 * max(high - min(others), 0.1)
    room = max(high - low, 1e-6)

    def place(value: float) -> float:
        return round(min(100.0, max(0.0, 100 * (value - low) / room)), 2)

    return [
        Bar(
            name,
            shown(one.mean, digits),
            place(one.mean),
            *(map(place, one.ci95 or (one.mean, one.mean))),
            own=own,
            beyond=one.mean < low,
            seeds=tuple(map(place, (seeds or {}).get(name, ()) if own else ())),
        )
        for name, one, own in rows
    ]


def main_bounds(known: Mapping[str, float]) -> dict[str, float]:
    """The bounds that are drawn into curves, where there is little room."""
    return {name: known[name] for name in BOUNDS if name in known}
