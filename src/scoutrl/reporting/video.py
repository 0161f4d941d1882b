"""Films of trained agents, as animated GIFs: what an agent observes, where it goes, how much it knows."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scoutrl import prng
from scoutrl.envs import Spec
from scoutrl.envs.describe import Description
from scoutrl.envs.problems import Split
from scoutrl.errors import ScoutError
from scoutrl.evaluation.recorded import RecordedEpisode
from scoutrl.evaluation.recording import recorder
from scoutrl.reporting.page.pictures import in_colour
from scoutrl.runs.files import replacing
from scoutrl.runs.open import TrainedRun

MOST = 8
"""Most problems that are filmed."""
HEIGHT = 312
"""Least height of the pictures in pixels: smaller ones are enlarged."""
STRIP = 84
"""Height in pixels of the strip below the pictures, with text and bars."""
LETTERS = 15
"""Font size of the text, in pixels."""
PACE, PAUSE = 350, 1400
"""Milliseconds that a step is shown, and the last moment of an episode."""
_LONGEST = 100
"""Bytes of the name of a film, at most."""
COLOURS = 128
"""Size of the palette of a film."""
BESIDE = 200
"""Width in pixels of what is shown beside the pictures."""
PLAIN = Description()
"""Goals as numbers."""
INK, PAPER, PATH, BAR = (58, 63, 75), (247, 245, 240), (214, 69, 69), (61, 111, 209)


def film(trained: TrainedRun, directory: Path, split: Split, seed: int) -> list[Path]:
    """Write a GIF of a greedy trial for each problem of `split`, or for eight of them, evenly spread, if it has more.

    Raises:
        ScoutError: the directory cannot be made or written to, or the family cannot be rendered.
    """
    env = trained.env
    rows = env.problems.rows(split)
    rows = rows[np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(int)]
    ids, protocol = env.problems.ids[rows], trained.algorithm.protocol(greedy=True)
    keys = jax.vmap(lambda row: jax.random.fold_in(prng.key(seed), row))(jnp.asarray(rows))
    words, written = env.describe(), []
    trials = recorder(env, protocol)(trained.agent, trained.knowledge, ids, keys).some(range(len(ids)))
    for row, episodes in zip(rows, trials, strict=True):
        path = directory / f"{_name(env, int(row))}.gif"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                _write(
                    temporary, episodes, words, None if words.beside is None else words.beside(env.problems.ids[row])
                )
        except OSError as error:
            raise ScoutError(f"the video {path} cannot be written: {error.strerror or error}.") from error
        written.append(path)
    return written


def _name(env: Spec, row: int) -> str:
    """The name of a film without its suffix, such as `colour-2` or `useful-3-useless-5`: always that of a file."""
    problems = env.problems
    if problems.sizes is None:
        return f"problem-{row}"
    said = "-".join(f"{name}-{value}" for name, value in zip(problems.names, problems.ids[row], strict=True))
    name = re.sub(r"[^\w.+=-]+", "-", said).lstrip(".-").encode(errors="ignore")[:_LONGEST].decode(errors="ignore")
    return said if name == said else f"{name}-problem-{row}"


def _write(
    path: Path, episodes: list[RecordedEpisode], words: Description = PLAIN, beside: np.ndarray | None = None
) -> None:
    frames, pauses = [], []
    for episode in episodes:
        shown = [_frame(episode, moment, words, beside) for moment in range(len(episode.pictures))]
        frames += shown
        pauses += [PACE] * (len(shown) - 1) + [PAUSE]
    # One palette for the whole film keeps it small. It must cover rare colours too: the colour of a small object may be
    # what the problem is about.
    palette = Image.fromarray(np.concatenate([np.asarray(frame)[::4, ::4] for frame in frames])).quantize(
        COLOURS, Image.Quantize.MAXCOVERAGE
    )
    few = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    few[0].save(path, "GIF", save_all=True, append_images=few[1:], duration=pauses, loop=0, optimize=True)


def _frame(
    episode: RecordedEpisode, moment: int, words: Description = PLAIN, beside: np.ndarray | None = None
) -> Image.Image:
    """One frame: the observation, if it is an image, beside the picture with the path so far; the strip below.

    What the family wants to have shown `beside` it, as a sign that is too small to be read, stands on the right.
    """
    picture = episode.pictures[moment]
    scale = max(1, -(-HEIGHT // picture.shape[0]))
    shown = Image.fromarray(np.ascontiguousarray(picture)).resize(
        (picture.shape[1] * scale, picture.shape[0] * scale), Image.Resampling.NEAREST
    )
    _draw_path(shown, episode.spots[: moment + 1] * scale)
    parts = [shown]
    seen = episode.observations[moment]
    if seen.ndim == 3:
        seen = in_colour(seen)
        large = max(1, shown.height // seen.shape[0])
        size = (seen.shape[1] * large, seen.shape[0] * large)
        parts.insert(0, Image.fromarray(seen).resize(size, Image.Resampling.NEAREST))
    if beside is not None:
        parts.append(Image.fromarray(beside).resize((BESIDE, round(BESIDE * beside.shape[0] / beside.shape[1]))))
    width = max(sum(part.width for part in parts), 320)
    frame = Image.new("RGB", (width, shown.height + STRIP), PAPER)
    left = 0
    for part in parts:
        frame.paste(part, (left, 0))
        left += part.width
    _draw_strip(frame, episode, moment, words)
    return frame


def _draw_path(picture: Image.Image, spots: np.ndarray) -> None:
    if len(spots) > 1 and np.isfinite(spots).all():
        ImageDraw.Draw(picture).line([(float(x), float(y)) for x, y in spots], fill=PATH, width=3)


def _draw_strip(frame: Image.Image, episode: RecordedEpisode, moment: int, words: Description) -> None:
    """Write phase, goal in words, step and return; draw what was known at each moment so far as bars."""
    pen, top = ImageDraw.Draw(frame), frame.height - STRIP
    font = ImageFont.load_default(LETTERS)
    goal = "" if episode.goal is None else f"   goal {words.goal(np.asarray(episode.goal))}"
    earned = float(episode.rewards[: moment + 1].sum())
    pen.text((8, top + 4), f"{episode.phase}{goal}   step {moment}   return {earned:+.2f}", fill=INK, font=font)
    learnt = episode.known[: moment + 1]
    if not np.isfinite(learnt).all():
        return
    gained = f"   gained {round(100 * (learnt[-1] - learnt[-2])):+d}%" if moment else ""
    pen.text((8, top + 24), f"known {learnt[-1]:.0%}{gained}", fill=INK, font=font)
    pitch = min(12, max(1, (frame.width - 16) // len(episode.known)))
    for place, value in enumerate(learnt):
        left, bottom = 8 + pitch * place, frame.height - 6
        height = round(float(np.clip(value, 0, 1)) * 30)
        pen.rectangle((left, bottom - height, left + max(pitch - 3, 0), bottom), fill=BAR)
