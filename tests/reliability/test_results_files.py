"""What lies about as results is read with care, and what is written as results replaces files only."""

import dataclasses
import json
import os
from pathlib import Path

import pytest
from reliability.test_fuzz import COMPARED

from scoutrl.cli import main
from scoutrl.cli.problems import read_problems
from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.reporting.export import export
from scoutrl.results.comparison import Budget, Comparison, read_comparison


def refused(words: list[str], capsys) -> str:
    """What a command says in its one line."""
    assert main(words) == 2
    *before, line = capsys.readouterr().err.splitlines()
    assert line.startswith("scout: ")
    assert not any(one.startswith("scout: ") for one in before)
    return line


def test_results_that_are_no_file(tmp_path, capsys):
    results = tmp_path / "results.json"
    for special in (os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir):
        special(results)
        with pytest.raises(ScoutError, match="cannot be read"):
            read_comparison(results)
        refused(["report", str(tmp_path)], capsys)
        results.rmdir() if results.is_dir() else results.unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"algorithms": []}, "there is no algorithm in it"),
        ({"budget": dataclasses.asdict(Budget(None, None))}, "its budget must be steps or minutes"),
        ({"budget": dataclasses.asdict(Budget(1, 1.0))}, "its budget must be steps or minutes"),
        ({"run_dir": "/etc"}, "is no directory within that of the comparison"),
        ({"run_dir": "a/../../b"}, "is no directory within that of the comparison"),
        ({"run_dir": "a\0b"}, "is no directory within that of the comparison"),
        ({"run_dir": "a" * 5000}, "File name too long"),
        ({"seconds": "1e999"}, "too large a number"),
    ],
)
def test_results_that_cannot_be(tmp_path, change, said, capsys):
    content = json.loads(json.dumps(COMPARED.to_dict()))
    for name, value in change.items():
        (content if name in content else content["algorithms"][0]["seeds"][0])[name] = value
    (tmp_path / "results.json").write_text(json.dumps(content).replace('"1e999"', "1e999"))
    assert said in refused(["report", str(tmp_path)], capsys)


def test_half_a_character_in_a_name_is_no_character_of_the_page(tmp_path, capsys):
    content = json.dumps(COMPARED.to_dict()).replace('"lever"', '"a\\ud800b"')
    (tmp_path / "results.json").write_text(content)
    assert main(["report", str(tmp_path)]) == 0
    assert "a?b" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("out", ["s3://bucket/page.html", ".", "/", "fifo", "link", "no\nfile/x"])
def test_a_page_is_not_begun_that_cannot_be_written(tmp_path, monkeypatch, out, capsys):
    def make(*_, **__):
        raise AssertionError("all the work was done before")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("scoutrl.api.report", make)
    os.mkfifo("fifo")
    Path("link").symlink_to("fifo")
    Path("no\nfile").touch()
    before = sorted(tmp_path.iterdir())
    refused(["report", ".", "--out", out], capsys)
    assert sorted(tmp_path.iterdir()) == before


def test_names_that_are_no_path_are_one_line(capsys):
    for name in ("x" * 300, "a\nb", os.fsdecode(b"\xff"), "nowhere\x1b[31m"):
        assert "\x1b" not in refused(["report", name], capsys)
        refused(["check", "gym:FrozenLake-v1", "--problems", name], capsys)
    tell("a\nb\x1b\udcff … ü 日")
    assert capsys.readouterr().err == "a\\nb\\x1b\\udcff … ü 日\n"


def test_exports_go_through_no_link(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for name in ("returns.svg", "table.csv"):
        (tmp_path / name).symlink_to(precious)
    export(Comparison.from_dict(COMPARED.to_dict(), tmp_path), ["svg", "csv"])
    assert precious.read_text() == "precious"
    assert "<svg" in (tmp_path / "returns.svg").read_text()
    (tmp_path / "table.md").mkdir()
    with pytest.raises(ScoutError, match="is a directory"):
        export(Comparison.from_dict(COMPARED.to_dict(), tmp_path), ["markdown"])


def test_problems_are_read_from_pipes_and_never_without_end(tmp_path):
    read, write = os.pipe()
    os.write(write, b'[{"size": 4}]')
    os.close(write)
    assert read_problems(f"/dev/fd/{read}") == [{"size": 4}]
    os.close(read)
    os.mkfifo(tmp_path / "nobody writes")
    for path in ("/dev/zero", str(tmp_path / "nobody writes"), str(tmp_path), "a\0b", "s3://a/b"):
        with pytest.raises(ScoutError):
            read_problems(path)


@pytest.mark.parametrize("kind", ["comparison", "coupling"])
@pytest.mark.parametrize("command", ["evaluate c", "export c agent.scout", "train dream lever --out c"])
def test_the_directory_of_an_experiment_is_no_run(tmp_path, monkeypatch, command, kind, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c" / "seed-0" / "checkpoints" / "0000000001").mkdir(parents=True)
    (tmp_path / "c" / "seed-0" / "config.json").write_text("{}")
    (tmp_path / "c" / "config.json").write_text(json.dumps({kind: {}}))
    assert f"a {kind}" in refused(command.split(), capsys)


def test_settings_of_an_algorithm_are_none_of_a_check(capsys):
    for command in ("check", "bounds"):
        line = refused([command, "lever", "--set", "size=3"], capsys)
        assert f"scout {command} takes options of the family only" in line
