import signal

import numpy as np
import pytest
from training.runs import CHUNK, arrays, assert_same, config, rows

from scoutrl.errors import ScoutError
from scoutrl.runs import checkpoint
from scoutrl.training.loop import train
from scoutrl.training.progress_bar import ProgressBar
from scoutrl.training.signals import Interrupted


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of three chunks that nothing disturbed; only to be read."""
    return train(config(), tmp_path_factory.mktemp("whole"), show=False)


@pytest.fixture
def signal_after_a_chunk(monkeypatch):
    """From now on a signal comes after each chunk."""

    def arrange(signum: int) -> None:
        monkeypatch.setattr(ProgressBar, "update", lambda *_: signal.raise_signal(signum))

    return arrange


@pytest.mark.slow
def test_a_run_directory_holds_all_that_a_user_may_want(whole):
    names = {path.name.split(".")[0] for path in whole.iterdir()} - {""}
    assert names == {"config", "metrics", "events", "checkpoints", "provenance"}
    found = rows(whole)
    assert [row["env_steps"] for row in found] == [CHUNK, 2 * CHUNK, 3 * CHUNK]
    assert [row["iteration"] for row in found] == [10, 20, 30]
    assert [row["updates"] for row in found] == [10, 20, 30]
    evaluated = {"validation_return", "validation_exploration_return", "validation_exploration_length"}
    assert {"loss", "return"} | evaluated <= found[0].keys() & found[-1].keys()
    assert arrays(whole)["host.env_steps"] == 3 * CHUNK


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_stopped_after_each_chunk_ends_with_the_numbers_of_one_that_was_not(
    whole, tmp_path, signal_after_a_chunk, signum, code
):
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    signal_after_a_chunk(signum)
    for chunk in (1, 2):
        with pytest.raises(Interrupted, match=f"Stopped after {chunk * CHUNK} of .* the same command") as stop:
            train(config(), tmp_path / "run", show=False)
        assert stop.value.exit_code == code
        assert rows(tmp_path / "run") == rows(whole)[:chunk]
    train(config(), tmp_path / "run", show=False)
    assert_same(tmp_path / "run", whole)
    assert handlers == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))


@pytest.mark.slow
def test_rows_beyond_the_checkpoint_and_half_rows_are_made_again(whole, tmp_path, signal_after_a_chunk, monkeypatch):
    signal_after_a_chunk(signal.SIGTERM)
    with pytest.raises(Interrupted):
        train(config(), tmp_path, show=False)
    monkeypatch.undo()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 20, "env_steps": 320, "loss": 7.0}\n{"iteration": 30, "env')
    train(config(), tmp_path, show=False)
    assert_same(tmp_path, whole)


@pytest.mark.slow
def test_a_damaged_checkpoint_costs_time_and_changes_nothing(
    whole, tmp_path, signal_after_a_chunk, monkeypatch, capsys
):
    signal_after_a_chunk(signal.SIGTERM)
    for _ in range(2):
        with pytest.raises(Interrupted):
            train(config(), tmp_path, show=False)
    monkeypatch.undo()
    (tmp_path / "checkpoints" / "0000000020" / "manifest.json").unlink()
    train(config(), tmp_path, show=False)
    assert "0000000020 is damaged" in capsys.readouterr().err
    assert_same(tmp_path, whole)


@pytest.mark.slow
def test_more_steps_go_on_and_fewer_are_finished(whole, tmp_path, capsys):
    train(config(CHUNK), tmp_path, show=False)
    train(config(3 * CHUNK), tmp_path, show=False)
    np.testing.assert_equal(arrays(tmp_path), arrays(whole))
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.name != ".lock")
    train(config(2 * CHUNK), tmp_path, show=False)
    assert "is finished: 480 steps are done" in capsys.readouterr().err
    assert before == sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.name != ".lock")


def test_another_seed_gives_other_numbers_and_another_run_is_refused(whole, tmp_path):
    with pytest.raises(ScoutError, match="seed is 0 there and 1 here"):
        train(config(seed=1), whole, show=False)
    with pytest.raises(ScoutError, match=r"learning_rate is 0\.2 there and 0\.1 here"):
        train(config(learning_rate=0.1), whole, show=False)
    train(config(seed=1), tmp_path, show=False)
    assert rows(tmp_path) != rows(whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "named"), [({"explode_after": 25}, "loss became infinite"), ({"poison_after": 25}, "a weight became")]
)
def test_what_is_not_finite_stops_the_run_and_is_never_saved(
    tmp_path, settings, named, signal_after_a_chunk, monkeypatch
):
    signal_after_a_chunk(signal.SIGTERM)
    for _ in range(2):
        with pytest.raises(Interrupted):
            train(config(**settings), tmp_path, show=False)
    monkeypatch.undo()
    for _ in range(2):
        with pytest.raises(ScoutError, match=f"{named} .* last good checkpoint is kept"):
            train(config(**settings), tmp_path, show=False)
        assert arrays(tmp_path)["training.iteration"] == 20
        assert [row["iteration"] for row in rows(tmp_path)] == [10, 20]


def test_a_full_disk_stops_the_run_with_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_tensors", full)
    with pytest.raises(ScoutError, match="disk is full"):
        train(config(), tmp_path, show=False)


def test_progress_is_told_on_stderr_alone(tmp_path, capsys):
    train(config(), tmp_path)
    said = capsys.readouterr()
    assert said.out == ""
    assert "480 of 480 steps · validation return" in said.err
