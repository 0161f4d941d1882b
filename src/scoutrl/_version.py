"""The version that is installed."""

from importlib.metadata import version


def installed_version() -> str:
    """Such as "0.2.0"."""
    return version("scoutrl")
