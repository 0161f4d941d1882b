"""What is the machine's fault is said to be."""

import errno

import jax
import pytest
from reliability.commands import QUICK, SCRIPT, assert_one_line, scout

import scoutrl
from scoutrl._platform import on_this_machine
from scoutrl.errors import ScoutError


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["cuda", "nonsense"])
def test_a_platform_that_is_not_there(platform, scripted_run, tmp_path):
    commands = [
        [*SCRIPT, *QUICK, "--out", tmp_path / "r"],
        ["evaluate", scripted_run],
        ["export", scripted_run, tmp_path / "file"],
        ["bounds", "lever"],
    ]
    for words in commands if platform == "cuda" else commands[1:2]:
        result = scout(*words, JAX_PLATFORMS=platform)
        assert_one_line(result, f"JAX_PLATFORMS asks for {platform}")
        assert "damaged" not in result.stderr
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 7.45 GiB for an array"),
        jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8589934592 bytes."),
    ],
)
@pytest.mark.parametrize("step", ["scoutrl.evaluation.evaluate.scorer", "scoutrl.runs.checkpoint.read_tensors"])
def test_out_of_memory_is_one_line_and_no_damage(step, error, scripted_run, monkeypatch, capsys):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(step, fail)
    with pytest.raises(ScoutError, match="the memory of this machine does not suffice") as raised:
        scoutrl.evaluate(scripted_run)
    assert len(str(raised.value).splitlines()) == 1
    assert "damaged" not in capsys.readouterr().err


def test_other_errors_of_jax_are_not_hidden():
    with pytest.raises(jax.errors.JaxRuntimeError), on_this_machine():
        raise jax.errors.JaxRuntimeError("INTERNAL: a bug")
    with pytest.raises(OSError, match="fault"), on_this_machine():
        raise OSError(errno.EFAULT, "fault")
