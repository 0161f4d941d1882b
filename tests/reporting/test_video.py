import numpy as np
import pytest
from PIL.GifImagePlugin import GifImageFile

import scoutrl
from scoutrl.errors import ScoutError
from scoutrl.evaluation.recorded import RecordedEpisode
from scoutrl.reporting.video import _frame, _write
from scoutrl.trials.agent import Phase


def moments(path):
    with GifImageFile(path) as film:
        return film.n_frames, film.size


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_directory_that_cannot_be(scripted_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScoutError, match="cannot be written"):
        scoutrl.film(scripted_run, tmp_path / "file")


def test_a_frame_shows_observation_path_and_knowledge():
    pictures = np.full((3, 100, 100, 3), 255, np.uint8)
    spots = np.array([[10.0, 10.0], [50.0, 10.0], [50.0, 50.0]])
    seen = np.full((3, 60, 80, 3), 7, np.uint8)
    known = np.array([0.0, 0.5, 1.0])
    episode = RecordedEpisode(Phase.EXPLORATION, pictures, spots, seen, np.zeros(3), known, None)
    first, last = (np.asarray(_frame(episode, moment)) for moment in (0, 2))
    assert (first[:100, :100] == 7).all()
    # The path is drawn in the picture's own place, right of the observation, and only as far as walked.
    right = 80 * (400 // 60)
    red = (last[:, right:] == (214, 69, 69)).all(-1)
    assert red[40, 120:196].all()
    assert not (first[:, right:] == (214, 69, 69)).all(-1).any()
    assert (last == (61, 111, 209)).all(-1).sum() > (first == (61, 111, 209)).all(-1).sum()


def test_a_colour_seen_once_is_not_lost(tmp_path):
    pictures = np.random.default_rng(0).integers(90, 110, (9, 60, 60, 1)).repeat(3, axis=-1).astype(np.uint8)
    pictures[4, 10:16, 10:16] = 20, 230, 30
    spots, nothing = np.full((9, 2), np.nan), np.full(9, np.nan)
    _write(
        tmp_path / "film.gif",
        [RecordedEpisode(Phase.EXPLORATION, pictures, spots, np.zeros(9), np.zeros(9), nothing, None)],
    )
    with GifImageFile(tmp_path / "film.gif") as film:
        film.seek(4)
        shown = np.asarray(film.convert("RGB"))
    np.testing.assert_allclose(shown[13 * 6, 13 * 6], (20, 230, 30), atol=12)
