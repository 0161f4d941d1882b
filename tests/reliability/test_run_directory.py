"""A run directory has one writer, who writes to nothing that is not the run's."""

import contextlib
import dataclasses
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from scoutrl.engines.seeds import train_seeds
from scoutrl.errors import ScoutError
from scoutrl.runs import record
from scoutrl.runs.config import RunConfig, completed, resolve
from scoutrl.runs.files import local, replacing, write_text
from scoutrl.runs.metrics import MetricsLog, drop_after, newest, read_rows
from scoutrl.runs.record import RunRecord, is_finished
from scoutrl.runs.run_dir import RunDirectory, refuse_other
from scoutrl.training.loop import train

SCRIPT, ROOMS = "probes.scripted:Script", "probes.rooms:Rooms"


def config(seed: int = 0, steps: int = 32, **sets) -> RunConfig:
    return resolve(SCRIPT, ROOMS, seed=seed, steps=steps, sets={"iterations": 1} | sets)


def open_record(out: Path, of: RunConfig | None = None) -> RunRecord:
    from probes.scripted import Script

    return RunRecord(of or config(), out, Script())


def save(run: RunRecord) -> None:
    parts = {part: {} for part in ("agent", "training", "replay")}
    run.count(16, {"loss": 0.0}, 1.0, 1.0)
    run.save(parts)


@pytest.fixture
def begun(tmp_path) -> Path:
    """A run with a row and a checkpoint, not finished."""
    out = tmp_path / "m"
    with open_record(out) as run:
        run.open_log()
        save(run)
    (out / "metrics.jsonl").write_text('{"iteration": 1, "env_steps": 16, "seconds": 1.0}\n')
    return out


def moved(out: Path) -> None:
    out.rename(out.with_name("m-old"))


def replaced(out: Path) -> None:
    moved(out)
    open_record(out, config(seed=1)).__exit__()


def unlocked(out: Path) -> None:
    (out / ".lock").unlink()


def locked_anew(out: Path) -> None:
    unlocked(out)
    open_record(out).__exit__()


@pytest.mark.parametrize("happens", [moved, replaced, unlocked, locked_anew])
def test_nothing_is_written_once_the_directory_may_be_anothers(begun, happens):
    with open_record(begun) as run:
        run.open_log()
        happens(begun)
        before = {path: path.read_bytes() for path in begun.rglob("*") if path.is_file()}
        with pytest.raises(ScoutError, match=r"was moved or replaced, or its \.lock removed"):
            save(run)
        with pytest.raises(ScoutError, match="was moved or replaced"):
            run.write({"iteration": 2, "env_steps": 32}, *[record.np.ones(1, bool)] * 2)  # type: ignore
        assert before == {path: path.read_bytes() for path in begun.rglob("*") if path.is_file()}


def test_a_run_does_not_save_among_the_checkpoints_of_another(begun, tmp_path):
    with open_record(tmp_path / "other", config(seed=1)) as run:
        run.open_log()
        shutil.copytree(begun / "checkpoints", tmp_path / "other" / "checkpoints", dirs_exist_ok=True)
        with pytest.raises(ScoutError, match="another run: seed is 0 there and 1 here"):
            save(run)
    with pytest.raises(ScoutError, match="another run: seed is 0 there and 1 here"):
        open_record(tmp_path / "other", config(seed=1))


# Number 3


def test_metrics_without_checkpoints_are_not_written_over(begun):
    shutil.rmtree(begun / "checkpoints")
    before = (begun / "metrics.jsonl").read_text()
    with pytest.raises(ScoutError, match="holds metrics of 16 steps and no checkpoint") as error:
        open_record(begun)
    assert "\n" not in str(error.value)
    assert (begun / "metrics.jsonl").read_text() == before
    (begun / "checkpoints").mkdir()
    (begun / "metrics.jsonl").write_text(before + before)
    with pytest.raises(ScoutError, match="holds metrics of 16 steps and no checkpoint"):
        open_record(begun)


def test_a_run_killed_in_its_first_save_begins_anew(begun):
    shutil.rmtree(begun / "checkpoints")
    (begun / "checkpoints" / "0000000001.tmp").mkdir(parents=True)
    with open_record(begun) as run:
        assert not run.begun
    open_record(begun, config(rate=0.25)).__exit__()


# Number 4


def link(path: Path, precious: Path) -> None:
    path.symlink_to(precious)


def hard_link(path: Path, precious: Path) -> None:
    path.hardlink_to(precious)


def copy(path: Path, precious: Path) -> None:
    shutil.copy(precious, path)


def dangling(path: Path, precious: Path) -> None:
    path.symlink_to(precious.with_name("not-there"))


def pipe(path: Path, precious: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("what", [link, hard_link, copy, dangling, pipe])
@pytest.mark.parametrize("beside", [[], ["thesis.tex"]])
@pytest.mark.parametrize("text", ["precious", "4711"])
def test_a_lock_that_is_not_ours_is_left_alone(tmp_path, what, beside, text):
    precious, out = tmp_path / "precious", tmp_path / "run"
    precious.write_text(text)
    out.mkdir()
    what(out / ".lock", precious)
    for name in beside:
        (out / name).write_text("")
    with pytest.raises(ScoutError) as error:
        RunDirectory(out)
    assert "\n" not in str(error.value)
    assert precious.read_text() == text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["precious", "run"]
    assert sorted(path.name for path in out.iterdir()) == [".lock", *beside]
    assert not (out / ".lock").is_file() or (out / ".lock").read_text() == text


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "film.gif", "agent.scout"])
@pytest.mark.parametrize("what", [link, hard_link, copy, dangling])
def test_a_temporary_name_that_is_taken_is_left_alone(tmp_path, name, what):
    precious, out = tmp_path / "precious", tmp_path / "run"
    precious.write_text("precious")
    out.mkdir()
    what(out / f".{name}.tmp", precious)
    write_text(out / name, "new")
    assert (out / name).read_text() == "new"
    assert precious.read_text() == "precious"
    assert os.path.lexists(out / f".{name}.tmp")
    assert sorted(path.name for path in out.iterdir()) == [f".{name}.tmp", name]
    assert not (tmp_path / "not-there").exists()


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl"])
def test_a_file_that_is_a_link_is_not_written_through(begun, tmp_path, name):
    kept = (begun / name).read_text()
    (begun / name).rename(tmp_path / "elsewhere")
    (begun / name).symlink_to(tmp_path / "elsewhere")
    with open_record(begun) as run:
        run.open_log()
        run.write({"iteration": 2, "env_steps": 32}, *[record.np.ones(1, bool)] * 2)  # type: ignore
    assert (tmp_path / "elsewhere").read_text() == kept


def test_what_a_killed_writer_left_is_cleared_by_the_next(begun):
    (begun / ".config.json.tmp").write_text("half")
    (begun / ".metrics.jsonl.1tmp").write_text("half")
    with open_record(begun):
        assert not list(begun.glob(".*tmp"))


def test_an_exception_leaves_the_old_content(tmp_path):
    write_text(tmp_path / "file", "old")
    with contextlib.suppress(KeyError), replacing(tmp_path / "file") as temporary:
        temporary.write_text("half")
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


# Number 6


def test_a_start_that_failed_does_not_stand_in_the_way(tmp_path):
    open_record(tmp_path / "r", config(rate=0.25, note="x" * 500)).__exit__()
    open_record(tmp_path / "r", config(rate=0.5)).__exit__()
    assert json.loads((tmp_path / "r" / "config.json").read_text())["settings"]["rate"] == 0.5


def test_a_group_whose_start_failed_does_not_stand_in_the_way(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ScoutError("out of memory")

    monkeypatch.setattr("scoutrl.engines.seeds.train_together", fail)
    for rate in (0.25, 0.5):
        with pytest.raises(ScoutError, match="out of memory"):
            train_seeds(config(rate=rate), 2, tmp_path, "vmap", show=False)
    assert json.loads((tmp_path / "config.json").read_text())["settings"]["rate"] == 0.5


def test_another_run_is_refused_with_a_short_list(begun):
    other = config(rate=0.25, note="x" * 500, shift=1, trials_per_iteration=5, flag=True, sizes=(7, 8), seed=3)
    with pytest.raises(ScoutError, match=r"holds another run: .* and 2 more; name another") as error:
        open_record(begun, dataclasses.replace(other, seed=3))
    assert len(str(error.value).replace(str(begun), "")) < 400
    with pytest.raises(ScoutError, match="x…"):
        refuse_other(begun, {"note": "x" * 500}, {"note": ""})


# Number 8


@pytest.mark.parametrize(
    "line",
    [
        "null",
        "[1]",
        "{",
        '"text"',
        "3",
        '{"iteration": null, "env_steps": 16}',
        '{"iteration": 1}',
        '{"loss": 1}',
        '{"iteration": 1, "env_steps": "16"}',
        '{"iteration": 1, "env_steps": 16, "loss": NaN}',
        '{"iteration": 1, "env_steps": 16, "loss": {}}',
        "[" * 20_000,
        "\0" * 50,
        "\udcff",
        "9" * 5000,
    ],
)
def test_damaged_lines_of_the_metrics_are_left_out_and_said_to_be(begun, line, capsys):
    good = {"iteration": 1, "env_steps": 16, "seconds": 1.0}
    file = begun / "metrics.jsonl"
    file.write_text(f"{line}\n\n{json.dumps(good)}\n{line}\n", errors="surrogateescape")
    assert newest(begun) == good
    assert read_rows(begun) == [good]
    assert "2 damaged lines" in (said := capsys.readouterr().err)
    assert said.count("\n") == 1
    assert not is_finished(config(), begun)
    drop_after(begun, 1)
    assert read_rows(begun) == [good]


@pytest.mark.parametrize("what", [pipe, lambda path, _: path.mkdir()])
def test_metrics_that_are_no_file_are_one_line(begun, what):
    (begun / "metrics.jsonl").unlink()
    what(begun / "metrics.jsonl", begun)
    for use in (read_rows, newest, lambda run: drop_after(run, 0)):
        with pytest.raises(ScoutError, match=r"metrics\.jsonl cannot be read"):
            use(begun)
    assert not is_finished(config(), begun)


@pytest.mark.slow
def test_a_finished_run_without_metrics_is_finished(tmp_path):
    for _ in range(2):
        train(config(), tmp_path / "r", show=False)
        (tmp_path / "r" / "metrics.jsonl").unlink(missing_ok=True)


# Number 18


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_is_said_once(tmp_path, capsys):
    log = MetricsLog(tmp_path, 0)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, log._lines._descriptor)
    os.close(full)
    with pytest.raises(ScoutError, match="the disk is full"):
        log.append({"iteration": 1, "env_steps": 1})
    log.close()
    assert capsys.readouterr().err == ""


# Number 22


@pytest.mark.parametrize("address", ["s3://bucket/run", "gs://b", "http://x/y", "file:///tmp/x", "a\0b"])
def test_an_address_is_no_directory(address, tmp_path, monkeypatch):
    import scoutrl

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScoutError, match="--out"):
        local(address)
    uses = [
        lambda: scoutrl.train(SCRIPT, ROOMS, 16, out=address, show=False),
        lambda: scoutrl.compare(ROOMS, [SCRIPT], 1, address, show=False),
        lambda: scoutrl.coupling(address, show=False),
    ]
    for use in uses:
        with pytest.raises(ScoutError, match=r"is an address|NUL"):
            use()
    assert not list(tmp_path.iterdir())


# Number 26


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0"},
        {"seed": -1},
        {"seed": True},
        {"steps": None},
        {"steps": 0},
        {"settings": []},
        {"settings": None},
        {"family_options": 3},
        {"algorithm": 3},
        {"iterations": 0},
        {"seconds": "x"},
        {"by_hand": 1},
        {"unheard_of": 1},
        {"format": "two"},
    ],
)
def test_a_config_with_values_of_the_wrong_type_is_one_line(change):
    with pytest.raises(ScoutError) as error:
        RunConfig.from_json(json.dumps(dataclasses.asdict(config()) | change))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "3", '"algorithm"', '{"seconds": NaN}', "\0", "9" * 5000])
def test_a_config_that_is_something_else_is_one_line(begun, text):
    (begun / "config.json").write_text(text)
    for use in (lambda: RunConfig.from_json(text), lambda: open_record(begun)):
        with pytest.raises(ScoutError) as error:
            use()
        assert "\n" not in str(error.value)


def zero(path: Path, _: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("what", [pipe, zero, dangling, lambda path, _: path.mkdir()])
@pytest.mark.parametrize("name", ["manifest.json", "training.safetensors", "config.json"])
def test_what_is_no_file_is_one_line(begun, what, name, capsys):
    where = begun if name == "config.json" else next((begun / "checkpoints").iterdir())
    (where / name).unlink()
    what(where / name, begun)
    with pytest.raises(ScoutError) as error:
        open_record(begun)
    assert "\n" not in str(error.value)


# Number 27


def test_a_setting_of_a_newer_version_is_at_its_default_in_an_older_run(begun, monkeypatch):
    content = json.loads((begun / "config.json").read_text())
    del content["settings"]["rate"], content["by_hand"], content["iterations"]
    (begun / "config.json").write_text(json.dumps(content))
    default = resolve(SCRIPT, ROOMS, steps=32)
    assert completed({k: v for k, v in content.items() if k in default.identity()}, default.identity()) == (
        json.loads(json.dumps(default.identity()))
    )
    with pytest.raises(ScoutError, match=r"iterations is 100 there and 1 here"):
        open_record(begun)
    content["iterations"] = 1
    (begun / "config.json").write_text(json.dumps(content))
    assert open_record(begun).__exit__() is None
    (begun / "config.json").write_text(json.dumps(content))
    with pytest.raises(ScoutError, match=r"another run: rate is 0\.5 there and 0\.25 here"):
        open_record(begun, config(rate=0.25))


def test_so_in_a_checkpoint(begun, monkeypatch):
    older = config().identity()
    older["settings"] = {name: value for name, value in older["settings"].items() if name != "flag"}
    with monkeypatch.context() as patch, open_record(begun) as run:
        shutil.rmtree(begun / "checkpoints")
        run.open_log()
        patch.setattr(RunConfig, "identity", lambda self: older)
        save(run)
    with open_record(begun) as run:
        assert run.begun
