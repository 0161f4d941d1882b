"""Which page a directory is worth: that of a run, of several seeds or of a comparison."""

from pathlib import Path

from scoutrl.envs import Spec
from scoutrl.reporting.page.comparison import comparison_page
from scoutrl.reporting.page.html import Page
from scoutrl.reporting.page.run import run_page
from scoutrl.results.comparison import read_comparison
from scoutrl.results.files import RESULTS
from scoutrl.runs.open import open_run, seed_dirs


def page(path: Path, env: Spec | None, trust: bool) -> Page:
    """The page of what is at `path`.

    Args:
        path: directory of a run, of several seeds, or of a comparison; or the results file of a comparison.
        env: the family, where it cannot be made from its name.
        trust: import code that the runs name and that is not installed.

    Raises:
        ScoutError: there is nothing to make a page of, or the family cannot be rendered.
    """
    if path.is_file() or (path / RESULTS).is_file():
        return comparison_page(read_comparison(path), env, trust)
    paths = seed_dirs(path)
    first = open_run(paths[0], env, trust)
    return run_page([first, *(open_run(one, first.env, trust) for one in paths[1:])])
