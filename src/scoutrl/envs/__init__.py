"""Families of environments."""

from scoutrl.envs.base import MetaEnv as MetaEnv
from scoutrl.envs.base import Spaces as Spaces
from scoutrl.envs.base import Spec as Spec
from scoutrl.envs.base import Step as Step
from scoutrl.envs.problems import Problem as Problem
from scoutrl.envs.problems import ProblemSet as ProblemSet
