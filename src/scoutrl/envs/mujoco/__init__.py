"""The MuJoCo families that meta-reinforcement learning is usually compared on, by Gymnasium's environments."""

from scoutrl.envs.mujoco.families import ant_goal as ant_goal
from scoutrl.envs.mujoco.families import cheetah_dir as cheetah_dir
from scoutrl.envs.mujoco.families import cheetah_vel as cheetah_vel
