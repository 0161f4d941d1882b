"""The learners there are, by name."""

from scoutrl.errors import ScoutError
from scoutrl.plugins import Plugin, import_class, missing, unknown, with_installed
from scoutrl.rl.learner import PolicyLearner

GROUP = "scoutrl.learners"
"""Entry-point group under which an installed package offers learners of its own."""

_BUILT_IN = {
    "q": Plugin("scoutrl.rl.q_lambda:QLambda", "Double duelling Q(λ) on replayed trials; of a Box it learns bins."),
    "sac": Plugin("scoutrl.rl.sac:Sac", "Soft actor-critic on replayed trials, for actions in a Box."),
    "ppo": Plugin("scoutrl.rl.ppo:Ppo", "Proximal policy optimisation on fresh trials, for actions of every kind."),
}


def learners() -> dict[str, Plugin]:
    """Name to plugin: the built-in learners, then those of installed packages."""
    return with_installed(_BUILT_IN, GROUP)


def find_learner(name: str) -> type[PolicyLearner]:
    """The class of a learner, by a name of `learners()` or as `package.module:ClassName`.

    Raises:
        ScoutError: no such learner, or the class cannot be imported or is no PolicyLearner.
    """
    known = learners()
    if name not in known and ":" not in name:
        raise unknown("learner", name, known)
    found = import_class(known[name].path if name in known else name)
    if not issubclass(found, PolicyLearner):
        raise ScoutError(f"{name} is no learner: it must be a subclass of scoutrl.rl.learner.PolicyLearner.")
    if lacking := missing(found):
        raise ScoutError(f"{name} is no complete learner: it must define {', '.join(lacking)}.")
    return found
