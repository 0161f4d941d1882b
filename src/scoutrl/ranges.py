"""Ranges of hyper-parameters, checked in one place."""

import equinox as eqx

from scoutrl.errors import ScoutError


def check_ranges(settings: eqx.Module, positive: str = "", shares: str = "", not_negative: str = "") -> None:
    """Check fields by name, names separated by spaces: above 0, from 0 to 1, at least 0.

    Raises:
        ScoutError: naming the first field out of its range.
    """
    for name in dict.fromkeys(f"{positive} {shares} {not_negative}".split()):
        value = getattr(settings, name)
        above, share = name in positive.split(), name in shares.split()
        if value < 0 or (above and value == 0) or (share and value > 1) or value != value:
            wanted = ("above 0" if above else "at least 0") + (" and at most 1" if share else "")
            raise ScoutError(f"{name} must be {wanted}; it is {value}")
