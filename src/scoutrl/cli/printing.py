"""How results are printed."""

import json
import shutil
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

_NARROWEST = 24
"""Columns that text needs to be wrapped in."""


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on one line."""
    print(json.dumps(content, allow_nan=False))


def print_table(rows: Mapping[str, str]) -> None:
    """Print names in one column and what they mean beside them; on a terminal what is too long goes on below."""
    width = max(len(name) for name in rows)
    room = shutil.get_terminal_size().columns - width - 2 if sys.stdout.isatty() else 0
    for name, summary in rows.items():
        lines = textwrap.wrap(summary, room, break_long_words=False) if room >= _NARROWEST else [summary]
        for place, line in enumerate(lines):
            print(f"{'' if place else name:{width}}  {line}")
