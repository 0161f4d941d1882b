"""Names that people type: entries, the nearest to a mistyped one, classes as `package.module:ClassName`."""

import dataclasses
import difflib
import importlib
import importlib.machinery
import importlib.metadata
import site
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scoutrl.errors import ScoutError
from scoutrl.quiet import tell

GYM = "gym:"
"""What the names of families begin with that are environments of Gymnasium's registry."""


@dataclasses.dataclass(frozen=True)
class Plugin:
    """Where something with a name lives and what it is."""

    path: str
    """`package.module:ClassName`."""
    summary: str
    """One line for people."""
    needs: tuple[str, ...] = ()
    """Modules of optional packages it is nothing without."""


def with_installed(built_in: Mapping[str, Plugin], group: str) -> dict[str, Plugin]:
    """Name to entry: the built-in ones, then those that installed packages offer as entry points of `group`."""
    found = dict(built_in)
    for point in importlib.metadata.entry_points(group=group):
        origin = point.dist.name if point.dist is not None else point.value
        found.setdefault(point.name, Plugin(point.value, f"from the package {origin}"))
    return found


def unknown(kind: str, name: str, known: Iterable[str], *, of: str = "", advice: str = "") -> ScoutError:
    """The error for a name that is not among `known`: with the nearest one, else with all of them.

    Args:
        kind: what it is a name of, such as "algorithm".
        name: as typed.
        known: the names there are.
        of: what has those names, if that needs saying.
        advice: what to do to see them all.
    """
    known = list(known)
    # The dashes of options make all of them look alike.
    bare = {one.lstrip("-"): one for one in known}
    typed = name.lower().lstrip("-")
    longer = sorted(one for one in bare if typed and one.startswith(f"{typed}_"))
    near = longer or difflib.get_close_matches(typed, bare, n=1, cutoff=0.5)
    hint = f"did you mean {bare[near[0]]!r}?" if near else f"there are: {', '.join(known) or 'none'}."
    return ScoutError(f"there is no {kind} {name!r}{of and f' of {of}'}; {hint}{advice and f' ({advice})'}")


def sources(module: str) -> list[Path]:
    """The files that importing `module` would run, found without running any; none where it is not on the path.

    The current directory counts as the last place of the path.
    """
    files: list[Path] = []
    places = [Path(entry) for entry in [*sys.path, str(Path.cwd())]]
    for part in module.split("."):
        inside: list[Path] = []
        file = None
        for place in places:
            if file := _source(place / part / "__init__"):
                inside = [place / part]
                break
            if file := _source(place / part):
                inside = []
                break
            inside += [place / part] if (place / part).is_dir() else []
        if file is None and not inside:
            return []
        files += [] if file is None else [file]
        places = inside
    return files


def is_installed(module: str) -> bool:
    """Whether `module` is of an installed package, and not just a file on the path or in the current directory."""
    files = sources(module)
    if files and all(any(file.is_relative_to(place) for place in _site_packages()) for file in files):
        return True
    within = any(file.is_relative_to(Path.cwd()) for file in files)
    return not within and module.partition(".")[0] in importlib.metadata.packages_distributions()


def module_of(name: str) -> str:
    """The module that a name has imported: of `package.module:ClassName` or `gym:package.module:ID`; else empty."""
    *modules, _ = name.removeprefix(GYM).split(":")
    return modules[0] if modules else ""


def announce(path: str) -> None:
    """Say on stderr which file importing `package.module:ClassName` will run, unless it was imported before."""
    module = module_of(path)
    if module and module not in sys.modules and (files := sources(module)):
        tell(f"Importing {module} from {files[-1]}")


def _source(base: Path) -> Path | None:
    """The file of a module without its suffix `base`."""
    names = (base.with_name(base.name + suffix) for suffix in importlib.machinery.all_suffixes())
    return next((name.absolute() for name in names if name.is_file()), None)


def _site_packages() -> set[Path]:
    found = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    return {Path(place) for place in [*found, site.getusersitepackages()]}


def missing(made: type) -> list[str]:
    """Abstract methods and fields that a class does not define."""
    return sorted({*getattr(made, "__abstractmethods__", ()), *getattr(made, "__abstractvars__", ())})


def import_class(path: str) -> type:
    """The class at `package.module:ClassName`; the current directory counts as a place to import from.

    Raises:
        ScoutError: the module or the class is not there, or importing it fails.
    """
    found = import_object(path, "class")
    if not isinstance(found, type):
        raise ScoutError(f"{path!r} is no class but a {type(found).__name__}.")
    return found


def import_object(path: str, kind: str) -> Any:
    """What is at `package.module:name`, such as a `kind`; the current directory counts as a place to import from.

    Raises:
        ScoutError: the module or the name is not there, or importing it fails.
    """
    module_name, _, class_name = path.partition(":")
    if not module_name or not class_name:
        raise ScoutError(f"{path!r} is no {kind}: write it as package.module:ClassName.")
    found = imported(module_name, path)
    for part in class_name.split("."):
        if not hasattr(found, part):
            names = [name for name, value in vars(found).items() if kind != "class" or isinstance(value, type)]
            raise unknown(kind, part, [name for name in names if not name.startswith("_")], of=module_name)
        found = getattr(found, part)
    return found


def imported(module_name: str, path: str) -> Any:
    """A module; the current directory counts as a place to import from.

    Raises:
        ScoutError: it is not there, or importing it fails; says that this was for `path`.
    """
    files = sources(module_name)
    if module_name not in sys.modules and files and files[-1].is_relative_to(Path.cwd()):
        # Only then, so that nothing else is taken from where the user happens to be.
        sys.path.extend({str(Path.cwd())}.difference(sys.path))
    try:
        return importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever the module does when it is imported
        if isinstance(error, ModuleNotFoundError) and error.name:
            raise ScoutError(
                f"{path!r} cannot be imported: there is no module {error.name!r} here or among the installed packages."
            ) from error
        said = " ".join(str(error).split())
        raise ScoutError(f"{path!r} cannot be imported: {type(error).__name__}: {said}{_where(error)}") from error


def _where(error: BaseException) -> str:
    """The place in the user's code that raised; a SyntaxError names it by itself."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return "" if isinstance(error, SyntaxError) else f" ({last.filename}, line {last.lineno})"
