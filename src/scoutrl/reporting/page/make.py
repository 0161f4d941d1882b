"""Which page a directory is worth: that of a run, of several seeds or of a comparison."""

from pathlib import Path

from scoutrl.envs import MetaEnv
from scoutrl.envs.check import check_render
from scoutrl.reporting.page.html import Page
from scoutrl.reporting.page.run import run_page
from scoutrl.runs.open import open_run, seed_dirs


def page(path: Path, env: MetaEnv | None, trust: bool) -> Page:
    """The page of the directory `path`.

    Args:
        path: of a run, of several seeds, or of a comparison.
        env: the family, where it cannot be made from its name.
        trust: import code that the runs name and that is not installed.

    Raises:
        ScoutError: there is nothing to make a page of, or the family cannot be rendered.
    """
    paths = seed_dirs(path)
    trained = open_run(paths[0], env, trust)
    check_render(trained.env)
    return run_page(trained)
