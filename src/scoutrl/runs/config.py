"""What a run is: algorithm, family, seed and every setting, resolved before anything is computed."""

import dataclasses
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from scoutrl.algorithms import registry as algorithm_registry
from scoutrl.algorithms.base import Algorithm
from scoutrl.algorithms.settings import LEARNER, check_used, settings_of, unused, values_of
from scoutrl.algorithms.settings import build as build_algorithm
from scoutrl.envs import Spec
from scoutrl.envs.host import HostFamily
from scoutrl.errors import ScoutError
from scoutrl.plugins import announce
from scoutrl.runs.families import build, checked_options, name_of, on_host, options_of_object, rebuilds
from scoutrl.runs.presets import preset as find_preset
from scoutrl.runs.run_dir import COMPARISON, COUPLING, FORMAT, GROUP, check_format, kind_of
from scoutrl.runs.settings import assignments, counted, fit, fit_all, without_lists
from scoutrl.runs.trackers import TRACKS, Track
from scoutrl.runs.until import Until, read_until

LARGEST_SEED = 2**31 - 1
"""The largest seed."""
MOST_TRIALS = 10_000_000
"""The most trials of one evaluation, whose interval is then less than a thousandth of the spread of the returns."""
MOST_SEEDS = 10_000
"""The most seeds in one command."""


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """One run of one seed. All values are such as JSON can hold."""

    algorithm: str
    """Name in the registry, or `package.module:ClassName`."""
    family: str
    """Name in the registry, or `package.module:ClassName`."""
    family_options: dict[str, Any]
    """Arguments of the family's constructor that differ from its defaults."""
    preset: str
    """Name of the preset the settings began from."""
    seed: int
    """Seed of all randomness, 0 … 2³¹ - 1."""
    steps: int
    """Environment steps to train for. Not part of a run's identity: more steps continue it."""
    settings: dict[str, Any]
    """Every hyper-parameter of the algorithm."""
    iterations: int = 100
    """Iterations (collect, then learn) in one chunk: metrics and progress come once a chunk."""
    evaluation_trials: int = 256
    """Trials on validation problems behind each figure of the progress bar."""
    policy_lag: int = 0
    """Iterations by which the networks that play are behind those that are learnt: with 1 both are done at once."""
    by_hand: bool = False
    """The family was handed over as an object which its class and options do not rebuild."""
    seconds: float | None = None
    """Seconds of training to go on for in place of `steps`; compilation does not count. Not part of the identity."""
    evaluations: int = 40
    """Evaluations on validation problems in a run, evenly spread over it. Not part of the identity."""
    until: float | None = None
    """Return on validation problems with which training stops once it is held; None: none. Not part of the identity."""
    track: Track = "tensorboard"
    """Who is told the metrics beside the file that keeps them. Not part of the identity."""
    format: int = FORMAT
    """Format of the run directory. Not part of the identity."""

    def identity(self) -> dict[str, Any]:
        """All that must be equal for two commands to mean the same run."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in BESIDES}

    def share(self, env_steps: float, seconds: float) -> float:
        """How much of the run is done after so many environment steps and seconds of training; 1 is all of it."""
        return env_steps / self.steps if self.seconds is None else seconds / self.seconds

    def to_json(self) -> str:
        """The config as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2, allow_nan=False) + "\n"

    @staticmethod
    def from_json(text: str) -> "RunConfig":
        """Read what `to_json` wrote.

        Raises:
            ScoutError: the text is not a config of this version of Scout; says which version to use instead.
        """
        try:
            content = json.loads(text, parse_constant=_refuse_constant)
            if not isinstance(content, dict):
                raise TypeError("it is no object")
            if "algorithm" in content:
                check_format(content, "config.json")
            if (kind := kind_of(content)) in (GROUP, COMPARISON, COUPLING):
                raise ScoutError(f"config.json is that of {kind}; name the directory of a run within it.")
            return checked(RunConfig(**content))
        except (TypeError, ValueError, RecursionError) as error:
            raise ScoutError(f"config.json cannot be read ({error}); was it written by this version?") from error


BESIDES = ("steps", "seconds", "evaluations", "until", "track", "format")
"""Fields that do not say what a run is, but how long it is, how often it is looked at, and how it is kept."""
_CHUNK = 5_000
"""Steps of environments on the host in one chunk, about, unless `iterations` are set."""
_RUN_SETTINGS: dict[str, tuple[int, int | None]] = {
    "iterations": (1, None),
    "evaluation_trials": (1, None),
    "evaluations": (1, None),
    "policy_lag": (0, 1),
}
"""Settings of the run and not of its algorithm, with the least and the most that each may be."""


def resolve(
    algorithm: str,
    family: str | Spec,
    preset: str | None = None,
    steps: int | None = None,
    seed: int = 0,
    sets: Iterable[str] | Mapping[str, Any] = (),
    until: Until | None = None,
) -> RunConfig:
    """Settle everything: defaults of the classes, then the preset, then `sets`.

    Args:
        algorithm: name or `package.module:ClassName`.
        family: name, `package.module:ClassName`, or an object of the user's own.
        preset: name of a preset for the two; None is "default".
        steps: environment steps, at least 1; None leaves it to the preset.
        seed: 0 … 2³¹ - 1.
        sets: `name=value` texts or a mapping; the names are those of `--set`.
        until: a return to stop at, as for `read_until`; None leaves it to the preset, or, with `steps`, is none.

    Raises:
        ScoutError: an unknown name, a share of an optimum that cannot be computed, or a value of the wrong type.
    """
    own = None if isinstance(family, str) else family
    name = family if isinstance(family, str) else name_of(family)
    asked = assignments(sets)
    for asked_for in (algorithm, name, asked.get(LEARNER)):
        if isinstance(asked_for, str):
            announce(asked_for)
    start = find_preset(algorithm, name, preset or "default")
    chosen = {**_counting(algorithm, start.settings, asked.get(LEARNER)), **asked}
    of_family = {key.removeprefix("env."): value for key, value in chosen.items() if key.startswith("env.")}
    of_run = {key: fit(key, chosen[key], int) for key in _RUN_SETTINGS if key in chosen}
    others = {k: v for k, v in chosen.items() if not k.startswith("env.") and k not in _RUN_SETTINGS}
    if own is not None and of_family:
        raise ScoutError("env.NAME cannot be set for a family given as an object: give its options when making it.")
    options = checked_options(name, of_family) if own is None else options_of_object(own)
    settings = _settings(algorithm, others)
    if "iterations" not in of_run and (hosted := on_host(name, options, own)):
        of_run["iterations"] = _iterations(hosted, settings)
    until = start.until if until is None and steps is None else until
    return RunConfig(
        algorithm=algorithm,
        family=name,
        family_options=options,
        preset=preset or "default",
        seed=counted("seed", seed, 0, LARGEST_SEED),
        steps=counted("steps", start.steps if steps is None else steps),
        settings=settings,
        by_hand=own is not None and not rebuilds(own, options),
        until=None if until is None else read_until(until, lambda: build(name, options) if own is None else own),
        track="tensorboard",
        **{key: counted(key, value, *_RUN_SETTINGS[key]) for key, value in of_run.items()},
    )


def _iterations(family: HostFamily, settings: Mapping[str, Any]) -> int:
    """Iterations of a chunk in which environments on the host take some thousands of steps: about every few seconds."""
    episodes = settings.get("exploration_episodes", 1) + settings.get("exploitation_episodes", 1)
    return max(1, round(_CHUNK / (settings.get("trials_per_iteration", 64) * episodes * family.horizon)))


def make_env(config: RunConfig) -> Spec:
    """The family of a run.

    Raises:
        ScoutError: it was handed over as an object that cannot be made again, or its code is gone.
    """
    if config.by_hand:
        raise ScoutError(
            f"the run's family {config.family} was given as an object that its class and options do not rebuild; "
            "pass the object itself as env=…"
        )
    return build(config.family, config.family_options)


def make_algorithm(config: RunConfig) -> Algorithm:
    """The algorithm of a run, with its settings.

    Raises:
        ScoutError: a setting the algorithm does not know, or a value it does not admit.
    """
    made = algorithm_registry.find(config.algorithm)
    return build_algorithm(made, without_lists(_fitted(made, config.settings, config.algorithm)))


def completed(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """The identity `there` with what it lacks of `here`, as another version wrote it, at its default."""
    fields = {field.name: field.default for field in dataclasses.fields(RunConfig)}
    added = {name: fields[name] for name in here.keys() & fields.keys() - there.keys() if name not in BESIDES}
    found = {**there, **{name: value for name, value in added.items() if value is not dataclasses.MISSING}}
    old, new = there.get("settings"), here.get("settings")
    if isinstance(old, dict) and isinstance(new, dict) and new.keys() - old.keys() and "algorithm" in here:
        found["settings"] = _settings(here["algorithm"], {k: new[k] for k in (LEARNER,) if k in new}) | old
        found["settings"] = {name: value for name, value in found["settings"].items() if name in new or name in old}
    return found


def checked(config: RunConfig) -> RunConfig:
    """`config`, if its values are of the types of its fields and within their limits.

    Raises:
        TypeError, ValueError: one is not.
    """
    for name, hint in typing.get_type_hints(RunConfig).items():
        value, kinds = getattr(config, name), typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        kinds = (str,) if hint is Track else kinds
        if not any(_is(value, typing.get_origin(kind) or kind) for kind in kinds):
            raise TypeError(f"{name} cannot be {json.dumps(value)[:40]}")
    limits = {"seed": (0, LARGEST_SEED), "steps": (1, None), **_RUN_SETTINGS}
    if not all(least <= getattr(config, n) <= (most or math.inf) for n, (least, most) in limits.items()):
        raise ValueError("a number is out of its range")
    if config.track not in TRACKS:
        raise ValueError(f"track is none of {', '.join(TRACKS)}")
    return config


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _counting(algorithm: str, preset: Mapping[str, Any], learner: str | None) -> dict[str, Any]:
    """The settings of a preset, without those that do nothing with the learner that was asked for in its place."""
    if learner is None:
        return dict(preset)
    made = algorithm_registry.find(algorithm)
    known = settings_of(made, learner)
    return {name: value for name, value in preset.items() if name in known or not unused(made, name, learner)}


def _settings(algorithm: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of an algorithm: the chosen ones, then the defaults; made once, so that its own checks run."""
    made = algorithm_registry.find(algorithm)
    complete = build_algorithm(made, without_lists(_fitted(made, chosen, algorithm)))
    values = values_of(complete, chosen.get(LEARNER))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _fitted(made: type[Algorithm], values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Values of the right types."""
    learner = values.get(LEARNER)
    check_used(made, values, name, learner, [*_RUN_SETTINGS, "env.NAME"])
    known = {setting.name: setting.annotation for setting in settings_of(made, learner).values()}
    return fit_all(values, known, name)
