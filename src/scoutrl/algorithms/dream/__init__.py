"""DREAM (Liu et al. 2021)."""

from scoutrl.algorithms.dream.dream import Dream as Dream
from scoutrl.algorithms.dream.dream import DreamBase as DreamBase
