"""Imports run from higher floors to lower ones and never in circles; files and functions stay small."""

import ast
import graphlib
import statistics
from collections.abc import Iterator
from pathlib import Path

import scoutrl

PACKAGE = Path(scoutrl.__file__).parent
FLOORS = [
    {"errors", "lowering", "plugins", "prng", "ranges", "trees", "decoding", "quiet"}
    | {"_platform", "_version", "__init__"},
    {"pool", "simulators"},
    {"envs"},
    {"nn", "rl", "exact"},
    {"trials"},
    {"algorithms"},
    {"runs"},
    {"evaluation"},
    {"training"},
    {"engines"},
    {"results"},
    {"experiments"},
    {"reporting"},
    {"api", "deploy"},
    {"cli"},
    {"__main__"},
]
"""Low to high: modules of the package and packages within it."""
BESIDE = {("rl", "nn"), ("api", "deploy")}
"""Who may import whom on the same floor; on the lowest all may."""
ONLY = {("nn", "envs"): {"scoutrl.envs.spaces"}, ("rl", "envs"): {"scoutrl.envs.spaces"}}
"""Who may import no more than these modules of a lower floor."""
NOTHING_BUT = {"exact": {"envs"}}
"""Who may import nothing else above the lowest floor."""
BLOCKS = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.Match, ast.FunctionDef)


def name_of(file: Path) -> str:
    """`scoutrl.envs.base`; of a package, its own name."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {name_of(file): file.read_text(encoding="utf-8") for file in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules of Scout that a module imports anywhere: in functions and for type checking, too."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name in SOURCES)
            case ast.ImportFrom(module=str(module), names=names, level=0) if module in SOURCES:
                yield from (_home(module, alias.name) for alias in names)
            case ast.Attribute(value=ast.Name(id="scoutrl"), attr=name):
                yield _home("scoutrl", name)


def _home(module: str, name: str) -> str:
    """The module that `from module import name` means; the public names of `scoutrl` are imported when first used."""
    if f"{module}.{name}" in SOURCES:
        return f"{module}.{name}"
    return scoutrl._WHERE.get(name, module) if module == "scoutrl" else module


IMPORTS = {name: set(imported(tree)) for name, tree in TREES.items() if name != "scoutrl"}


def room(module: str) -> str:
    """The first part of a module's name within Scout."""
    return module.split(".")[1] if "." in module else "__init__"


def floor(module: str) -> int:
    (found,) = [number for number, rooms in enumerate(FLOORS) if room(module) in rooms]
    return found


def is_allowed(module: str, other: str) -> bool:
    here, there = room(module), room(other)
    if here == there or floor(other) == 0:
        return True
    if floor(module) <= floor(other):
        return (here, there) in BESIDE
    return other in ONLY.get((here, there), {other}) and there in NOTHING_BUT.get(here, {there})


def test_every_module_has_a_floor():
    assert {room(module) for module in SOURCES} == set.union(*FLOORS)


def test_imports_run_downwards():
    found = [(module, other) for module, others in IMPORTS.items() for other in others if not is_allowed(module, other)]
    assert sorted(found) == []


def test_imports_never_run_in_circles():
    graphlib.TopologicalSorter(IMPORTS).prepare()


def test_relative_imports_are_not_used():
    found = [name for name, tree in TREES.items() for node in ast.walk(tree) if getattr(node, "level", 0)]
    assert found == []


def test_the_middle_file_is_short():
    assert statistics.median(source.count("\n") for source in SOURCES.values() if source) <= 110


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for name, tree in TREES.items():
        yield from ((f"{name}.{node.name}", node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_no_function_is_longer_than_a_screen():
    found = [(name, node.end_lineno - node.lineno + 1) for name, node in functions() if node.end_lineno]
    assert [(name, lines) for name, lines in found if lines > 60] == []


def depth(node: ast.AST) -> int:
    """Blocks within blocks below `node`; what follows `elif` is as deep as its `if`."""
    below = 0
    for child in ast.iter_child_nodes(node):
        is_elif = isinstance(node, ast.If) and child in node.orelse and node.orelse == [child]
        below = max(below, depth(child) + (isinstance(child, BLOCKS) and not (is_elif and isinstance(child, ast.If))))
    return below


def test_no_function_is_nested_deeper_than_three_blocks():
    found = {name: depth(node) for name, node in functions()}
    assert {name: deep for name, deep in found.items() if deep > 3} == {}
