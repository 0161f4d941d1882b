"""The README's tables, made from the files in `benchmarks/results`.

python -m benchmarks.table            writes them between the markers in README.md
python -m benchmarks.table --check    fails if README.md has others
"""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
"""What stands around the tables; all between is replaced."""
_NONE = "No results yet: `python -m benchmarks.speed` and `python -m benchmarks.learning` make them."


def main() -> int:
    """Write the tables, or check them; the exit code."""
    text = README.read_text(encoding="utf-8")
    made = with_tables(text, tables(read(RESULTS)))
    if "--check" not in sys.argv[1:]:
        README.write_text(made, encoding="utf-8")
        return 0
    if made != text:
        print("README.md is not as benchmarks/results have it: run python -m benchmarks.table", file=sys.stderr)
        return 1
    print("README.md has the figures of benchmarks/results.")
    return 0


def read(directory: Path) -> list[dict[str, Any]]:
    """All results, by name of their files."""
    return [
        {"file": path.name} | json.loads(path.read_text(encoding="utf-8")) for path in sorted(directory.glob("*.json"))
    ]


def with_tables(text: str, made: str) -> str:
    """`text` with `made` between the markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md has no {BEGIN} … {END}.")
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def tables(results: list[dict[str, Any]]) -> str:
    """One table for learning and one for speed."""
    learning = [_learning(one) for one in results if one["benchmark"] == "learning"]
    speed = [line for one in results if one["benchmark"] == "speed" for line in _speed(one)]
    parts = []
    if learning:
        parts.append(_table(_LEARNING, learning))
    if speed:
        parts.append(_table(_SPEED, speed))
    parts.extend(_beside(one) for one in results if one["benchmark"] == "speed")
    parts.append(_measured_on(results))
    return "\n\n".join(part for part in parts if part) or _NONE


_LEARNING = ["family", "preset", "target return", "seeds there", "seconds: median (worst)", "env steps: median (worst)"]
_SPEED = ["DREAM on", "cores", "env steps/s", "updates/s", "compile s: first time", "again"]


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows])


def _learning(result: dict[str, Any]) -> list[str]:
    found = result["summary"]
    target = ", ".join(f"{value:.2f} ({split})" for split, value in result["target"].items())
    return [
        f"`{result['family']}`",
        f"`{result['preset']}`",
        target,
        f"{found['reached']} of {found['of']}",
        _pair(found["median_seconds"], found["worst_seconds"], ".0f"),
        _pair(found["median_env_steps"], found["worst_env_steps"], ",.0f"),
    ]


def _pair(median: float | None, worst: float | None, form: str) -> str:
    return "–" if median is None or worst is None else f"{median:{form}} ({worst:{form}})"


def _speed(result: dict[str, Any]) -> list[list[str]]:
    return [
        [
            f"`{result['family']}`",
            str(found["cores"]),
            f"{found['steps_per_second']:,.0f}",
            f"{found['updates_per_second']:,.0f}",
            f"{found['compile_seconds']['cold']:.1f}",
            f"{found['compile_seconds']['warm']:.1f}",
        ]
        for found in (result["one_core"], result["all_cores"])
    ]


def _beside(result: dict[str, Any]) -> str:
    found = result["seeds"]
    times = f"{found['ratio']:.2f} times as long as one seed on one core"
    return f"{found['seeds']} seeds of `{result['family']}` on {found['cores']} cores take {times}."


def _measured_on(results: list[dict[str, Any]]) -> str:
    """The machines, versions and dates behind the tables, each combination once."""
    said = {}
    for one in results:
        versions = ", ".join(f"{name} {version}" for name, version in one["versions"].items())
        machine = f"{one['processor']}, {one['cores']} cores; {versions}; {one['date']}"
        said.setdefault(machine, []).append(f"[{one['file']}](benchmarks/results/{one['file']})")
    return "\n".join(f"Measured on {machine}: {', '.join(files)}.\n" for machine, files in said.items()).rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
