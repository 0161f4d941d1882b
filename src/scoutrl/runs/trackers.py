"""Who is told the metrics of a run while it trains, beside the file that keeps them."""

import abc
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, final, get_args

from scoutrl.errors import ScoutError
from scoutrl.quiet import tell

Track = Literal["tensorboard", "wandb", "none"]
"""TensorBoard's event files, Weights & Biases, or nothing but the file."""
TRACKS: tuple[Track, ...] = get_args(Track)
"""All of them."""
Listener = Callable[[Mapping[str, float]], Any]
"""Is told each row of metrics: name to number, with the counters `iteration`, `env_steps`, `updates` and `seconds`."""
_PROJECT = "scout"


class Tracker(abc.ABC):
    """Is told each row of metrics."""

    @abc.abstractmethod
    def append(self, row: Mapping[str, float]) -> None:
        """One row."""

    @abc.abstractmethod
    def close(self) -> None:
        """There are no more rows."""


@final
class Told(Tracker):
    """A function of the caller's own."""

    def __init__(self, listener: Listener):
        """Tell `listener`."""
        self._listener = listener

    def append(self, row: Mapping[str, float]) -> None:
        """Call it with a copy of the row.

        Raises:
            ScoutError: whatever it raises, in one line; the last checkpoint is kept.
        """
        try:
            self._listener(dict(row))
        except Exception as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())
            raise ScoutError(
                f"the function that tracks the run raised {what}; mend it, and the same command goes on."
            ) from error

    def close(self) -> None:
        """Nothing to do."""


@final
class WandbTracker(Tracker):
    """A run of Weights & Biases; its own variables, such as WANDB_MODE=offline, say where it goes."""

    def __init__(self, directory: Path, about: Mapping[str, Any]):
        """Begin a run named after the run directory `directory`, in which its files are; `about` is its configuration.

        Raises:
            ScoutError: it does not start, as where nobody is logged in.
        """
        check_track("wandb")
        import wandb  # pyright: ignore[reportMissingImports]

        try:
            self._run = wandb.init(
                project=_PROJECT,
                name=directory.name,
                dir=str(directory),
                config=dict(about),
                reinit="create_new",
                settings=wandb.Settings(silent=True, console="off"),
            )
        except Exception as error:
            what = " ".join(str(error).split())
            raise ScoutError(
                f"Weights & Biases does not start ({what}); `wandb login`, or WANDB_MODE=offline."
            ) from error

    def append(self, row: Mapping[str, float]) -> None:
        """All metrics at their environment steps.

        Raises:
            ScoutError: it does not take them.
        """
        try:
            self._run.log(dict(row), step=int(row["env_steps"]))
        except Exception as error:
            raise ScoutError(
                f"Weights & Biases takes no more metrics ({_words(error)}); the same command goes on, "
                "with --track none without it."
            ) from error

    def close(self) -> None:
        """Send what is left; if it does not take that, say so: the run is over in any case."""
        try:
            self._run.finish()
        except Exception as error:
            tell(f"Weights & Biases did not take the last metrics ({_words(error)}).")


def split_track(track: Track | Listener) -> tuple[Track, Listener | None]:
    """The tracker by name, and the function that is told the metrics, of which one is meant.

    Raises:
        ScoutError: there is no such tracker, or what it needs is not installed.
    """
    if callable(track):
        return "none", track
    check_track(track)
    return track, None


def check_track(track: str) -> None:
    """Check that there is such a tracker, and that what it needs is installed.

    Raises:
        ScoutError: it is not.
    """
    if track not in TRACKS:
        raise ScoutError(f"a run can be tracked by {', '.join(TRACKS)}; {track!r} is none of them.")
    if track == "wandb" and find_spec("wandb") is None:
        raise ScoutError("Weights & Biases is not installed: pip install 'scoutrl[wandb]', or track otherwise.")


def _words(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
