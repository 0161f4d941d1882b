"""The command `scout`."""

import contextlib
import os
import sys
from collections.abc import Sequence

from scoutrl._platform import pin_threads
from scoutrl.cli.app import parse
from scoutrl.errors import ScoutError
from scoutrl.quiet import silence_libraries

USER_MISTAKE = 2
"""Exit code when the user can put it right."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        words: without the program's name; None takes those the program was called with.

    Returns:
        The exit code: 0, 2 for a mistake of the user's, 130 or 143 when stopped by a signal.
    """
    words = sys.argv[1:] if words is None else words
    pin_threads()
    try:
        with silence_libraries():
            command, arguments = parse(words)
            command(*arguments.args, **arguments.kwargs)
            sys.stdout.flush()
    except ScoutError as error:
        print(f"scout: {error}", file=sys.stderr)
        return USER_MISTAKE
    except SystemExit as leave:
        return int(leave.code or 0)
    except BrokenPipeError:
        # Whoever read our output has read enough; Python would complain when it flushes at exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as stop:
        print(str(stop) or "Stopped.", file=sys.stderr)
        return getattr(stop, "exit_code", 130)
    return 0 if words else USER_MISTAKE
