"""How results are printed."""

import json
from collections.abc import Mapping
from typing import Any


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on one line."""
    print(json.dumps(content, allow_nan=False))


def print_table(rows: Mapping[str, str]) -> None:
    """Print names in one column and what they mean beside them."""
    width = max(len(name) for name in rows)
    for name, summary in rows.items():
        print(f"{name:{width}}  {summary}")
