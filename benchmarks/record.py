"""Where results are kept, and what every row of them tells besides its figures: with what it was measured."""

import dataclasses
import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoutrl.runs.provenance import Provenance, read_provenance

RESULTS = Path(__file__).parent / "results"
"""Where results are kept, one JSON file each."""


def provenance(module: str, run: Path | None = None) -> dict[str, Any]:
    """With what the benchmark `module`, which runs now, measures a row.

    Args:
        module: its name within `benchmarks`.
        run: run directory of a training that was measured, in a process of its own: what that was made of counts.
    """
    now = Provenance.now()
    noted = next(iter(read_provenance(run).values()), now) if run is not None else now
    command = shlex.join(["python", "-m", f"benchmarks.{module}", *sys.argv[1:]])
    measured = dataclasses.replace(noted, command=command, cores=now.cores, date=now.date)
    return dataclasses.asdict(measured)


def earlier(name: str, setup: Mapping[str, Any]) -> dict[str, Any]:
    """The content of `results/NAME.json`, to which rows of the same measurement are to be added; empty without one.

    Args:
        name: of the result.
        setup: what is the same for all rows. What the file does not say, as it is older, was None or empty.

    Raises:
        SystemExit: the file holds another measurement.
    """
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return {}
    there = json.loads(path.read_text(encoding="utf-8"))
    other = [key for key, value in setup.items() if _rounded(there.get(key) or None) != _rounded(value or None)]
    if other:
        said = ", ".join(f"{key} is {there.get(key)} there and {setup[key]} here" for key in other)
        raise SystemExit(f"{path} holds another measurement: {said}; its rows are kept: give this one another name.")
    if isinstance(seeds := there.get("seeds"), list):
        there["seeds"] = [{**seed, "provenance": provenance_of(there, seed)} for seed in seeds]
    return there


def provenance_of(result: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says it was measured with; in an older file, what the file says of all of them.

    Raises:
        SystemExit: neither says it.
    """
    if "provenance" in row:
        return row["provenance"]
    if "processor" not in result:
        raise SystemExit(f"a row of {result.get('file', 'the result')} does not say with what it was measured.")
    names = [field.name for field in dataclasses.fields(Provenance)]
    return {name: result.get(name) for name in names}


def keep(name: str, result: Mapping[str, Any], smoke: bool) -> None:
    """Write a result to `results/NAME.json`; that of a smoke run is no result, and only printed."""
    text = json.dumps(result, indent=2, allow_nan=False) + "\n"
    if smoke:
        print(text, end="")
        return
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(text, encoding="utf-8")
    print(f"Written: {path}  (the README's tables: python -m benchmarks.table)")


def print_status(message: str) -> None:
    """One line on stderr."""
    print(message, file=sys.stderr, flush=True)


def _rounded(value: Any) -> Any:
    """As JSON, without the last digits, in which processors differ."""
    return json.loads(json.dumps(value), parse_float=lambda digits: round(float(digits), 6))
