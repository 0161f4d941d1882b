"""Advice on a family before anything is trained on it."""

from scoutrl.algorithms.dream.dream import Dream
from scoutrl.envs import Spec
from scoutrl.envs.check import check
from scoutrl.envs.host import HostFamily
from scoutrl.envs.host.advise import advise as advise_on_host
from scoutrl.training.memory import replay_bytes


def advise(family: Spec) -> list[str]:
    """What there is to say of a family, in sentences.

    Raises:
        ScoutError: it breaks a promise, or an environment fails.
    """
    if isinstance(family, HostFamily):
        said = advise_on_host(family)
    else:
        check(family)
        said = ["All that was looked at is as it has to be."]
    counts = [f"{len(family.problems.rows(split))} for {split}" for split in ("train", "validation", "test")]
    said.append(f"There are {len(family.problems.ids)} problems: {', '.join(counts)}.")
    taken = replay_bytes(family, Dream())
    return [*said, f"The replay of dream takes {taken / 1e6:,.0f} MB; with --set capacity=N less."]
