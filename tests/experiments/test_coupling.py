import json

import pytest

from scoutrl.api import coupling
from scoutrl.cli import main
from scoutrl.errors import ScoutError
from scoutrl.experiments import coupling_plan
from scoutrl.results.coupling import read_coupling

TABULAR = "probes.tabular:Tabular"


@pytest.mark.slow
def test_two_small_sizes(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(coupling_plan, "AT_LEAST", 80)
    words = ["coupling", "--algorithms", TABULAR, f"{TABULAR},explode_after=40", "--sizes", "2", "3", "--seeds", "2"]
    words += ["--steps", "1800", "--out", str(tmp_path), "--json"]
    assert main(words) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["sizes"] == [2, 3]
    assert found == json.loads((tmp_path / "results.json").read_text())
    assert json.loads(json.dumps(read_coupling(tmp_path).to_dict())) == found
    assert {path.suffix for path in tmp_path.glob("coupling.*")} == {".png", ".svg"}
    learner, broken = found["algorithms"]
    assert learner["steps_per_trial"] == 2
    for point in learner["solves"]["points"]:
        assert len(point["env_steps"]) == 2
        assert point["seeds_sound"] == 2
        assert point["budget"] >= 80 + 200 * point["size"] ** 2
        assert all(steps is None or steps % point["every"] == 0 for steps in point["env_steps"].values())
    assert list(broken["solves"]["points"][0]["failed"]) == ["0", "1"]
    assert broken["solves"]["slope"] is None
    assert "failed:" in said.err

    assert main(words) == 0
    again = capsys.readouterr()
    assert json.loads(again.out)["algorithms"][0] == learner
    assert "4 of 8 seeds are finished" in again.err


@pytest.mark.slow
def test_mistakes(tmp_path):
    with pytest.raises(ScoutError, match="sizes must be 2 or more"):
        coupling(tmp_path / "out", [TABULAR], [1])
    with pytest.raises(ScoutError, match="did you mean 'dream'"):
        coupling(tmp_path / "out", ["drem"])
    assert not (tmp_path / "out").exists()
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ScoutError, match=r"holds thesis\.tex"):
        coupling(tmp_path, [TABULAR])
