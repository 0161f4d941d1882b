import pytest

from scoutrl.errors import ScoutError
from scoutrl.experiments.variants import read_variants


def test_settings_follow_after_commas():
    plain, variant = read_variants(["dream", "probes.scripted:Script,sizes=2,3,preset=fast,note=a=b"])
    assert (plain.label, plain.algorithm, plain.preset, plain.sets) == ("dream", "dream", None, {})
    assert variant.algorithm == "probes.scripted:Script"
    assert variant.preset == "fast"
    assert variant.sets == {"sizes": "2,3", "note": "a=b"}
    assert variant.directory == "probes.scripted-Script,sizes=2,3,preset=fast,note=a=b"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "name one algorithm or more"),
        (["draem"], "did you mean 'dream'"),
        (["dream", "dream"], "'dream' is named twice"),
        (["dream,fast"], "'fast' in 'dream,fast' is no setting: write dream,NAME=VALUE"),
        (["dream,=3"], "is no setting"),
        (["dream,env.size=3"], "would change the family for one algorithm only"),
    ],
)
def test_mistakes(texts, message):
    with pytest.raises(ScoutError, match=message):
        read_variants(texts)
