"""What the settings of algorithms and learners keep to."""

import dataclasses

import pytest
from contract.cases import SMALL, learners_of

from scoutrl.algorithms.gradient import GradientAlgorithm
from scoutrl.algorithms.off_policy import REPLAYED
from scoutrl.algorithms.registry import algorithms, find
from scoutrl.algorithms.settings import LEARNER, settings_of
from scoutrl.errors import ScoutError
from scoutrl.rl.registry import find_learner, learners
from scoutrl.runs.config import resolve

PAIRS = [(name, learner) for name in algorithms() for learner in learners_of(name)]
CHOSEN = [(name, learner) for name, learner in PAIRS if learner is not None]


def fields(made: type, **metadata) -> set[str]:
    """Names of the settings of a class, those with such metadata only."""
    found = [field for field in dataclasses.fields(made) if field.init]
    return {field.name for field in found if metadata.items() <= field.metadata.items()}


@pytest.mark.parametrize(("name", "learner"), PAIRS)
def test_every_setting_has_a_meaning_and_a_default(name, learner):
    for setting in settings_of(find(name), learner).values():
        assert setting.meaning, setting.name
        assert setting.default != "(no default)", setting.name


@pytest.mark.parametrize(("name", "learner"), CHOSEN)
def test_no_name_is_of_two_settings(name, learner):
    assert fields(find(name)) & fields(find_learner(learner)) == set()
    assert len(settings_of(find(name), learner)) == len(set(settings_of(find(name), learner)))


@pytest.mark.parametrize(("name", "learner"), CHOSEN)
def test_settings_of_another_learner_are_refused_with_the_reason(name, learner):
    known = settings_of(find(name), learner)
    for other in {*learners()} - {learner}:
        for setting in fields(find_learner(other)) - {*known}:
            refused(name, learner, setting, f"{setting} is a setting of learner={other}, and the learner is {learner}")


@pytest.mark.parametrize(("name", "learner"), CHOSEN)
def test_settings_of_replay_are_refused_where_there_is_none(name, learner):
    made, known = find(name), settings_of(find(name), learner)
    replayed = fields(made, **REPLAYED)
    if not find_learner(learner).on_policy:
        assert replayed <= {*known}
        return
    if issubclass(made, GradientAlgorithm):
        assert replayed >= {"capacity", "success_share", "priority_share"}
    for setting in replayed:
        refused(name, learner, setting, f"{setting} is for learning from replayed trials, and learner={learner} learns")


def refused(name: str, learner: str, setting: str, reason: str) -> None:
    everything = {
        field.name: field.default
        for made in (find(name), *map(find_learner, learners()))
        for field in dataclasses.fields(made)
    }
    with pytest.raises(ScoutError) as refusal:
        resolve(name, "lever", sets={LEARNER: learner, setting: everything[setting]})
    assert str(refusal.value).startswith(reason)
    assert str(refusal.value).endswith("so that it would do nothing: leave it out")


def test_the_small_sizes_of_these_tests_are_of_settings_that_there_are():
    assert {*SMALL} <= {setting for name, learner in PAIRS for setting in settings_of(find(name), learner)}
