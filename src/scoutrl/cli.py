"""The command `scout`."""

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from scoutrl._platform import pin_threads
from scoutrl.arguments import parse
from scoutrl.commands import Algorithms, Bounds, Command, Compare, Coupling, Evaluate, Families, Train
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
            if list(words) in (["--version"], ["version"]):
                _say_version()
            else:
                _run(parse(words))
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
    return 0


def _run(command: Command) -> None:
    match command:
        case Train():
            _train(command)
        case Evaluate():
            _evaluate(command)
        case Compare():
            _compare(command)
        case Coupling():
            _coupling(command)
        case Bounds():
            _bounds(command)
        case Families():
            _families()
        case Algorithms():
            _algorithms(command)


def _train(command: Train) -> None:
    from scoutrl.api import train

    run = train(
        command.algorithm,
        command.family,
        command.steps,
        command.seed,
        command.out,
        preset=command.preset,
        seeds=command.seeds,
        settings=command.sets,
        seeds_mode=command.seeds_mode,
    )
    print(f"Trained: {run.path}  (measure it: scout evaluate {run.path})")


def _evaluate(command: Evaluate) -> None:
    from scoutrl.api import evaluate, film

    split, seed, env = command.split, command.seed, command.env
    result = evaluate(command.run_dir, command.trials, split, seed, env)
    films = [] if command.video is None else film(command.run_dir, command.video, split, seed, env)
    if command.json:
        print(f"{result.algorithm} on {result.family}: {result.protocol}", file=sys.stderr)
        _print_json(result.to_dict())
    else:
        print(result)
    if films:
        print(f"Films: {', '.join(map(str, films))}", file=sys.stderr)


def _compare(command: Compare) -> None:
    from scoutrl.api import compare
    from scoutrl.report.table import show

    found = compare(
        command.family,
        command.algorithms,
        command.seeds,
        command.out,
        steps=command.steps,
        minutes=command.minutes,
        trials=command.trials,
        settings=command.sets,
    )
    show(found)
    if command.json:
        _print_json(found.to_dict())
    else:
        print(f"Compared: {found.path / 'results.json'}, with plots beside it.")
    if all(one.final is None for one in found.algorithms):
        raise ScoutError(f"all seeds failed, so there is nothing to compare; the first: {found.failures[0]}")


def _coupling(command: Coupling) -> None:
    from scoutrl.api import coupling
    from scoutrl.report.table import show_coupling

    found = coupling(command.out, command.algorithms, command.sizes, command.seeds, steps=command.steps)
    show_coupling(found)
    if command.json:
        _print_json(found.to_dict())
    else:
        print(f"Measured: {found.path / 'results.json'}, with a plot beside it.")


def _bounds(command: Bounds) -> None:
    from scoutrl.api import bounds
    from scoutrl.runs.families import build, checked_options
    from scoutrl.runs.settings import assignments

    chosen = assignments(command.sets)
    strangers = [name for name in chosen if not name.startswith("env.")]
    if strangers:
        raise ScoutError(f"bounds have options of the family only, written env.NAME=VALUE; {strangers[0]!r} is none.")
    options = {name.removeprefix("env."): value for name, value in chosen.items()}
    found = bounds(build(command.family, checked_options(command.family, options)))
    if command.json:
        _print_json({"family": command.family, **found})
        return
    width = max(len(name) for name in found)
    print(f"{command.family}: mean return of an exploitation episode, by split\n{'':{width}}      train    test")
    for name, value in found.items():
        print(f"{name.replace('_', ' '):{width}}  {value['train']:9.3f} {value['test']:7.3f}")


def _families() -> None:
    from scoutrl.envs.registry import families

    _print_table({name: entry.summary for name, entry in families().items()})


def _algorithms(command: Algorithms) -> None:
    from scoutrl.algorithms import registry

    if command.algorithm is None:
        _print_table({name: entry.summary for name, entry in registry.algorithms().items()})
        return
    from scoutrl.algorithms.describe import settings_of

    for setting in settings_of(registry.find(command.algorithm)):
        print(f"{setting.name} = {setting.default}\n    {setting.meaning}")


def _say_version() -> None:
    import scoutrl

    print(f"scout {scoutrl.__version__}")


def _print_json(content: dict[str, Any]) -> None:
    print(json.dumps(content, allow_nan=False))


def _print_table(rows: dict[str, str]) -> None:
    width = max(len(name) for name in rows)
    for name, summary in rows.items():
        print(f"{name:{width}}  {summary}")
