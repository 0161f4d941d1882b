"""One seed of a group, in a process of its own: `python -m scoutrl.engines.worker`, with the request on stdin."""

import json
import os
import signal
import sys
import threading


def main() -> int:
    """Train as the one line of JSON on stdin says.

    It has config, out, core (or null), path (to import from), and argv (of the command that was given, for the record).

    Returns:
        The exit code: 0, 2 for a ScoutError, whose text is then the last line on stderr, 130 or 143 after a signal.
    """
    # Until training takes over there is nothing to save, and nothing to say.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.path.extend(entry for entry in request["path"] if entry not in sys.path)
    sys.argv = request["argv"]
    if request["core"] is not None:
        # Before JAX computes, which makes as many threads as there are cores.
        os.sched_setaffinity(0, {request["core"]})
    from scoutrl.quiet import silence_libraries

    with silence_libraries():
        return _train(request)


def _train(request: dict) -> int:
    from scoutrl.errors import ScoutError
    from scoutrl.quiet import tell
    from scoutrl.runs.config import RunConfig
    from scoutrl.training.loop import train
    from scoutrl.training.signals import Interrupted

    try:
        train(RunConfig.from_json(request["config"]), request["out"], show=False)
    except ScoutError as error:
        tell(str(error))
        return 2
    except Interrupted as stop:
        return stop.exit_code
    return 0


def _end_with_parent() -> None:
    """End at once when the parent is gone, so that the command may be given again: stdin ends when it does."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
