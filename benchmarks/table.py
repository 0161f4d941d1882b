"""The README's tables, made from the files in `benchmarks/results`.

    python -m benchmarks.table            writes them between the markers in README.md
    python -m benchmarks.table --check    fails if README.md has other figures

Figures whose code has changed since they were measured are marked. Every commit may make some of them stale, so the
check does not ask for the marks of today: a mark that is missing is told and fails nothing. A mark that is no longer
true, which only a new measurement can bring about, does.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks.measured import HEAD, groups, marked
from benchmarks.record import RESULTS
from benchmarks.rows import kind, rows
from benchmarks.stale import State

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
"""What stands around the tables; all between is replaced."""
_NONE = "No results yet: `python -m benchmarks.speed` and `python -m benchmarks.learning` make them."
_NOTES = {
    State.STALE.value: f"{State.STALE.value} When this table was written, code that these figures depend on had "
    "changed since they were measured; `python -m benchmarks.table --check` says how it is now.",
    State.UNKNOWN.value: f"{State.UNKNOWN.value} Whether code that these figures depend on has changed cannot be told: "
    "they were measured with code that is no commit of this repository.",
}
"""What the marks mean; each is a paragraph that begins with its mark."""


def main() -> int:
    """Write the tables, or check them; the exit code."""
    text = README.read_text(encoding="utf-8")
    results = read(RESULTS)
    made = with_tables(text, tables(results))
    if "--check" not in sys.argv[1:]:
        README.write_text(made, encoding="utf-8")
        return 0
    for group in groups(results):
        if group.state is State.STALE:
            print(group.notice)
    wrong, missing = differences(text, made)
    for line in missing:
        print(f"not marked in README.md yet (python -m benchmarks.table marks it): {line}")
    for line in wrong:
        print(
            f"README.md is not as benchmarks/results have it: run python -m benchmarks.table: {line}", file=sys.stderr
        )
    if not wrong:
        print("README.md has the figures of benchmarks/results.")
    return 1 if wrong else 0


def differences(text: str, made: str) -> tuple[list[str], list[str]]:
    """What is wrong in `text`, which ought to be `made`, and what lacks a mark, as the beginnings of lines."""
    here, there = ([line for line in one.splitlines() if line.strip() and not _is_note(line)] for one in (text, made))
    if [_unmarked(line) for line in here] != [_unmarked(line) for line in there]:
        return [next((line[:80] for line in there if _unmarked(line) not in map(_unmarked, here)), "lines differ")], []
    pairs = [(mine[:80], _marks(mine), _marks(true)) for mine, true in zip(here, there, strict=True)]
    wrong = [line for line, mine, true in pairs if State.STALE.value in mine and not true]
    return wrong, [line for line, mine, true in pairs if true and not mine]


def _is_note(line: str) -> bool:
    return line.startswith(tuple(_NOTES))


def _unmarked(line: str) -> str:
    return re.sub(f" [{''.join(_NOTES)}]", "", line)


def _marks(line: str) -> list[str]:
    return re.findall(f"[{''.join(_NOTES)}]", line)


def read(directory: Path) -> list[dict[str, Any]]:
    """All results, by name of their files."""
    files = sorted(directory.rglob("*.json"), key=lambda path: (path.parent, path.name))
    return [
        {"file": path.relative_to(directory).as_posix()} | json.loads(path.read_text(encoding="utf-8"))
        for path in files
    ]


def with_tables(text: str, made: str) -> str:
    """`text` with `made` between the markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md has no {BEGIN} … {END}.")
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def tables(results: list[dict[str, Any]]) -> str:
    """One table for learning, one for speed and one for long episodes, and what all was measured with."""
    learning = [_learning(one) for one in results if kind(one) == "learning"]
    speed = [line for one in results if kind(one) == "speed" for line in _speed(one)]
    parts = []
    if learning:
        parts.append(_table(_LEARNING, learning))
    if speed:
        parts.append(_table(_SPEED, speed))
    parts.extend(_beside(one) for one in results if kind(one) == "speed")
    parts.extend(_table(_HORIZON, _horizon(one)) for one in results if kind(one) == "horizon")
    if results:
        parts.append("What was measured with what:")
        parts.append(_table(HEAD, [group.cells for group in groups(results)]))
    parts.extend(note for mark, note in _NOTES.items() if any(f" {mark}" in part for part in parts))
    return "\n\n".join(part for part in parts if part) or _NONE


def _mark(result: dict[str, Any], name: str = "") -> str:
    """The mark of the rows of a file, or of the one row of that name."""
    return marked(State.of(row.state for row in rows(result) if name in ("", row.name)))


_LEARNING = ["family", "preset", "target return", "seeds there", "seconds: median (worst)", "env steps: median (worst)"]
_SPEED = ["DREAM on", "cores", "env steps/s", "updates/s", "compile s: first time", "again"]


_HORIZON = ["RL², steps of an episode", "env steps a CPU second: linear memory", "GRU", "ratio"]


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows])


def _learning(result: dict[str, Any]) -> list[str]:
    found = result["summary"]
    target = ", ".join(f"{value:.2f} ({split})" for split, value in result["target"].items())
    return [
        f"`{result['family']}`{_mark(result)}",
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
            f"`{result['family']}`{_mark(result, name)}",
            str(found["cores"]),
            f"{found['steps_per_second']:,.0f}",
            f"{found['updates_per_second']:,.0f}",
            f"{found['compile_seconds']['cold']:.1f}",
            f"{found['compile_seconds']['warm']:.1f}",
        ]
        for name, found in ((name, result[name]) for name in ("one_core", "all_cores"))
    ]


def _horizon(result: dict[str, Any]) -> list[list[str]]:
    return [
        [
            f"{int(steps):,}{_mark(result)}",
            *(f"{found[cell]['steps_per_cpu_second']:,.0f}" for cell in ("linear", "gru")),
            f"{found['ratio']:.2f}",
        ]
        for steps, found in result["horizons"].items()
    ]


def _beside(result: dict[str, Any]) -> str:
    found = result["seeds"]
    seeds = f"{found['seeds']} seeds of `{result['family']}`{_mark(result, 'seeds')}"
    return f"{seeds} on {found['cores']} cores take {found['ratio']:.2f} times as long as one seed on one core."


if __name__ == "__main__":
    sys.exit(main())
