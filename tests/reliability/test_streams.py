"""Standard streams that are closed, full or of another encoding."""

import io
import os
import pty
import subprocess
import sys

import pytest
from reliability.commands import QUICK, SCRIPT, assert_one_line, environment, scout

from scoutrl.quiet import Stream, tell
from scoutrl.runs.config import resolve
from scoutrl.training.progress_bar import ProgressBar

CONFIG = resolve("probes.scripted:Script", "lever", steps=100)
ROW = {"env_steps": 100, "seconds": 1.0, "steps_per_second": 100.0, "updates_per_second": 1.0, "validation_return": 0.5}


@pytest.mark.slow
@pytest.mark.parametrize("shell", [">&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_training_needs_no_streams(shell, tmp_path):
    result = scout(*SCRIPT, *QUICK, "--out", tmp_path / "r", shell=shell)
    assert result.returncode == 0, result
    assert "Traceback" not in result.stderr
    assert len(list((tmp_path / "r" / "checkpoints").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("words", [["families"], ["--help"], ["bounds", "lever", "--json"]])
def test_a_full_output_is_one_line(words):
    assert_one_line(scout(*words, shell=">/dev/full"), "output cannot be written", "No space left")


@pytest.mark.slow
@pytest.mark.parametrize("words", [["families"], ["nonsense"]])
@pytest.mark.parametrize("shell", [">&- 2>&-", "2>/dev/full"])
def test_commands_end_as_they_should(words, shell):
    result = scout(*words, shell=shell)
    assert result.returncode == (2 if words == ["nonsense"] else 0), result
    assert "Traceback" not in result.stderr + result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("encoding", [pytest.param("latin-1", marks=pytest.mark.long), "ascii"])
def test_encodings_that_lack_characters(encoding, scripted_seeds):
    for words in (["evaluate", scripted_seeds, "--trials", 8, "--trust"], ["--help"], ["algorithms", "dream"]):
        result = scout(*words, PYTHONIOENCODING=encoding)
        assert result.returncode == 0, result
        assert "Traceback" not in result.stderr


def test_what_an_encoding_lacks_is_written_in_ascii():
    raw = io.BytesIO()
    stream = Stream(io.TextIOWrapper(raw, encoding="ascii"), lenient=False)
    print("a … b · c → d ± e ü", file=stream, flush=True)
    assert raw.getvalue() == b"a ... b - c -> d +- e ?\n"


class OnlyWrites:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def test_the_library_writes_to_whatever_stands_for_stderr(monkeypatch):
    for stream in (OnlyWrites(), None, closed := io.StringIO()):
        closed.close()
        monkeypatch.setattr(sys, "stderr", stream)
        tell("hello …")
        with ProgressBar(CONFIG, 0.0, True) as display:
            display.begin()
            display.update([ROW])
        if isinstance(stream, OnlyWrites):
            assert "hello …" in stream.text
            assert "validation return 0.500" in stream.text


@pytest.mark.slow
@pytest.mark.parametrize(("term", "sign"), [("dumb", "compiling ..."), ("xterm", "\x1b[")])
def test_a_terminal_that_can_only_add_lines_gets_lines(term, sign, tmp_path):
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "scoutrl", *SCRIPT, *QUICK, "--out", str(tmp_path / "r")]
    variables = environment(TERM=term, PYTHONIOENCODING="ascii")
    done = subprocess.run(line, env=variables, stdout=subprocess.DEVNULL, stderr=theirs, timeout=300)
    os.close(theirs)
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0, said
    assert sign in said
    assert "validation return" in said
    assert ("\x1b[" in said) == (term != "dumb")
