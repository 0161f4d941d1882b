"""Numbers for a page: few digits, and nothing that JSON lacks."""

from typing import Any

import numpy as np


def plain(values: Any, digits: int = 3) -> Any:
    """Arrays and numbers as lists and numbers of so many decimal places; None for what is not finite."""
    array = np.asarray(values)
    if array.ndim:
        return [plain(value, digits) for value in array]
    if array.dtype.kind in "iub":
        return array.item()
    number = round(float(array), digits)
    return number if np.isfinite(number) else None


def shown(value: float | None, digits: int = 2) -> str:
    """A number for people; a dash for one that there is not."""
    return "–" if value is None or not np.isfinite(value) else f"{value:.{digits}f}".replace("-", "−")


def count(value: float) -> str:
    """A large number: 1,200,000 as "1.2 million"."""
    return f"{value / 1e6:.3g} million" if value >= 1e6 else f"{value:,.0f}"
