"""The algorithms there are, by name; none is imported before it is asked for."""

from typing import TYPE_CHECKING

from scoutrl.errors import ScoutError
from scoutrl.plugins import Plugin, import_class, missing, unknown, with_installed

if TYPE_CHECKING:
    from scoutrl.algorithms.base import Algorithm

GROUP = "scoutrl.algorithms"
"""Plugin-point group under which an installed package offers algorithms of its own."""

_BUILT_IN = {
    "dream": Plugin(
        "scoutrl.algorithms.dream.dream:Dream",
        "DREAM (Liu et al., 2021): explores for what an exploitation policy trained on the problem ID needs to know.",
    ),
    "rl2": Plugin(
        "scoutrl.algorithms.recurrent.rl2:Rl2",
        "RL² (Duan et al., 2016; Wang et al., 2016): one recurrent policy for the return of all episodes of a trial.",
    ),
    "e-rl2": Plugin(
        "scoutrl.algorithms.recurrent.rl2:ERl2",
        "RL² for the return of the exploitation episodes alone: end-to-end learning to explore.",
    ),
    "import": Plugin(
        "scoutrl.algorithms.recurrent.import_:Import",
        "IMPORT (Kamienny et al., 2020): one policy shared by an embedding of the problem ID and one of the memory.",
    ),
    "varibad": Plugin(
        "scoutrl.algorithms.recurrent.varibad:Varibad",
        "VariBAD (Zintgraf et al., 2020): a policy that sees a posterior learnt by predicting rewards and states.",
    ),
    "pearl": Plugin(
        "scoutrl.algorithms.pearl.pearl:Pearl",
        "PEARL (Rakelly et al., 2019): posterior sampling, with a posterior learnt by what the critic needs to know.",
    ),
    "metacure": Plugin(
        "scoutrl.algorithms.metacure.metacure:MetaCure",
        "MetaCURE (Zhang et al., 2021): explores for whatever tells problems apart in rewards and observations.",
    ),
}


def algorithms() -> dict[str, Plugin]:
    """Name to entry: the built-in algorithms, then those of installed packages."""
    return with_installed(_BUILT_IN, GROUP)


def find(name: str) -> "type[Algorithm]":
    """The class of an algorithm, by a name of `algorithms()` or as `package.module:ClassName`.

    Raises:
        ScoutError: no such algorithm, or the class cannot be imported, is no Algorithm, or lacks methods.
    """
    # Imported here, so that a list of the algorithms need not wait for JAX.
    from scoutrl.algorithms.base import Algorithm

    known = algorithms()
    if name not in known and ":" not in name:
        raise unknown("algorithm", name, known, advice="`scout algorithms` lists them")
    found = import_class(known[name].path if name in known else name)
    if not issubclass(found, Algorithm):
        raise ScoutError(f"{name} is no algorithm: it must be a subclass of scoutrl.algorithms.base.Algorithm.")
    if lacks := missing(found):
        raise ScoutError(f"{name} is no complete algorithm: it must define {', '.join(lacks)}.")
    return found
