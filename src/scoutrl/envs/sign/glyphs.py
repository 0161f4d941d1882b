"""The letters on the sign, drawn with a pen and blurred for all distances.

A letter is one metre wide and high; the pen moves in hundredths of a metre, from the left and from the top.
"""

import itertools

import numpy as np
from jaxtyping import Float, UInt8

from scoutrl.envs.sign import world

LETTERS = "BDEGLNRU"
SIZE = 64
"""Samples a letter, across and down."""
LEVELS = 11
"""Blurs there are, each wider by the square root of 2."""
FINEST = 1 / 128
"""Width of the first blur in metres."""

_STROKES: dict[str, list[tuple[float, list[tuple[float, float]]]]] = {
    "B": [
        (2.0, [(46, 85), (51, 76), (54, 66), (54, 57), (58, 50), (64, 46), (73, 43), (79, 43), (83, 48), (82, 53)]),
        (2.0, [(82, 53), (78, 57), (71, 61), (77, 63), (79, 68), (79, 77), (75, 82), (67, 84), (60, 82), (49, 76)]),
    ],
    "D": [
        (3.0, [(68, 51), (58, 64), (52, 71)]),
        (2.6, [(67, 52), (76, 48.5), (82, 52), (82, 57), (78, 66), (71, 73), (62, 79), (54, 80.5)]),
        (3.8, [(52, 71), (48, 77), (53, 80)]),
    ],
    "E": [
        (
            3.0,
            [
                (82, 41.5),
                (69, 44),
                (54, 44),
                (49.5, 48),
                (49.5, 65),
                (48.5, 77),
                (52, 82),
                (58, 83),
                (70, 82.5),
                (75, 80),
            ],
        ),
        (3.0, [(46, 65), (66, 63)]),
    ],
    "G": [
        (2.6, [(78, 52), (74, 46), (68, 42)]),
        (3.4, [(70, 45), (61, 48), (55, 55), (51, 64), (47, 75), (47, 81), (53, 86), (66, 86.5), (73, 83), (75, 78)]),
        (4.2, [(61, 72), (81, 74.5)]),
    ],
    "L": [(2.8, [(66.5, 53), (61, 64), (57, 72)]), (3.6, [(60, 69), (58, 74), (72, 72)])],
    "N": [(3.8, [(52, 76), (51.5, 57), (59, 56), (66, 61), (72, 71), (75, 76), (79, 70), (79, 59), (76, 52)])],
    "R": [
        (3.6, [(48, 88), (48, 73), (47.5, 58)]),
        (2.8, [(48, 58), (51, 48), (55, 41), (66, 41), (71, 46), (73, 51), (69, 58), (60, 60.5), (50, 62)]),
        (2.5, [(66, 60), (73, 63), (76.5, 71), (78, 80), (80, 87), (83, 90)]),
    ],
    "U": [
        (2.8, [(45, 48), (48, 44), (46, 56), (45, 68), (45, 76), (49, 81), (56, 81.5), (65, 77), (73, 70), (76, 66)]),
        (2.6, [(79, 43), (78, 60), (78, 82)]),
    ],
}
_PEN = 128
"""Strokes are measured on a sheet this wide."""


def word_letters() -> np.ndarray:
    """[3, 5]: the letters of each word as numbers, -1 beyond its end."""
    return np.array([[LETTERS.find(c) for c in word.ljust(5, "?")] for word in world.WORDS], np.int32)


def table() -> np.ndarray:
    """Whiteness of every letter, uint16 [levels * letters * SIZE * SIZE], from the left, then from the top.

    The low byte is the sample's own, the high byte that of the sample below.
    """
    sheets = np.stack([_drawn(letter) for letter in LETTERS])
    levels = np.stack([_blurred(sheets, 2 ** (level / 2)) for level in range(LEVELS)])
    here = np.round(levels * 255).astype(np.uint16).swapaxes(2, 3)
    below = np.concatenate([here[..., 1:], here[..., -1:]], axis=-1)
    return (here | below << 8).reshape(-1)


def face(word: str) -> UInt8[np.ndarray, "height width 3"]:
    """The sign with a word on it, sharp and large, to be read by people."""
    rows = slice(_PEN // 4, _PEN * 13 // 16, 2)  # where the letters are
    sheet = np.concatenate([_drawn(letter)[rows, ::2] for letter in word], axis=1)
    return np.repeat((255 * sheet).round().astype(np.uint8)[..., None], 3, axis=-1)


def _drawn(letter: str) -> Float[np.ndarray, "sheet sheet"]:
    """1 on paper, 0 on ink, [rows, columns] at the resolution of the sheet."""
    fine = (np.arange(2 * _PEN) + 0.5) / 2
    y, x = np.meshgrid(fine, fine, indexing="ij")
    gaps = [
        _gap(x, y, *start, *end) - radius
        for radius, points in _STROKES[letter]
        for start, end in itertools.pairwise(points)
    ]
    paper = (np.min(gaps, axis=0) > 0).astype(np.float32)
    return paper.reshape(_PEN, 2, _PEN, 2).mean((1, 3))


def _gap(x: np.ndarray, y: np.ndarray, x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """Distance to the segment between two points."""
    dx, dy = x1 - x0, y1 - y0
    part = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(x - x0 - part * dx, y - y0 - part * dy)


def _blurred(sheets: np.ndarray, width: float) -> Float[np.ndarray, "letters SIZE SIZE"]:
    """What pixels see that are `width` sheet units wide: averages and lines between them; then thinned out."""
    # Along each axis a box and a triangle, as products of their transforms. Margins are white: edges need no care.
    across = np.sinc(np.fft.fftfreq(_PEN) * width) ** 3
    seen = np.fft.ifft2(np.fft.fft2(sheets) * across[:, None] * across).real
    return np.clip(seen, 0, 1).reshape(-1, SIZE, _PEN // SIZE, SIZE, _PEN // SIZE).mean((2, 4))
