"""`scout report`."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from scoutrl.cli.options import Flag


def report(
    run_dir: str,
    /,
    *,
    out: Annotated[str | None, Parameter(metavar="FILE")] = None,
    open_: Annotated[bool, Parameter("--open", show_default=False)] = False,
    trust: Flag = False,
) -> None:
    """Make a page of a run, of several seeds or of a comparison: one HTML file that needs no network.

    It shows greedy trials step by step, what the agent knows, which problems fail, and how it learnt. Nothing is
    trained.

    Example: scout report runs/dream-distracting-bus-seed0 --open

    Args:
        run_dir: Directory of a run, of several seeds or of a comparison; or results.json of a comparison.
        out: File to write; without it, report.html in that directory.
        open_: Open the page in the browser.
        trust: Import code of your own that the run names, such as a family in this directory; it can do anything.
    """
    from scoutrl.api import report as make
    from scoutrl.runs.files import new_file

    given = Path(run_dir)
    # Looked at first: making a page takes a while.
    file = new_file(out if out is not None else (given.parent if os.path.isfile(given) else given) / "report.html")
    written = make(run_dir, trust=trust).save(file)
    print(f"Page: {written}  ({written.stat().st_size / 1e6:.1f} MB; open it in a browser)")
    if open_:
        import webbrowser

        webbrowser.open(written.resolve().as_uri())
