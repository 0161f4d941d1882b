"""The rows of results files: what each was measured with, and the code that it depends on."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.record import provenance_of
from benchmarks.stale import ROOT, State, state
from scoutrl.algorithms.registry import algorithms
from scoutrl.envs.registry import families
from scoutrl.runs.provenance import Provenance

_SRC = "src/scoutrl"
TRAINING = (
    *(f"{_SRC}/{package}" for package in ("nn", "rl", "trials", "training")),
    f":(glob){_SRC}/algorithms/*.py",
    f"{_SRC}/runs/presets",
    f"{_SRC}/prng.py",
    f"{_SRC}/lowering.py",
    *(f"{_SRC}/envs/{module}.py" for module in ("base", "problems", "spaces")),
)
"""What every training depends on: pathspecs of git."""
WATCHING = ("benchmarks/race.py", "benchmarks/watch.py")
EVALUATION = (f"{_SRC}/evaluation",)
COUPLING = (f"{_SRC}/experiments/coupling.py", f"{_SRC}/experiments/coupling_plan.py", f"{_SRC}/results/growth.py")
RENDERING = (f"{_SRC}/envs/sign", f"{_SRC}/trials/replay.py", "benchmarks/render.py")
RANDOMNESS = (f"{_SRC}/prng.py", "benchmarks/randomness.py", "benchmarks/statistics_of_bits.py")
KILLING = (f"{_SRC}/runs", f"{_SRC}/training", "benchmarks/kill.py")
_GRID = f"{_SRC}/envs/grid.py"
_BESIDE = {f"{_SRC}/envs/bus.py": (_GRID,), f"{_SRC}/envs/cooking.py": (_GRID,)}
_ON_HOST = {
    "sign-miniworld": (f"{_SRC}/simulators/sign.py", f"{_SRC}/pool"),
    "minigrid-doors": (f"{_SRC}/simulators/doors.py", f"{_SRC}/pool"),
    **dict.fromkeys(("cheetah-vel", "cheetah-dir", "ant-goal"), (f"{_SRC}/pool",)),
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a results file, or the part of it that one command has made."""

    file: str
    """The file, relative to the folder of results."""
    of: str
    """What it is a row of within the file, such as an algorithm; may be empty."""
    name: str
    """Its name among those."""
    provenance: Provenance
    """With what it was measured."""
    paths: tuple[str, ...]
    """The code that it depends on, as pathspecs of git."""

    @property
    def state(self) -> State:
        """Whether that code is still the same."""
        return state(self.provenance.commit, self.paths)


def rows(result: Mapping[str, Any]) -> list[Row]:
    """All rows of a results file, whose name is in `file`."""
    made = _KINDS[kind(result)](result)
    return [Row(result["file"], of, name, Provenance(**said), paths) for of, name, said, paths in made]


def kind(result: Mapping[str, Any]) -> str:
    """What a results file holds: a benchmark by its name, or what `scout compare` or `scout coupling` wrote."""
    return result.get("benchmark") or ("compare" if "budget" in result else "coupling")


def code(algorithm: str, family: str) -> tuple[str, ...]:
    """What the training of an algorithm on a family depends on."""
    # The family that needs the real simulator is listed only where that is installed.
    known = [algorithms().get(algorithm), families().get(family.removesuffix("-miniworld"))]
    own = [_home(plugin.path) for plugin in known if plugin is not None]
    return (*TRAINING, *own, *(path for place in own for path in _BESIDE.get(place, ())), *_ON_HOST.get(family, ()))


def _home(path: str) -> str:
    """The module of a built-in class, or the folder of its modules."""
    package, *parts = path.partition(":")[0].split(".")
    place = "/".join(["src", package, *parts[:2]])
    return place if len(parts) > 2 or (ROOT / place).is_dir() else f"{place}.py"


Found = Iterator[tuple[str, str, dict[str, Any], tuple[str, ...]]]
"""Of each row: what it is of, its name, its provenance, and the code that it depends on."""


def _learning(result: Mapping[str, Any]) -> Found:
    paths = (*code("dream", result["family"]), *EVALUATION, *WATCHING)
    for seed in result["seeds"]:
        yield "", f"seed {seed['seed']}", provenance_of(result, seed), paths


def _speed(result: Mapping[str, Any]) -> Found:
    for name in ("one_core", "all_cores", "seeds"):
        paths = (*code("dream", result["family"]), "benchmarks/watch.py", "benchmarks/speed.py")
        yield "", name, provenance_of(result, result[name]), paths


def _horizon(result: Mapping[str, Any]) -> Found:
    paths = (*code(result["algorithm"], ""), "benchmarks/horizon.py")
    for horizon, cells in result["horizons"].items():
        for cell in ("linear", "gru"):
            yield f"{horizon} steps", cell, provenance_of(result, cells[cell]), paths


def _shards(result: Mapping[str, Any]) -> Found:
    paths = (*code(result["algorithm"], result["family"]), "benchmarks/watch.py", "benchmarks/shards.py")
    for size, ways in result["batch_sizes"].items():
        for way in ("one_core", "two_cores", "two_processes"):
            yield f"batches of {size}", way, provenance_of(result, ways[way]), paths


def _render(result: Mapping[str, Any]) -> Found:
    for name in result["frames_per_second"]:
        said = result.get("provenance", {}).get(name)
        yield "", name, said or provenance_of(result, {}), RENDERING


def _kill(result: Mapping[str, Any]) -> Found:
    yield "", "all", provenance_of(result, result), KILLING


def _randomness(result: Mapping[str, Any]) -> Found:
    yield "", "all", provenance_of(result, result), RANDOMNESS


def _commits(result: Mapping[str, Any]) -> Found:
    yield "", "all", provenance_of(result, result), ("benchmarks/compare_commits.py", "benchmarks/watch.py")


def _transfer(result: Mapping[str, Any]) -> Found:
    for number, one in enumerate(result["evaluations"]):
        yield "", f"evaluation {number}", provenance_of(result, one), (*code("dream", one["family"]), *EVALUATION)


def _compare(result: Mapping[str, Any]) -> Found:
    for one in result["algorithms"]:
        paths = (*code(one["algorithm"], result["family"]), *EVALUATION)
        for seed in one["seeds"]:
            for said in seed.get("provenance", {}).values() or [provenance_of(result, {})]:
                yield one["label"], f"seed {seed['seed']}", said, paths


def _doors(result: Mapping[str, Any]) -> Found:
    for one in result["algorithms"]:
        paths = (*code(one["algorithm"], ""), *EVALUATION, "benchmarks/doors.py", "benchmarks/known.py")
        for seed in one["seeds"]:
            yield one["algorithm"], f"seed {seed['seed']}", seed["provenance"], paths


def _posterior_sampling(result: Mapping[str, Any]) -> Found:
    paths = (*code(result["algorithm"], ""), *EVALUATION, "benchmarks/hidden.py", "benchmarks/known.py")
    for one in result["families"]:
        for seed in one["seeds"]:
            yield one["family"], f"seed {seed['seed']}", seed["provenance"], paths


def _coupling(result: Mapping[str, Any]) -> Found:
    for one in result["algorithms"]:
        paths = (*code(one["label"].partition(",")[0], "lever"), *EVALUATION, *COUPLING)
        for point in one["explores"]["points"]:
            for seed in [*point["env_steps"], *point["failed"]]:
                history = one.get("provenance", {}).get(str(point["size"]), {}).get(seed, {})
                for said in history.values() or [provenance_of(result, {})]:
                    yield one["label"], f"{point['size']} levers seed {seed}", said, paths


_KINDS = {
    "learning": _learning,
    "speed": _speed,
    "horizon": _horizon,
    "shards": _shards,
    "render": _render,
    "kill": _kill,
    "randomness": _randomness,
    "compare_commits": _commits,
    "doors": _doors,
    "posterior_sampling": _posterior_sampling,
    "transfer": _transfer,
    "compare": _compare,
    "coupling": _coupling,
}
