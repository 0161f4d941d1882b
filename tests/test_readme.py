"""The README's examples run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

import scoutrl
from scoutrl.cli.app import parse
from scoutrl.runs.metrics import read_rows
from scoutrl.runs.presets import PRESETS, Preset

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DREAM = (ROOT / "docs" / "dream.md").read_text(encoding="utf-8")
TINY = Preset(
    64,
    {
        "iterations": 1,
        "evaluation_trials": 8,
        "trials_per_iteration": 8,
        "batch_size": 8,
        "capacity": 64,
        "updates_per_iteration": 1,
    },
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.slow
def test_python_blocks_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(PRESETS[("dream", "distracting-bus")], "default", TINY)
    for block in blocks("python"):
        exec(block, {})
    said = capsys.readouterr().out
    assert "523 unseen problems" in said
    metrics = set().union(*read_rows(tmp_path / "runs" / "dream-distracting-bus-seed0"))
    assert [name for name in sorted(metrics) if f"`{name}`" not in DREAM] == [], "docs/dream.md explains every metric"
    assert re.search(r"exploration: -?\d+\.\d\d\nexploitation: -?\d+\.\d\d\n", said)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("scout ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    _, given = parse(shlex.split(command)[1:])
    if (family := given.arguments.get("family")) is not None:
        scoutrl.make(family)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
