"""A run's configuration: resolved, written, read, made into objects."""

import json

import equinox as eqx
import pytest
from probes.rooms import Rooms
from probes.scripted import Script

from scoutrl.envs.registry import families
from scoutrl.errors import ScoutError
from scoutrl.runs import families as families_of_runs
from scoutrl.runs import presets
from scoutrl.runs.config import RunConfig, make_algorithm, make_env, resolve

SCRIPT, ROOMS = "probes.scripted:Script", "probes.rooms:Rooms"


def test_class_defaults_then_preset_then_sets(monkeypatch):
    tuned = presets.Preset(
        steps=77, settings={"trials_per_iteration": 9, "rate": 0.25, "iterations": 3, "env.shades": 5}
    )
    monkeypatch.setitem(presets.PRESETS, (SCRIPT, ROOMS), {"quick": tuned})
    config = resolve(SCRIPT, ROOMS, "quick", sets=["rate=0.125", "sizes=4,5"])
    assert (config.steps, config.iterations, config.preset) == (77, 3, "quick")
    assert config.family_options == {"shades": 5}
    assert config.settings["trials_per_iteration"] == 9
    assert config.settings["rate"] == 0.125
    assert config.settings["updates_per_iteration"] == 1
    assert resolve(SCRIPT, ROOMS, "quick", steps=5).steps == 5
    assert resolve(SCRIPT, ROOMS).settings["trials_per_iteration"] == 4
    with pytest.raises(ScoutError, match=r"no preset 'fast'.*there are: default, quick"):
        resolve(SCRIPT, ROOMS, "fast")


@pytest.mark.slow
def test_every_preset_can_be_resolved():
    for (algorithm, family), named in presets.PRESETS.items():
        for name in named if family in families() else ():  # an extra may be missing
            assert resolve(algorithm, family, name).steps == named[name].steps


def test_json_holds_everything():
    config = resolve(SCRIPT, ROOMS, seed=3, sets={"note": "n", "sizes": (1,), "env.shades": 4})
    again = RunConfig.from_json(config.to_json())
    assert again == config
    assert make_algorithm(again) == Script(note="n", sizes=(1,))
    assert eqx.tree_equal(make_env(again), Rooms(4))


def test_json_of_something_else_is_refused():
    for text in ("{", "[1]", '{"x": 1}'):
        with pytest.raises(ScoutError, match=r"config\.json cannot be read"):
            RunConfig.from_json(text)


def test_identity_leaves_out_how_long_to_train_and_what_is_default_anyway():
    short, long = resolve(SCRIPT, ROOMS, steps=10), resolve(SCRIPT, ROOMS, "default", 20, sets=["env.shades=2"])
    assert short.identity() == long.identity()
    assert short.identity() != resolve(SCRIPT, ROOMS, seed=1).identity()
    assert short.identity() != resolve(SCRIPT, ROOMS, sets=["rate=0.4"]).identity()
    json.dumps(short.identity())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sets": ["rat=1"]}, "no setting 'rat' of probes.scripted:Script; did you mean 'rate'"),
        ({"sets": ["iteration=1"]}, "did you mean 'iterations'"),
        ({"sets": ["env.shade=1"]}, r"no setting 'env\.shade' of probes.rooms:Rooms; did you mean 'env\.shades'"),
        ({"sets": ["env.shades=x"]}, r"env\.shades takes a whole number, for example --set env\.shades=16"),
        ({"sets": ["iterations=0"]}, "iterations must be 1 or more"),
        ({"sets": ["rate=-1"]}, "rate must be above 0"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"steps": 0}, "steps must be 1 or more"),
        ({"algorithm": "deam"}, "no algorithm 'deam'; did you mean 'dream'"),
        ({"algorithm": "probes.scripted:Scrip"}, "no class 'Scrip' of probes.scripted; did you mean 'Script'"),
        ({"algorithm": ROOMS}, "is no algorithm"),
        ({"algorithm": "nowhere.at_all:X"}, "there is no module 'nowhere'"),
        ({"family": "distracting-buss"}, "did you mean 'distracting-bus'"),
        ({"family": Rooms(), "sets": ["env.shades=2"]}, "given as an object"),
        ({"family": 3}, "MetaEnv"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(ScoutError, match=message) as raised:
        resolve(**{"algorithm": SCRIPT, "family": ROOMS} | arguments)
    assert "\n" not in str(raised.value)


def test_an_object_is_found_again_by_its_class_and_options():
    config = resolve(SCRIPT, Rooms(3))
    assert (config.family, config.family_options, config.by_hand) == (ROOMS, {"shades": 3}, False)
    assert eqx.tree_equal(make_env(config), Rooms(3))


def test_an_object_that_its_attributes_do_not_rebuild_is_asked_for():
    config = resolve(SCRIPT, Rooms(train=[1, 2]))
    assert config.by_hand
    with pytest.raises(ScoutError, match="pass the object itself as env="):
        make_env(config)


def test_families_of_scouts_own_are_not_played_before_each_training(monkeypatch):
    played = []
    monkeypatch.setattr(families_of_runs, "check_own", lambda env: played.append(env.title))
    for name in ("lever", ROOMS):
        families_of_runs.build_checked(name, {})
    assert played == ["Rooms"]
