"""3D visual navigation: the family `sign`, its dynamics and its renderer."""

from scoutrl.envs.sign.draw import draw as draw
from scoutrl.envs.sign.family import Sign as Sign
from scoutrl.envs.sign.family import SignState as SignState
