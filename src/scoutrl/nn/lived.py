"""Episodes as networks see them."""

import dataclasses

from scoutrl.nn.encoders import Encoder
from scoutrl.trials.trial import Episodes


def seen(encoder: Encoder, episodes: Episodes) -> Episodes:
    """The same episodes with features in place of observations, [..., time + 1, size]."""
    return dataclasses.replace(episodes, observations=encoder(episodes.observations))
