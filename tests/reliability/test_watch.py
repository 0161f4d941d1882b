"""What a family does wrong after the check has looked is named with family, problem and step."""

import re

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from contract.families import KINDS, Probe
from probes.rooms import Rooms
from probes.scripted import Script

import scoutrl
from scoutrl.envs import Step
from scoutrl.envs.check import check
from scoutrl.errors import RunsFailedError, ScoutError
from scoutrl.trials.blank import stored_type
from scoutrl.trials.trial import Episodes, Trial
from scoutrl.trials.watch import earliest, watch

SCRIPT = "probes.scripted:Script"


class Turns(Rooms):
    """Rooms of six steps that turn bad in rare moments of an episode."""

    fault: str = eqx.field(static=True)

    def __init__(self, fault: str):
        super().__init__(shades=16)
        self.fault, self.horizon = fault, 6

    def step(self, state, action, key):
        after, answer = super().step(state, action, key)
        rare = (state.secret == 3) & (state.steps == 1) & (jax.random.uniform(key) < 0.2)
        reward = jnp.where(rare & (self.fault == "reward"), jnp.nan, answer.reward)
        seen = jnp.where(rare & (self.fault == "observation"), 5, answer.observation)
        return after, Step(seen, reward, answer.terminated, answer.truncated)


@pytest.mark.slow
def test_a_family_that_turns_bad_is_named_for_each_seed_and_the_learning_rate_is_not_blamed(tmp_path):
    check(Turns("reward"))
    given = {"seeds": 2, "seeds_mode": "vmap", "settings": {"iterations": 20}, "show": False}
    with pytest.raises(RunsFailedError) as failed:
        scoutrl.train(SCRIPT, Turns("reward"), 10**6, out=tmp_path, **given)
    assert len(failed.value.reasons) == 2
    for run, said in failed.value.reasons.items():
        assert re.match(r"Turns.step returned a reward that is not finite in problem \[3, \d+\], step 2 of an", said)
        assert "Mend the family" in said
        assert "learning rate" not in said
        saved = (run / "checkpoints").is_dir()
        assert ("the last good checkpoint is kept" in said) or not saved or "no checkpoint was made yet" in said


@pytest.mark.slow
def test_an_evaluation_says_what_the_family_did_wrong(scripted_run):
    with pytest.raises(ScoutError, match=r"cannot be evaluated: Turns.step returned a reward .* problem \[3, \d+\]"):
        scoutrl.evaluate(scripted_run, env=Turns("reward"))


def _trial(probe: Probe, **changes) -> Trial:
    """Two exploration episodes and one exploitation episode of three steps, the second of which is the last."""

    def zeros(space: gymnasium.Space, *lead: int):
        return jnp.zeros((*lead, *(space.shape or ())), stored_type(space))

    def episodes(count: int) -> Episodes:
        spaces, flags = probe.spaces, jnp.zeros((count, 3), bool)
        goals = None if spaces.goal is None else zeros(spaces.goal, count)
        mask = jnp.broadcast_to(jnp.array([True, True, False]), (count, 3))
        observations, actions = zeros(spaces.observation, count, 4), zeros(spaces.action, count, 3)
        return Episodes(observations, actions, jnp.zeros((count, 3)), flags, mask, goals)

    trial = Trial(jnp.asarray(probe.problems.ids[2]), episodes(2), episodes(1), jnp.bool_(False))
    for path, (where, value) in changes.items():
        phase, field = path.split("_")
        old = getattr(getattr(trial, phase), field)
        trial = eqx.tree_at(lambda t, p=phase, f=field: getattr(getattr(t, p), f), trial, old.at[where].set(value))
    return trial


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_trials_in_order_are_left_alone(kind):
    probe = Probe(kind)
    assert watch(probe, _trial(probe)).describe("Probe") == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("goals", {"exploration_rewards": ((1, 1), np.inf)}, "step returned a reward that is not finite .* step 2"),
        (
            "goals",
            {"exploitation_observations": ((0, 1), 3)},
            "step returned an observation outside .* step 1",
        ),
        (
            "components",
            {"exploration_observations": ((0, 0, 1), -1)},
            "reset returned .* outside its space .* step 0",
        ),
        ("vectors", {"exploration_observations": ((1, 2, 1), np.inf)}, "an observation that is not finite .* step 2"),
        ("vectors", {"exploration_observations": ((1, 2, 0), 4.1)}, "an observation outside its space .* step 2"),
        ("goals", {"exploitation_goals": ((0,), 2)}, "goal returned a goal outside its space .* step 0"),
        ("continuous", {"exploitation_goals": ((0, 0), np.nan)}, "goal returned a goal that is not finite"),
    ],
)
def test_each_kind_of_fault_is_told(kind, changes, said):
    probe = Probe(kind)
    found = watch(probe, _trial(probe, **changes))
    problem = str(probe.problems.ids[2].tolist())
    assert problem in found.describe("Probe")
    with pytest.raises(ScoutError, match=f"^Probe.*{said}"):
        raise ScoutError(found.describe("Probe"))


@pytest.mark.slow
def test_what_comes_after_the_end_does_not_count_and_the_first_fault_is_told():
    probe = Probe("vectors")
    late = _trial(probe, exploration_observations=((0, 3), np.nan))
    rounding = _trial(probe, exploration_observations=((0, 1, 0), 4.00001))
    wrong = _trial(probe, exploitation_rewards=((0, 0), np.nan), exploration_observations=((1, 1), np.nan))
    faults = [watch(probe, trial) for trial in (late, rounding, wrong, _trial(probe))]
    assert [int(fault.kind) for fault in faults] == [0, 0, 2, 0]
    assert int(earliest(jax.tree.map(lambda *x: jnp.stack(x), *faults)).kind) == 2


class Diverges(Script):
    """Its loss is not a number from the beginning."""

    def learn(self, spec, state, trials, key):
        return state, {"loss": jnp.float32(jnp.nan)}


@pytest.mark.slow
def test_a_loss_that_is_no_number_is_the_learning_rates_and_no_checkpoint_is_claimed(tmp_path):
    with pytest.raises(
        RunsFailedError, match=r"^loss became infinite or not a number .* Try a smaller learning"
    ) as error:
        scoutrl.train("reliability.test_watch:Diverges", Rooms(), 64, out=tmp_path, show=False)
    assert "no checkpoint was made yet" in str(error.value)
    assert not list((tmp_path / "checkpoints").glob("[0-9]*"))
