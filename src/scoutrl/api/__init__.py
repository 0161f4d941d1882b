"""Scout from Python: train, evaluate, compare, load. The command line is made of these same functions."""

from scoutrl.api.common import Engine as Engine
from scoutrl.api.common import Run as Run
from scoutrl.api.families import bounds as bounds
from scoutrl.api.families import check as check
from scoutrl.api.families import exploration_length as exploration_length
from scoutrl.api.families import find_bounds as find_bounds
from scoutrl.api.studies import compare as compare
from scoutrl.api.studies import coupling as coupling
from scoutrl.api.studies import report as report
from scoutrl.api.trained import default_out as default_out
from scoutrl.api.trained import evaluate as evaluate
from scoutrl.api.trained import export as export
from scoutrl.api.trained import film as film
from scoutrl.api.trained import load as load
from scoutrl.api.trained import train as train
