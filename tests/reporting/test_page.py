"""Pages, as their file and in a browser."""

import dataclasses
import json
import re
from pathlib import Path

import equinox as eqx
import numpy as np
import pytest
from reporting.browser import Browser, chromium
from reporting.pages import NamedRooms, hostile, untrained

import scoutrl
from scoutrl.errors import ScoutError
from scoutrl.reporting.page.comparison import comparison_page
from scoutrl.reporting.page.html import fill, in_script
from scoutrl.reporting.page.latent import information
from scoutrl.reporting.page.run import run_page
from scoutrl.results.comparison import read_comparison

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.S)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="session")
def page(tmp_path_factory) -> Path:
    """The page of a run, as a file."""
    scratch = tmp_path_factory.mktemp("page")
    return run_page([untrained(scratch / "run", NamedRooms())]).save(scratch / "page.html")


def data_of(page: Path) -> dict:
    found = DATA.search(page.read_text())
    assert found is not None
    return json.loads(found[1])


@pytest.mark.slow
def test_a_page_has_every_moment_of_its_trials(page):
    data = data_of(page)
    assert len(data["cases"]) == len(data["lives"]) == 16
    for (life,) in data["lives"]:
        moments = sum(episode["moments"] for episode in life["episodes"])
        assert all(len(life[name]) == moments for name in ("rewards", "known", "spots", "actions", "values"))
        assert [episode["phase"] for episode in life["episodes"]] == ["exploration", "exploitation"]
        # What is chosen greedily is what is expected most of.
        for values, action in zip(life["values"], life["actions"], strict=True):
            assert (values is None) == (action is None)
            assert values is None or values[action] == max(values)


def test_goals_are_shown_only_where_the_agent_is_shown_them(page):
    for (life,) in data_of(page)["lives"]:
        explored, exploited = life["episodes"]
        assert explored["goal"] is None
        assert exploited["goal"].startswith("aim ")


def test_hardest_problems_come_first(page):
    scores = [float(case["score"].replace("−", "-")) for case in data_of(page)["cases"]]
    assert scores == sorted(scores)


def test_a_page_is_one_file_that_asks_for_nothing(page, browser):
    text = page.read_text()
    assert len(text) < 1_000_000
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    browser.open(page)
    assert browser.requests() == []
    assert browser.complaints() == []


def moment(browser: Browser) -> tuple[int, int]:
    """Where the scrubber is, and which bar is marked."""
    bars = "[...document.querySelectorAll('.gain > button')].findIndex((bar) => bar.classList.contains('current'))"
    return tuple(browser.run(f"[Number(document.getElementById('scrubber').value), {bars}]"))


def test_arrow_keys_move_frame_and_bar(page, browser):
    browser.open(page)
    assert moment(browser) == (0, 0)
    said = browser.run("document.querySelector('.frame').getAttribute('aria-label')")
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    assert moment(browser) == (2, 2)
    assert browser.run("document.querySelector('.frame').getAttribute('aria-label')") != said
    browser.press("ArrowLeft")
    assert moment(browser) == (1, 1)


def test_the_frame_shows_the_moment(page, browser):
    browser.open(page)
    pixels = (
        "(() => { const c = document.querySelector('.frame');"
        "return [2, 3].map((x) => c.getContext('2d').getImageData(2 * x + 1, 4, 1, 1).data[0] > 100) })()"
    )
    browser.run("new Promise((done) => setTimeout(done, 200))")
    assert browser.run(pixels) == [True, False]
    browser.press("ArrowRight")
    assert browser.run(pixels) == [False, True]


def test_space_plays_to_the_end(page, browser):
    browser.open(page)
    browser.run("document.getElementById('scrubber').focus()")
    browser.press(" ")
    assert browser.run("document.getElementById('play').textContent") == "Pause"
    assert browser.run(
        "new Promise((done) => setTimeout(() => done(document.getElementById('scrubber').value > 0), 1200))"
    )


def test_tables_sort_and_rows_open_the_player(page, browser):
    browser.open(page)
    column = "[...document.querySelectorAll('#failing tbody tr')].map((row) => Number(row.cells[2].dataset.value))"
    head = "document.querySelectorAll('#failing thead button')[2].click()"
    browser.run(head)
    rising = browser.run(column)
    browser.run(head)
    falling = browser.run(column)
    assert rising == sorted(rising)
    assert falling == sorted(rising, reverse=True)
    browser.run("document.querySelector('#failing tbody button').focus()")
    which = browser.run("Number(document.querySelector('#failing tbody tr').dataset.case)")
    browser.press("Enter")
    pressed = (
        "[...document.getElementById('cases').children].findIndex((b) => b.getAttribute('aria-pressed') === 'true')"
    )
    assert browser.run(pressed) == which


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_window(width, page, browser):
    browser.open(page, width=width)
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_every_control_can_be_reached_and_has_a_name(page, browser):
    browser.open(page)
    nameless = browser.run(
        "[...document.querySelectorAll('button, input, select')].filter((one) => !(one.textContent.trim() "
        "|| one.getAttribute('aria-label') || one.closest('label'))).map((one) => one.outerHTML)"
    )
    assert nameless == []


class HostileRooms(NamedRooms):
    texts: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, texts):
        super().__init__()
        self.texts = tuple(texts)

    def name(self, of):
        # Each name has all of the texts: no text is left out because its problem was not drawn.
        return of + "".join(self.texts)


@pytest.mark.slow
def test_hostile_names_stay_text(tmp_path, browser):
    texts = hostile()
    assert len(texts) == 50
    # Of paths, file systems admit less.
    trained = untrained(
        tmp_path / "<img src=x onerror=window.hit=1>" / "'\"><svg onload=window.hit=1>", HostileRooms(texts)
    )
    made = run_page([trained]).html
    # Without the page's policy, which would stop what had got through.
    open_ = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", made)
    assert len(open_) < len(made)
    (tmp_path / "page.html").write_text(open_)
    browser.open(tmp_path / "page.html")
    for _ in range(6):
        browser.press("ArrowRight")
    browser.run("document.querySelectorAll('tr[data-case]')[1].click()")
    assert browser.run("window.hit === undefined")
    assert browser.run("document.querySelectorAll('script').length") == 3
    assert browser.run("document.querySelectorAll('iframe, math, body svg:not([viewBox])').length") == 0
    handlers = "[...document.querySelectorAll('*')].flatMap((e) => [...e.attributes]).filter((a) => /^on/.test(a.name))"
    assert browser.run(f"{handlers}.length") == 0
    assert browser.complaints() == []
    # They are there, word for word.
    shown = browser.run("document.getElementById('legend').textContent")
    assert all(text in shown for text in texts)


def test_the_probe_of_hostile_names_can_fail(tmp_path, browser):
    (tmp_path / "page.html").write_text("<title>x</title><p>" + hostile()[0] + hostile()[2])
    browser.open(tmp_path / "page.html")
    assert browser.run("new Promise((done) => setTimeout(() => done(window.hit), 200))") == 1


def test_data_cannot_end_its_script():
    text = in_script({"a": "</script><!-- &\u2028"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!-- &\u2028"}


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(page):
    from scoutrl.reporting.page.html import Page

    shown = Page('<p title="a">b</p>')._repr_html_()
    assert 'sandbox="allow-scripts"' in shown
    assert "&lt;p title=&quot;a&quot;&gt;" in shown


def test_a_page_that_cannot_be_written(tmp_path):
    from scoutrl.reporting.page.html import Page

    (tmp_path / "file").write_text("")
    with pytest.raises(ScoutError, match="file"):
        Page("").save(tmp_path / "file" / "page.html")


def test_information_that_z_keeps():
    ids = np.array([(a, b) for a in range(4) for b in range(4)])
    f = np.eye(4)[ids[:, 0]]
    first, second = information(f, ids, 0.05, ("useful", "useless"))
    assert first.bits == pytest.approx(2.0, abs=0.01)
    assert first.share == pytest.approx(1.0)
    assert second.bits == pytest.approx(0.0, abs=0.01)
    assert second.share == pytest.approx(0.0)
    assert first.all_bits == pytest.approx(2.0)
    blurred, _ = information(f, ids, 50.0, ("useful", "useless"))
    assert blurred.bits < 0.1


def test_a_template_that_lacks_something_is_no_page():
    with pytest.raises(Exception, match="undefined"):
        fill({}, {})


@pytest.mark.slow
def test_several_seeds_are_on_one_page(tmp_path, browser):
    seeds = [untrained(tmp_path / str(seed), NamedRooms(), seed) for seed in (0, 1, 2)]
    file = run_page(seeds).save(tmp_path / "page.html")
    browser.open(file)
    assert browser.complaints() == []
    assert browser.run("document.querySelectorAll('section table.sortable tbody')[0].rows.length") == 3
    assert "3 seeds" in browser.run("document.querySelector('h1').textContent")
    (returns, *_) = data_of(file)["charts"]
    assert set(returns["lines"][0]["steps"]) == {"x", "y", "low", "high"}


COMMITTED = Path(__file__).parents[2] / "benchmarks" / "results" / "compare" / "map.json"


def test_a_comparison_whose_runs_are_gone_has_its_figures(tmp_path, browser, capsys):
    file = scoutrl.report(COMMITTED).save(tmp_path / "page.html")
    assert "cannot be watched" in capsys.readouterr().err
    browser.open(file)
    assert browser.complaints() == []
    labels = browser.run("[...document.querySelectorAll('table.sortable tbody th')].map((cell) => cell.textContent)")
    assert labels == [one.label for one in read_comparison(COMMITTED).algorithms]


@pytest.mark.slow
def test_algorithms_are_watched_side_by_side(tmp_path, browser):
    """Two agents on the same problems: both lanes are at the same moment."""
    found = read_comparison(COMMITTED)
    lanes = []
    for number, one in enumerate(found.algorithms[:2]):
        seed = dataclasses.replace(one.seeds[0], run_dir=f"{number}", exploitation_return=0.5, failure=None)
        lanes.append(dataclasses.replace(one, seeds=(seed,)))
        untrained(tmp_path / str(number), NamedRooms(), number, saved=True)
    two = dataclasses.replace(found, path=tmp_path, algorithms=tuple(lanes))
    file = comparison_page(two, NamedRooms(), trust=True).save(tmp_path / "page.html")
    browser.open(file)
    assert browser.complaints() == []
    browser.press("ArrowRight")
    steps = browser.run("[...document.querySelectorAll('.now')].map((now) => /step (\\d) of/.exec(now.textContent)[1])")
    assert steps == ["1", "1"]


@pytest.mark.slow
def test_agents_that_tell_nothing_of_what_they_know_can_be_watched(scripted_run, tmp_path, browser):
    """Neither values of actions nor knowledge nor z: the page does without."""
    file = scoutrl.report(scripted_run, NamedRooms(), trust=True).save(tmp_path / "page.html")
    data = data_of(file)
    assert data["latent"] is None
    assert all(known is None for (life,) in data["lives"] for known in life["known"])
    assert [episode["phase"] for episode in data["lives"][0][0]["episodes"]] == ["exploration"] + 2 * ["exploitation"]
    browser.open(file)
    assert browser.complaints() == []
    browser.press("ArrowRight")
    assert "step 1 of 2" in browser.run("document.querySelector('.now').textContent")
    assert browser.run("document.querySelector('.gain').hidden && document.querySelector('.values').hidden")


def test_hostile_labels_and_failures_of_a_comparison_stay_text(tmp_path, browser):
    found = read_comparison(COMMITTED)
    texts = hostile()
    algorithms = []
    for number, one in enumerate(found.algorithms[:2]):
        failed = dataclasses.replace(one.seeds[0], failure="".join(texts), run_dir=texts[2])
        algorithms.append(dataclasses.replace(one, label="".join(texts[number::2]), seeds=(failed, *one.seeds[1:])))
    hostile_one = dataclasses.replace(found, algorithms=tuple(algorithms), family="".join(texts), path=tmp_path)
    made = comparison_page(hostile_one, None, trust=False).html
    (tmp_path / "page.html").write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", made))
    browser.open(tmp_path / "page.html")
    assert browser.run("window.hit === undefined")
    assert browser.run("document.querySelectorAll('script').length") == 3
    assert browser.complaints() == []
    shown = browser.run("document.body.innerText")
    assert all(text.split("\u2028")[0] in shown for text in texts)
