"""What an experiment writes is read back as the same object; anything else is refused in one line."""

import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

import scoutrl
from scoutrl.errors import ScoutError
from scoutrl.evaluation.scores import EvaluationProtocol
from scoutrl.exact.length import ExplorationLength
from scoutrl.results.comparison import AlgorithmResult, Budget, Comparison, SeedResult, read_comparison
from scoutrl.results.coupling import Coupling, CouplingResult, read_coupling
from scoutrl.results.curves import Curve
from scoutrl.results.files import write_results
from scoutrl.results.growth import Growth, SizeResult
from scoutrl.results.statistics import Iqm
from scoutrl.runs.provenance import Provenance

COMMITTED = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parents[2] / "benchmarks" / "results" / "compare").glob("*.json")
}

number = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.lists(number, max_size=3)
interval = st.none() | st.tuples(number, number)
json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | number | st.text(), lambda inner: st.lists(inner, max_size=3)
)
options = st.dictionaries(st.text(), json_value, max_size=3)
iqms = st.none() | st.builds(Iqm, number, interval, st.integers())
curves = st.none() | st.builds(Curve, numbers, numbers, st.none() | numbers, st.none() | numbers)
provenances = st.builds(Provenance, versions=st.dictionaries(st.text(), st.text(), max_size=2))
histories = st.dictionaries(st.integers(), provenances, max_size=2)
comparisons = st.builds(
    Comparison,
    path=st.just(Path("nowhere")),
    family_options=options,
    budget=st.builds(Budget, st.integers(), st.none()) | st.builds(Budget, st.none(), number),
    bounds=st.dictionaries(st.text(), number, max_size=2),
    evaluated_with=st.none() | provenances,
    shortest_exploration=st.none()
    | st.builds(ExplorationLength, steps=st.none() | number, reason=st.none() | st.text()),
    algorithms=st.lists(
        st.builds(
            AlgorithmResult,
            settings=options,
            final=iqms,
            seeds=st.lists(
                st.builds(
                    SeedResult,
                    run_dir=st.sampled_from(["dream/seed-0", "dream,bottleneck=none/seed-0"]),
                    seconds=number,
                    exploitation_return=st.none() | number,
                    exploration_return=st.none() | number,
                    exploration_length=st.none() | number,
                    provenance=histories,
                ),
                max_size=2,
            ).map(tuple),
            by_steps=curves,
            by_seconds=curves,
            protocol=st.none() | st.builds(EvaluationProtocol),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
)
growths = st.builds(
    Growth,
    points=st.lists(
        st.builds(
            SizeResult,
            env_steps=st.dictionaries(st.integers(), st.none() | st.integers(), max_size=2),
            failed=st.dictionaries(st.integers(), st.text(), max_size=2),
            middle=iqms,
        ),
        max_size=2,
    ).map(tuple),
    slope=st.none() | number,
    slope_ci95=interval,
)
couplings = st.builds(
    Coupling,
    path=st.just(Path("nowhere")),
    sizes=st.just((4, 8)),
    algorithms=st.lists(
        st.builds(
            CouplingResult,
            settings=options,
            explores=growths,
            solves=growths,
            provenance=st.dictionaries(
                st.integers(), st.dictionaries(st.integers(), histories, max_size=2), max_size=2
            ),
        ),
        max_size=2,
    ).map(tuple),
)
within_reason = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.slow
@within_reason
@given(comparisons)
def test_a_comparison_is_read_back_as_it_was(comparison):
    assert Comparison.from_dict(comparison.to_dict(), "nowhere") == comparison
    assert Comparison.from_dict(json.loads(json.dumps(comparison.to_dict())), "nowhere") == comparison


@within_reason
@given(couplings)
def test_a_coupling_result_is_read_back_as_it_was(coupling):
    assert Coupling.from_dict(coupling.to_dict(), "nowhere") == coupling
    assert Coupling.from_dict(json.loads(json.dumps(coupling.to_dict())), "nowhere") == coupling


@pytest.mark.parametrize("name", [name for name, content in COMMITTED.items() if "budget" in content])
def test_committed_comparisons_are_read_and_written_again(name, tmp_path):
    content = COMMITTED[name]
    file = tmp_path / "earlier.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    comparison = read_comparison(file)
    assert comparison.path == tmp_path
    write_results(tmp_path, comparison.to_dict())
    again = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert again == content | {"version": 1}
    assert read_comparison(tmp_path) == read_comparison(tmp_path / "results.json") == comparison


def test_the_committed_coupling_result_is_read_and_written_again(tmp_path):
    content = COMMITTED["coupling"]
    write_results(tmp_path, content)
    coupling = read_coupling(tmp_path)
    assert coupling.path == tmp_path
    write_results(tmp_path, coupling.to_dict())
    again = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    # The rates are computed anew: a logarithm may differ in its last digit from one processor to the next.
    assert again.pop("rates") == pytest.approx(content["rates"])
    assert again == {key: value for key, value in content.items() if key != "rates"} | {"version": 1}
    assert read_coupling(tmp_path) == coupling


def refused(path, read=scoutrl.read_comparison) -> str:
    with pytest.raises(ScoutError) as error:
        read(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_not_there_is_refused(tmp_path):
    assert f"{tmp_path / 'results.json'} cannot be read (No such file" in refused(tmp_path)
    assert "nowhere.json cannot be read (No such file" in refused(tmp_path / "nowhere.json")


@pytest.mark.parametrize("text", [b"", b'{"family": ', b"\xff\xfe", b'{"trials": NaN}', b"[" * 100_000])
def test_what_is_not_json_is_refused(text, tmp_path):
    (tmp_path / "results.json").write_bytes(text)
    assert "results.json is not JSON" in refused(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trials": "many"}, "expected `int`, got `str` - at `$.trials`"),
        ({"bounds": {"optimum": True}}, "expected `float`, got `bool` - at `$.bounds[...]`"),
        ({"algorithms": {}}, "expected `array`, got `object` - at `$.algorithms`"),
        ({"algorithms": [{"label": "dream"}]}, "missing required field"),
        ({"budget": None}, "got `null` - at `$.budget`"),
        ({"version": 2}, "of version 2, and this Scout reads version 1 only; update Scout"),
        ({"version": "new"}, "of version 'new'"),
    ],
)
def test_what_is_no_comparison_is_refused(change, message, tmp_path):
    write_results(tmp_path, COMMITTED["sign-dream"] | change)
    assert message in refused(tmp_path)


def test_one_experiment_is_not_read_as_another(tmp_path):
    write_results(tmp_path, COMMITTED["coupling"])
    assert "this is not a comparison that Scout wrote" in refused(tmp_path)
    write_results(tmp_path, COMMITTED["sign-dream"])
    assert "this is not a result of the coupling experiment that Scout wrote" in refused(tmp_path, read_coupling)
    for content in ([], "text", 3, None):
        (tmp_path / "results.json").write_text(json.dumps(content))
        assert "it is no JSON object" in refused(tmp_path)
