"""What is in a run directory is data: no code in it is ever run, and no copy counts as a seed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import scoutrl
from scoutrl.errors import ScoutError
from scoutrl.plugins import is_installed, module_of, sources
from scoutrl.runs.open import seed_dirs
from scoutrl.runs.trust import admit

TESTS = Path(__file__).parents[1]
EVIL = "print('evil was here')\nfrom probes.rooms import Rooms\nclass Evil(Rooms):\n    pass\n"


def scout(cwd: Path, *words: object) -> subprocess.CompletedProcess[str]:
    program = "import sys; sys.path.remove(''); from scoutrl.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *map(str, words)]
    around = os.environ | {"PYTHONPATH": str(TESTS)}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=around)


@pytest.fixture
def downloaded(scripted_run, tmp_path) -> Path:
    """A run that names `evil:Evil` as its family."""
    run = tmp_path / "downloaded"
    shutil.copytree(scripted_run, run)
    rename(run, family="evil:Evil")
    return run


def rename(run: Path, **names: str) -> None:
    """Edit the identity of a run, as somebody would who wants to have code run."""
    from scoutrl.runs.manifest import read_manifest, write_manifest

    content = json.loads((run / "config.json").read_text()) | names
    (run / "config.json").write_text(json.dumps(content))
    for path in (run / "checkpoints").iterdir():
        found = read_manifest(path)
        write_manifest(path, found["identity"] | names, found["counters"], found["sha256"])


@pytest.mark.slow
@pytest.mark.parametrize("place", ["beside", "inside", "above"])
def test_code_beside_a_run_is_run_only_when_trusted_and_code_in_it_never(downloaded, place):
    where, run = {
        "beside": (downloaded.parent, "downloaded"),
        "inside": (downloaded, "."),
        "above": (downloaded.parent, "downloaded"),
    }[place]
    if place == "above":
        rename(downloaded, family="downloaded.evil:Evil")
    (downloaded.parent if place == "beside" else downloaded).joinpath("evil.py").write_text(EVIL)
    for words in (["evaluate", run, "--trials", "4"], ["export", run, "../agent.scout"]):
        refused = scout(where, *words)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.count("\n") == 1
        assert ("--trust" in refused.stderr) == (place == "beside")
    trusted = scout(where, "evaluate", run, "--trials", "4", "--trust")
    if place == "beside":
        assert trusted.returncode == 0, trusted.stderr
        assert "evil was here" in trusted.stdout
        assert f"Importing evil from {downloaded.parent / 'evil.py'}" in trusted.stderr
        asked = scout(where, "evaluate", run, "--trials", "4", "--trust", "--env", "evil:Evil")
        assert asked.returncode == 0, asked.stderr
    else:
        assert (trusted.returncode, trusted.stdout) == (2, "")
        assert "nothing is imported from there" in trusted.stderr


def test_in_python_too(downloaded, monkeypatch):
    (downloaded.parent / "evil.py").write_text("raise AssertionError\n")
    monkeypatch.chdir(downloaded.parent)
    uses = [
        lambda: scoutrl.evaluate(downloaded),
        lambda: scoutrl.load(downloaded),
        lambda: scoutrl.film(downloaded, "films"),
        lambda: scoutrl.export(downloaded, "agent.scout"),
    ]
    for use in uses:
        with pytest.raises(ScoutError, match="trust=True"):
            use()
    for name in ("algorithm", "learner"):
        rename(downloaded, family="probes.rooms:Rooms")
        content = json.loads((downloaded / "config.json").read_text())
        content |= {"settings": content["settings"] | {"learner": "evil:E"}} if name == "learner" else {name: "evil:E"}
        rename(downloaded, **{key: content[key] for key in ("settings", "algorithm")})
        with pytest.raises(ScoutError, match=r"evil:E.*trust=True"):
            scoutrl.load(downloaded)
        rename(downloaded, algorithm="probes.scripted:Script")


def test_within_the_directory_of_a_group_is_within_the_run(tmp_path, monkeypatch):
    (tmp_path / "seed-0").mkdir()
    for directory in (tmp_path, tmp_path / "seed-0"):
        (directory / "config.json").write_text("{}")
    (tmp_path / "evil.py").write_text(EVIL)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScoutError, match="nothing is imported from there"):
        admit(["evil:Evil"], tmp_path / "seed-0", trust=True)


@pytest.mark.slow
def test_what_is_registered_installed_or_imported_is_trusted(tmp_path, monkeypatch, capsys):
    (tmp_path / "cyclopts.py").write_text("")
    monkeypatch.chdir(tmp_path)
    admit(["dream", None, 3, "probes.rooms:Rooms"], tmp_path / "r", trust=False)
    admit(["safetensors.torch:X"], tmp_path / "r", trust=False)
    assert capsys.readouterr().err.count("Importing safetensors.torch") == 1
    assert is_installed("numpy.linalg")
    assert not is_installed("antigravity")
    assert "site-packages" in str(sources("cyclopts")[-1])
    for name in ("nowhere.at_all:X", "..:X", ":X", "evil\0:X", "/etc/passwd:X", "antigravity:X"):
        if ":" in name[1:]:
            with pytest.raises(ScoutError) as error:
                admit([name], tmp_path / "r", trust=False)
            assert "\n" not in str(error.value)


# Number 7


@pytest.fixture
def group(scripted_seeds, tmp_path) -> Path:
    """A group with the seeds 1 and 2."""
    for seed in (1, 2):
        shutil.copytree(scripted_seeds / str(seed), tmp_path / f"seed-{seed}")
    content = json.loads((tmp_path / "seed-1" / "config.json").read_text())
    content = {name: value for name, value in content.items() if name not in ("seed", "steps")} | {"seeds": [1, 2]}
    (tmp_path / "config.json").write_text(json.dumps(content))
    return tmp_path


def test_a_copy_is_no_seed(group, scripted_seeds):
    assert len(scoutrl.evaluate(group, trials=4).seeds) == 2
    shutil.copytree(group / "seed-1", group / "seed-1-copy")
    for runs in (group, [group / "seed-1", scripted_seeds / "1"], [group / "seed-1"] * 2, [scripted_seeds] * 2):
        with pytest.raises(ScoutError, match="are both of seed 1, so one may be a copy"):
            scoutrl.evaluate(runs, trials=4)


def test_a_group_knows_its_seeds(group, capsys):
    content = json.loads((group / "config.json").read_text()) | {"seeds": [2]}
    (group / "config.json").write_text(json.dumps(content))
    assert seed_dirs(group) == [group / "seed-2"]
    assert "seed-1 is left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("bus", ""),
        ("package.module:Family", "package.module"),
        ("gym:CartPole-v1", ""),
        ("gym:ns/CartPole-v1", ""),
        ("gym:package.module:CartPole-v1", "package.module"),
    ],
)
def test_what_a_name_has_imported(name, module):
    assert module_of(name) == module


def test_a_run_of_a_registered_environment_has_nothing_imported_unasked(tmp_path):
    with pytest.raises(ScoutError, match=r"needs the code of gym:nowhere_to_be\.found:Thing-v0, which is not here"):
        admit(["gym:nowhere_to_be.found:Thing-v0"], tmp_path, trust=False)
    admit(["gym:FrozenLake-v1"], tmp_path, trust=False)
