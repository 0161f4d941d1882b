"""Families of Gymnasium environments, which worker processes step on the host."""

from scoutrl.envs.host.family import HostFamily as HostFamily
from scoutrl.envs.host.make import from_gymnasium as from_gymnasium
