"""A start that failed stands in nobody's way, whatever was to be trained."""

import json
from pathlib import Path

import pytest
from reliability.test_run_directory import ROOMS, SCRIPT, config, open_record, save

from scoutrl.engines import seeds as engines_seeds
from scoutrl.engines.seeds import train_seeds
from scoutrl.errors import ScoutError
from scoutrl.experiments.compare import compare
from scoutrl.runs.begun import to_continue
from scoutrl.runs.open import seed_dirs
from scoutrl.runs.run_dir import COMPARISON, COUPLING, GROUP, RUN


@pytest.fixture
def nothing_starts(monkeypatch):
    def fail(*_, **__):
        raise ScoutError("out of memory")

    monkeypatch.setattr(engines_seeds, "train_together", fail)
    monkeypatch.setattr(engines_seeds.jax, "default_backend", lambda: "gpu")


def described(directory: Path) -> dict:
    return json.loads((directory / "config.json").read_text())


def work(run: Path, **sets) -> None:
    """A checkpoint."""
    with open_record(run, config(**sets)) as record:
        record.open_log()
        save(record)


def test_its_seeds_are_no_seeds(tmp_path, nothing_starts):
    with pytest.raises(ScoutError, match="out of memory"):
        train_seeds(config(seed=10), 2, tmp_path, "vmap", show=False)
    open_record(tmp_path / "seed-10", config(seed=10)).__exit__()
    with pytest.raises(ScoutError, match="out of memory"):
        train_seeds(config(), 2, tmp_path, "vmap", show=False)
    assert described(tmp_path)["seeds"] == [0, 1]
    work(tmp_path / "seed-0")
    assert seed_dirs(tmp_path) == [tmp_path / "seed-0"]
    with pytest.raises(ScoutError, match=r"holds another run: rate is 0\.5 there and 0\.25 here; name another"):
        train_seeds(config(rate=0.25), 2, tmp_path, "vmap", show=False)


def test_within_a_comparison(tmp_path, nothing_starts):
    def compared(rate: float, steps: int) -> None:
        how = {"trials": 1, "show": False, "settings": {"iterations": 1, "rate": rate}}
        assert len(compare(ROOMS, [SCRIPT], 2, tmp_path, steps=steps, **how).failures) == 2

    for rate, steps in ((0.25, 32), (0.5, 16)):
        compared(rate, steps)
        content = described(tmp_path)["comparison"]
        assert content["budget"]["steps"] == steps
        assert content["algorithms"][SCRIPT]["settings"]["rate"] == rate
        assert described(tmp_path / SCRIPT.replace(":", "-"))["settings"]["rate"] == rate
    work(tmp_path / SCRIPT.replace(":", "-") / "seed-0")
    with pytest.raises(ScoutError, match=r"holds another comparison: rate is 0\.5 there and 0\.25 here; name") as error:
        compared(0.25, 32)
    assert len(str(error.value).replace(str(tmp_path), "")) < 120


KINDS = {
    RUN: {"format": 2, "algorithm": "dream"},
    GROUP: {"format": 2, "algorithm": "dream", "seeds": [0]},
    COMPARISON: {"comparison": {}},
    COUPLING: {"coupling": {}},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("asked", KINDS)
def test_of_another_kind(tmp_path, kind, asked):
    assert not to_continue(tmp_path, None, asked)
    assert not to_continue(tmp_path, KINDS[kind], asked)
    work(tmp_path / "seed-0")
    if kind == asked:
        assert to_continue(tmp_path, KINDS[kind], asked)
    else:
        with pytest.raises(ScoutError, match=f"holds {kind}; name"):
            to_continue(tmp_path, KINDS[kind], asked)


@pytest.mark.parametrize("content", [{}, {"name": "a program of somebody's"}, {"comparison": 1, "name": "x"}])
def test_what_somebody_else_configures_is_left_alone(tmp_path, content, nothing_starts):
    (tmp_path / "config.json").write_text(text := json.dumps(content))
    uses = [
        lambda: open_record(tmp_path),
        lambda: train_seeds(config(), 2, tmp_path, "vmap", show=False),
        lambda: compare(ROOMS, [SCRIPT], 1, tmp_path, steps=16, trials=1, show=False),
    ]
    for use in uses:
        with pytest.raises(ScoutError) as error:
            use()
        assert "\n" not in str(error.value)
        assert (tmp_path / "config.json").read_text() == text
