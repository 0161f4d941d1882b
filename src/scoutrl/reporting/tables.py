"""The table of a comparison as rows of text, for pages and files."""

import dataclasses
import statistics
from collections.abc import Iterator

from scoutrl.results.comparison import AlgorithmResult, Comparison

HEAD = (
    "algorithm",
    "return (IQM)",
    "95% interval",
    "exploration steps",
    "shortest",
    "seeds",
    "env steps",
    "training s",
    "notes",
)
"""What the columns are."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One algorithm; numbers that there are not are None."""

    label: str
    iqm: float | None
    low: float | None
    high: float | None
    explored: float | None
    """Mean steps of an exploration episode over the seeds that did not fail."""
    shortest: float | None
    """Steps of the shortest exploration that suffices, the same for all algorithms."""
    sound: int
    """Seeds that did not fail."""
    seeds: int
    steps: float | None
    """Median of the environment steps."""
    seconds: float | None
    """Median of the seconds of training; compilation does not count."""
    notes: str
    """What it had in training that not every algorithm has; may be empty."""

    @property
    def cells(self) -> tuple[str, ...]:
        """As text, in the order of `HEAD`."""
        interval = "–" if self.low is None else f"{self.low:.3f} to {self.high:.3f}"
        return (
            self.label,
            _text(self.iqm, ".3f"),
            interval,
            _text(self.explored, ".2f"),
            _text(self.shortest, ".2f"),
            f"{self.sound} of {self.seeds}",
            _text(self.steps, ",.0f"),
            _text(self.seconds, ",.1f"),
            self.notes or "–",
        )

    @property
    def values(self) -> tuple[str | float | None, ...]:
        """What to sort by, in the order of `HEAD`."""
        numbers = self.iqm, self.low, self.explored, self.shortest, self.sound, self.steps, self.seconds
        return self.label, *numbers, self.notes


def rows_of(comparison: Comparison) -> Iterator[Row]:
    """One row per algorithm, in the order of the comparison."""
    shortest = comparison.shortest_exploration
    for one in comparison.algorithms:
        yield _row(one, None if shortest is None else shortest.steps)


def _row(one: AlgorithmResult, shortest: float | None) -> Row:
    low, high = one.final.ci95 if one.final is not None and one.final.ci95 is not None else (None, None)
    lengths = one.exploration_lengths
    return Row(
        label=one.label,
        iqm=None if one.final is None else one.final.iqm,
        low=low,
        high=high,
        explored=statistics.fmean(lengths) if lengths else None,
        shortest=shortest,
        sound=len(one.sound),
        seeds=len(one.seeds),
        steps=statistics.median(seed.env_steps for seed in one.sound) if one.sound else None,
        seconds=statistics.median(seed.seconds for seed in one.sound) if one.sound else None,
        notes=", ".join(one.advantages),
    )


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
