import pytest

from scoutrl.reporting.style import spread


@pytest.mark.parametrize(
    ("places", "spread_out"),
    [
        ([], []),
        ([0.1, 0.9], [0.1, 0.9]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.2, 0.5, 0.5, 0.52], [0.2, 0.4067, 0.5067, 0.6067]),
        ([0.4, 0.5, 0.5], [0.3667, 0.4667, 0.5667]),
    ],
)
def test_labels_are_moved_apart_as_little_as_needed(places, spread_out):
    assert spread(places, 0.1) == pytest.approx(spread_out, abs=1e-3)
