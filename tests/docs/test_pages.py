"""What the documentation names is there: files, commands, settings, metrics, methods."""

import functools
import re
import shlex
import shutil
from pathlib import Path

import jax
import pytest
from test_architecture import FLOORS
from training.inline import chunk

import scoutrl
from scoutrl.algorithms.registry import algorithms, find
from scoutrl.algorithms.settings import settings_of
from scoutrl.cli.app import parse
from scoutrl.envs.registry import families
from scoutrl.rl.registry import learners
from scoutrl.runs.config import make_algorithm, resolve
from scoutrl.runs.presets import PRESETS, Preset
from scoutrl.training.state import start
from scoutrl.trials.sampler import DeviceSampler

ROOT = Path(__file__).parents[2]
PACKAGE = Path(scoutrl.__file__).parent
PAGES = {path.name: path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]}
WHERE = {path.name: path.parent for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]}
CHANGES = PAGES["CHANGELOG.md"]
RENAMED = dict(re.findall(r"^ *\| `(\w+)` \| `(\w+)` \|$", CHANGES, re.MULTILINE))
ALGORITHM_PAGES = {
    "dream.md": "dream",
    "rl2.md": "e-rl2",
    "import.md": "import",
    "varibad.md": "varibad",
    "pearl.md": "pearl",
    "metacure.md": "metacure",
}
TINY = {"trials_per_iteration": 8, "batch_size": 8, "capacity": 64, "updates_per_iteration": 1, "iterations": 1}
COMMANDS = [
    (page, line.strip())
    for page, text in PAGES.items()
    for line in re.findall(r"^(?: {4})?scout [a-z].*$", text, re.MULTILINE)
    if "[" not in line and "…" not in line and "DIR" not in line and "RUN" not in line and "ALGORITHM" not in line
]


@functools.cache
def every_setting() -> set[str]:
    known = {name for algorithm in algorithms() for name in settings_of(find(algorithm))}
    for learner in learners():
        known |= set(settings_of(find("e-rl2"), learner))
    return known | {"iterations", "evaluation_trials", "evaluations", "policy_lag"}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", PAGES[page])
    assert [target for target in targets if not (WHERE[page] / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_to_headings_lead_to_headings(page):
    broken = []
    for file, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", PAGES[page]):
        headings = re.findall(r"^#+ (.*)$", PAGES[Path(file).name if file else page], re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        broken += [] if anchor in anchors else [f"{file}#{anchor}"]
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_are_there(page):
    named = re.findall(r"`([\w.]+(?:/[\w.-]+)+/?)`", PAGES[page])
    places = (ROOT, PACKAGE, ROOT / "docs")
    own = ("runs/", "OUT/", "LABEL/")
    missing = [name for name in named if not any((place / name).exists() for place in places)]
    assert [name for name in missing if not name.startswith(own)] == []


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_commands_are_understood(page, command):
    function, given = parse(shlex.split(command, comments=True)[1:])
    asked = given.arguments
    built_in = ":" not in asked.get("algorithm", "") + asked.get("family", "") + " ".join(asked.get("sets", ()))
    if function.__name__ == "train" and built_in and {"preset", "sets"} & set(asked):
        resolve(asked["algorithm"], asked["family"], asked.get("preset"), sets=asked.get("sets", ()))


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("CHANGELOG.md", "algorithms.md")])
def test_settings_that_are_named_exist(page):
    said = [
        text for words in re.findall(r"`--set ((?:[\w.]+=[^ `]+ ?)+)", PAGES[page]) for text in words.strip().split()
    ]
    names = {text.partition("=")[0] for text in said}
    assert {name for name in names if not name.startswith("env.")} - every_setting() - {"NAME"} == set()


def test_renamed_settings_are_those_of_today():
    assert set(RENAMED.values()) <= every_setting()
    assert not set(RENAMED) & every_setting()


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_no_page_has_a_former_name_of_a_setting(page):
    # Words that are something else as well are left out.
    former = set(RENAMED) - {"explorations", "exploitations", "trials", "updates", "batch", "memory", "cost", "entropy"}
    assert [name for name in former if re.search(rf"`(--set )?{name}\b", PAGES[page])] == []


@pytest.mark.parametrize("page", [page for page in ALGORITHM_PAGES if page != "rl2.md"])
def test_methods_beside_the_equations_are_those_of_the_code(page):
    (table,) = re.findall(r"^\| loss \| method \|.*\n\|.*\n((?:\|.*\n)+)", PAGES[page], re.MULTILINE)
    named = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row)]
    sources = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "algorithms").rglob("*.py"))
    settings = settings_of(find(ALGORITHM_PAGES[page]))
    assert len(named) >= 2
    assert [name for name in named if f"def {name}(" not in sources and name not in settings] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", ALGORITHM_PAGES)
@pytest.mark.parametrize("learner", ["q", "ppo"])
def test_metrics_are_explained(page, learner):
    if learner == "ppo" and page in ("dream.md", "pearl.md", "metacure.md"):
        pytest.skip("learns from replayed trials only")
    tiny = TINY if learner == "q" else {name: value for name, value in TINY.items() if name != "capacity"}
    algorithm = make_algorithm(resolve(ALGORITHM_PAGES[page], "lever", sets=tiny | {"learner": learner}))
    env = scoutrl.make("lever", size=4)
    state = start(env, algorithm, 0)
    _, told = jax.eval_shape(lambda: chunk(DeviceSampler(env), algorithm, 1, state))
    explained = PAGES[page] + PAGES["dream.md"] + (PAGES["rl2.md"] if page in ("import.md", "varibad.md") else "")
    assert [name for name in told.metrics if f"`{name}`" not in explained] == []


def test_the_floors_are_those_of_the_test():
    (drawn,) = re.findall(r"```text\n(cli .*?)```", PAGES["architecture.md"], re.DOTALL)
    floors = [set(line[:25].split()) - {"…"} for line in reversed(drawn.splitlines())]
    assert floors[0] <= FLOORS[0]
    assert floors[1:] == [{*floor} for floor in FLOORS[1:-1]]


def test_every_algorithm_and_family_has_its_page():
    text = "".join(PAGES.values())
    assert [name for name in algorithms() if f"train {name} " not in text] == []
    assert [name for name in families() if f"`{name}`" not in PAGES["families.md"]] == []


@pytest.mark.slow
def test_the_examples_in_python_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(PRESETS["dream", "distracting-bus"], "default", Preset(64, TINY | {"evaluation_trials": 8}))
    for block in re.findall(r"```python\n(.*?)```", PAGES["python.md"], re.DOTALL):
        exec(block.replace("500_000", "64").replace("trials=1000", "trials=16"), {})
    assert re.search(r"^Discrete\(9.*\) 20$", capsys.readouterr().out, re.MULTILINE)


def test_a_comparison_is_read_and_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "compared").mkdir(parents=True)
    shutil.copy(ROOT / "benchmarks/results/compare/map.json", tmp_path / "runs/compared/results.json")
    (block,) = re.findall(r"```python\n(.*?)```", PAGES["comparing.md"], re.DOTALL)
    exec(block, {})
    assert (tmp_path / "curves.pdf").stat().st_size > 1000
