"""Studies of several trainings, and pages of what was trained."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoutrl._platform import on_this_machine
from scoutrl.api.common import Engine, Run, cluster_of, family_of
from scoutrl.envs import Spec
from scoutrl.results.comparison import Comparison
from scoutrl.results.coupling import Coupling
from scoutrl.runs.files import local
from scoutrl.training.compilation import use_compilation_cache

if TYPE_CHECKING:
    from scoutrl.reporting.export import Format
    from scoutrl.reporting.page.html import Page


@on_this_machine()
def compare(
    family: str | Spec,
    algorithms: Sequence[str],
    seeds: int = 5,
    out: str | os.PathLike[str] = "runs/comparison",
    *,
    steps: int | None = None,
    minutes: float | None = None,
    trials: int = 1000,
    settings: Mapping[str, Any] | Iterable[str] = (),
    engine: Engine = "local",
    formats: "Sequence[Format]" = (),
    show: bool = True,
) -> Comparison:
    """Train algorithms on one family with the same budget, and compare what they earn on the same unseen problems.

    Called again it goes on where it was stopped. `out` then holds the runs, results.json, which `read_comparison`
    reads, and figures as PNG and SVG. A seed that fails is in the result, with the reason; the others go on.

    Args:
        family: as for `train`.
        algorithms: as for `train`; of variants, with settings after commas, as in "dream,bottleneck=none".
        seeds: independent seeds of each: 0, 1, … Intervals are over them.
        out: directory of the comparison. One that holds other settings is refused.
        steps: environment steps of every seed; None takes the most that a preset of one of the algorithms says.
        minutes: minutes of training of every seed in place of `steps`; compilation does not count.
        trials: trials of each seed in the final evaluation.
        settings: of all algorithms, and `env.NAME` for the family; as for `train`.
        engine: where the seeds are trained, as for `train`.
        formats: what else to write: the table as "latex", "csv" or "markdown", the figures as "pdf"; "svg" there is.
        show: tell on stderr how far it is.

    Raises:
        ScoutError: anything the caller can put right, in one line, before any training starts; or the disk is full.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    from scoutrl.experiments.compare import compare as run
    from scoutrl.reporting.export import check_formats, export, save_figures

    check_formats(formats)
    how = {"steps": steps, "minutes": minutes, "trials": trials, "settings": settings}
    result = run(family, algorithms, seeds, local(out), **how, show=show, cluster=cluster_of(engine))
    save_figures(result, ("png", "svg"))
    export(result, formats)
    return result


@on_this_machine()
def coupling(
    out: str | os.PathLike[str],
    algorithms: Sequence[str] = ("dream", "e-rl2"),
    sizes: Sequence[int] = (4, 8, 16, 32, 64),
    seeds: int = 10,
    *,
    steps: int | None = None,
    show: bool = True,
) -> Coupling:
    """Measure how the samples to the optimum grow with the number of actions, on the family `lever`.

    Called again it goes on where it was stopped; sizes, seeds, algorithms and steps may be added. `out` then holds the
    runs, results.json and a plot. Seeds that are not at the optimum within the budget are named and count with it.

    Args:
        out: directory of the experiment.
        algorithms: as for `compare`; those that have a preset "coupling" for `lever` begin from it.
        sizes: numbers of levers |A|, each at least 2.
        seeds: independent seeds at each size: 0, 1, …
        steps: environment steps of every seed at the largest size; smaller ones get their share of it by |A|². All get
            8,000 besides. None is 100 |A|².
        show: tell on stderr how far it is.

    Raises:
        ScoutError: anything the caller can put right, in one line, before any training starts; or the disk is full.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    from scoutrl.experiments.coupling import coupling as run
    from scoutrl.reporting.coupling_plot import coupling_figure
    from scoutrl.reporting.style import save

    result = run(local(out), algorithms, sizes, seeds, steps=steps, show=show)
    save(coupling_figure(result), result.path / "coupling")
    return result


@on_this_machine()
def report(
    run: Run | Comparison | str | os.PathLike[str], env: str | Spec | None = None, *, trust: bool = False
) -> "Page":
    """Make a page of a run, of several seeds or of a comparison, from what is on disk; nothing is trained.

    The page is one HTML file that needs no network: what was reached beside the bounds, greedy trials to be watched
    step by step, what z knows, which problems fail, curves, and everything to do it again. `save` writes it, and a
    notebook shows it.

    Args:
        run: what `train` or `compare` gave, or the directory of a run, of several seeds or of a comparison.
        env: the run's own family, where that cannot be made from its name.
        trust: import code that the run names and that is not installed, from the current directory or the path.

    Raises:
        ScoutError: no such run, nothing saved in it yet, or a family that cannot be rendered.
    """
    use_compilation_cache()
    from scoutrl.reporting.page.make import page

    path = run.path if isinstance(run, Comparison) else Path(os.fspath(run))
    given = family_of(env, [] if isinstance(run, Comparison) else [run])
    return page(path, given, trust)
