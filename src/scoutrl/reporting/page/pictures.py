"""Pictures for a page: sheets of frames, as text that an HTML file can hold."""

import base64
import dataclasses
import io
import math
from typing import Any

import numpy as np
from PIL import Image


@dataclasses.dataclass(frozen=True)
class Sheet:
    """Frames of one size beside and below each other, row by row."""

    source: str
    """The picture as a `data:` address."""
    columns: int
    """Frames in a row."""
    width: int
    """Pixels of a frame, across."""
    height: int
    """Pixels of a frame, down."""

    def to_dict(self) -> dict[str, Any]:
        """For the page's data."""
        return dataclasses.asdict(self)


def sheet(frames: np.ndarray) -> Sheet:
    """The sheet of `frames` [frames, height, width, 3], without loss."""
    count, height, width, _ = frames.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    filled = np.concatenate([frames, np.zeros((rows * columns - count, height, width, 3), np.uint8)])
    whole = filled.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    return Sheet(address(whole), columns, width, height)


def in_colour(seen: np.ndarray) -> np.ndarray:
    """The last picture in observations [..., height, width, channels], which may be grey or a stack of several."""
    channels = 3 if seen.shape[-1] % 3 == 0 else 1
    return np.repeat(seen[..., -channels:], 3 // channels, axis=-1)


def reduced(pictures: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """Pictures [..., height, width, 3] with every n-th row and column, so that no side is above `most`; and n."""
    step = max(1, *(-(-side // most) for side in pictures.shape[-3:-1]))
    return pictures[..., ::step, ::step, :], step


def address(picture: np.ndarray) -> str:
    """A picture [height, width, 3] as a `data:` address."""
    content = io.BytesIO()
    # Quick, and nearly as small as it gets for pictures that are drawn.
    Image.fromarray(np.ascontiguousarray(picture)).save(content, "WEBP", lossless=True, method=2, quality=20)
    return "data:image/webp;base64," + base64.b64encode(content.getvalue()).decode()
