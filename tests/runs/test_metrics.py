import json

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]

from scoutrl.runs.metrics import MetricsLog, drop_after, newest, read_rows, tag


def row(iteration: int, **more: float) -> dict[str, float]:
    return {"iteration": iteration, "env_steps": 10 * iteration, "updates": iteration, "loss": 1.0 / iteration} | more


@pytest.fixture
def run(tmp_path):
    log = MetricsLog(tmp_path, 0)
    log.append(row(1, validation_return=0.5))
    log.append(row(2))
    log.close()
    return tmp_path


def events(run) -> list:
    """Records of all event files: length (8 bytes), its checksum (4), the event, its checksum (4)."""
    found = []
    for file in sorted(run.glob("events.out.tfevents.*")):
        data = file.read_bytes()
        while data:
            length = int.from_bytes(data[:8], "little")
            found.append(Event.FromString(data[12 : 12 + length]))
            data = data[16 + length :]
    return found


def test_rows_are_written_as_they_are(run):
    assert read_rows(run) == [row(1, validation_return=0.5), row(2)]
    assert newest(run) == row(2, validation_return=0.5)


def test_a_line_cut_off_in_writing_is_left_out(run):
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 3, "lo')
    assert read_rows(run) == [row(1, validation_return=0.5), row(2)]
    drop_after(run, 2)
    assert (run / "metrics.jsonl").read_text() == "".join(json.dumps(r) + "\n" for r in read_rows(run))


def test_rows_after_a_checkpoint_are_dropped(run):
    drop_after(run, 1)
    assert read_rows(run) == [row(1, validation_return=0.5)]


def test_tensorboard_is_told_the_same_and_to_forget_what_is_done_again(run):
    values = {(event.step, v.tag): v.simple_value for event in events(run) for v in event.summary.value}
    assert values == {(10, "train/loss"): 1.0, (10, "validation/return"): 0.5, (20, "train/loss"): 0.5}
    MetricsLog(run, 10).close()
    restarts = [event.step for event in events(run) if event.session_log.status == SessionLog.START]
    assert restarts[-1] == 11


def test_tensorboard_groups():
    names = ["loss", "validation_return", "steps_per_second"]
    assert [tag(name) for name in names] == ["train/loss", "validation/return", "speed/steps_per_second"]
