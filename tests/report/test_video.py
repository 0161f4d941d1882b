import numpy as np
import pytest
from PIL.GifImagePlugin import GifImageFile

import scoutrl
from scoutrl.errors import ScoutError
from scoutrl.report.lived import Scene
from scoutrl.report.video import _frame
from scoutrl.trials.agent import Phase


def moments(path):
    with GifImageFile(path) as film:
        return film.n_frames, film.size


def test_films_of_a_run(scripted_run, tmp_path):
    films = scoutrl.film(scripted_run, tmp_path / "films")
    assert films
    assert len(films) <= 8
    for path in films:
        count, (width, height) = moments(path)
        # Three episodes, each with a moment before its first step.
        assert count >= 6
        assert min(width, height) > 100
        assert path.stat().st_size < 200_000


def test_a_directory_that_cannot_be(scripted_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScoutError, match="cannot be written"):
        scoutrl.film(scripted_run, tmp_path / "file")


def test_a_frame_shows_observation_path_and_knowledge():
    pictures = np.full((3, 100, 100, 3), 255, np.uint8)
    spots = np.array([[10.0, 10.0], [50.0, 10.0], [50.0, 50.0]])
    seen = np.full((3, 60, 80, 3), 7, np.uint8)
    known = np.array([0.0, 0.5, 1.0])
    scene = Scene(Phase.EXPLORATION, pictures, spots, seen, np.zeros(3), known, None)
    first, last = (np.asarray(_frame(scene, moment)) for moment in (0, 2))
    assert (first[:100, :100] == 7).all()
    # The path is drawn in the picture's own place, right of the observation, and only as far as walked.
    right = 80 * (400 // 60)
    red = (last[:, right:] == (214, 69, 69)).all(-1)
    assert red[40, 120:196].all()
    assert not (first[:, right:] == (214, 69, 69)).all(-1).any()
    assert (last == (61, 111, 209)).all(-1).sum() > (first == (61, 111, 209)).all(-1).sum()
