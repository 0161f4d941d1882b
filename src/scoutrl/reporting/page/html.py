"""The HTML file: templates filled in, styles and scripts within it, and nothing that reaches out of it."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, final

from scoutrl.runs.files import local, replacing, writing

_ASSETS = files("scoutrl.reporting.page") / "assets"
_STYLES = ("uPlot.min.css", "page.css")
_MODULES = ("base.js", "player.js", "bars.js", "map.js", "charts.js", "tables.js", "start.js")
"""In the order in which they need each other: an HTML file has no modules of its own that could import each other."""
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What might end a script element, and how JSON can say it."""


@final
class Page:
    """A page in one HTML file, which a notebook shows as well."""

    def __init__(self, html: str):
        """Keep the text of the file."""
        self.html = html

    def save(self, path: str | Path) -> Path:
        """Write the file, or replace it in one go.

        Raises:
            ScoutError: the disk is full or refuses.
        """
        file = local(path)
        with writing(file.parent):
            file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as temporary:
                # Half of a character, as JSON can hold it, is none that a file can.
                temporary.write_text(self.html, encoding="utf-8", errors="replace")
        return file

    def _repr_html_(self) -> str:
        """For notebooks: in a frame of its own, with no access to what is around it."""
        return (
            f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(self.html)}" '
            'style="width:100%;height:48rem;border:0"></iframe>'
        )


def fill(context: Mapping[str, Any], data: Mapping[str, Any]) -> Page:
    """The page of a template's `context` and of `data`, which its scripts read.

    Whatever is in either may be hostile: the template escapes it, scripts make text of it, and the page's own policy
    lets no other script run and nothing be loaded.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # imported when a page is made

    environment = Environment(
        loader=PackageLoader("scoutrl.reporting.page", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    from markupsafe import Markup

    scripts = [_asset("uPlot.iife.min.js"), "\n".join(_asset(name) for name in _MODULES)]
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {' '.join(map(_hash, scripts))}"
    )
    return Page(
        environment.get_template("page.html").render(
            **context,
            policy=policy,
            style=Markup("\n".join(map(_asset, _STYLES))),
            library=Markup(scripts[0]),
            licence=Markup(_asset("uPlot-LICENSE.txt")),
            script=Markup(scripts[1]),
            data=Markup(in_script(data)),
        )
    )


def in_script(data: Any) -> str:
    """JSON that may stand within a script element, whatever its texts hold."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return "".join(_UNSAFE.get(letter, letter) for letter in text) if set(_UNSAFE) & set(text) else text


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
