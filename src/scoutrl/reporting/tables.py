"""The table of a comparison as rows of text, for pages and files."""

import dataclasses
import statistics
from collections.abc import Iterator

from scoutrl.results.comparison import AlgorithmResult, Comparison

HEAD = ("algorithm", "return (IQM)", "95% interval", "exploration steps", "seeds", "env steps", "training s")
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
    sound: int
    """Seeds that did not fail."""
    seeds: int
    steps: float | None
    """Median of the environment steps."""
    seconds: float | None
    """Median of the seconds of training; compilation does not count."""

    @property
    def cells(self) -> tuple[str, ...]:
        """As text, in the order of `HEAD`."""
        interval = "–" if self.low is None else f"{self.low:.3f} to {self.high:.3f}"
        return (
            self.label,
            _text(self.iqm, ".3f"),
            interval,
            _text(self.explored, ".2f"),
            f"{self.sound} of {self.seeds}",
            _text(self.steps, ",.0f"),
            _text(self.seconds, ",.1f"),
        )

    @property
    def values(self) -> tuple[str | float | None, ...]:
        """What to sort by, in the order of `HEAD`."""
        return self.label, self.iqm, self.low, self.explored, self.sound, self.steps, self.seconds


def rows_of(comparison: Comparison) -> Iterator[Row]:
    """One row per algorithm, in the order of the comparison."""
    for one in comparison.algorithms:
        yield _row(one)


def _row(one: AlgorithmResult) -> Row:
    low, high = one.final.ci95 if one.final is not None and one.final.ci95 is not None else (None, None)
    lengths = one.exploration_lengths
    return Row(
        label=one.label,
        iqm=None if one.final is None else one.final.iqm,
        low=low,
        high=high,
        explored=statistics.fmean(lengths) if lengths else None,
        sound=len(one.sound),
        seeds=len(one.seeds),
        steps=statistics.median(seed.env_steps for seed in one.sound) if one.sound else None,
        seconds=statistics.median(seed.seconds for seed in one.sound) if one.sound else None,
    )


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
