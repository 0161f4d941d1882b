"""How long the shortest exploration that suffices is: plain data, without JAX."""

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True)
class ExplorationLength:
    """The shortest exploration that suffices on the problems of one split."""

    kind: Literal["exact", "at most", "never", "unknown"]
    """`exact`: no exploration is shorter. `at most`: the shortest of those that the search covered before its limit.
    `never`: none suffices for all problems. `unknown`: none was found, or the question has no answer."""
    steps: float | None
    """Expected steps, the problems of the split being equally likely; None for `never` and `unknown`."""
    reason: str | None = None
    """Why it is not exact, in one line."""

    def __str__(self) -> str:
        known = f"{self.steps:.2f} ({self.kind})" if self.steps is not None else self.kind
        return known if self.reason is None else f"{known}: {self.reason}"
