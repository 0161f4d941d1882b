"""The command `scout`."""

import os
import sys
from collections.abc import Sequence

from scoutrl._platform import pin_threads
from scoutrl.cli.app import parse
from scoutrl.cli.streams import standard_streams
from scoutrl.errors import ScoutError
from scoutrl.quiet import silence_libraries, tell

USER_MISTAKE = 2
"""Exit code when the user can put it right."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        words: without the program's name; None takes those the program was called with.

    Returns:
        The exit code: 0, 1 when nobody reads the output any more, 2 for a mistake of the user's, 130 or 143 when
        stopped by a signal.
    """
    pin_threads()
    with standard_streams():
        code = _run(sys.argv[1:] if words is None else words)
    if words is None and code > 128:
        # Leaving as usual would wait for what other threads are still compiling.
        os._exit(code)
    return code


def _run(words: Sequence[str]) -> int:
    try:
        with silence_libraries():
            command, arguments = parse(words)
            command(*arguments.args, **arguments.kwargs)
            sys.stdout.flush()
    except ScoutError as error:
        tell(f"scout: {error}")
        return USER_MISTAKE
    except SystemExit as leave:
        if isinstance(leave.code, int | None):
            return leave.code or 0
        tell(f"scout: {leave.code}")
        return 1
    except BrokenPipeError:
        return 1  # whoever read our output has read enough
    except KeyboardInterrupt as stop:
        tell(str(stop) or "Stopped.")
        return getattr(stop, "exit_code", 130)
    return 0 if words else USER_MISTAKE
