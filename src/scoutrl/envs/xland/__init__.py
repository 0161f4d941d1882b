"""Rule sets of XLand-MiniGrid (Nikulin et al. 2023) as a family."""

from scoutrl.envs.xland.family import xland as xland
