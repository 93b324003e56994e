"""The figures that respond, as Python objects: what a notebook and what a static page receive."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from rlcore import worlds
from rlcore.planning.discounted import value_iteration
from rlcore.widgets import GridFigure
from rlcore.widgets import _figure as base

TINY = {"layout": [".G", "S#"], "rewards": {"G": 2.0}, "step_reward": -0.1, "slip": 0.3, "gamma": 0.9}
WIDGET = "application/vnd.jupyter.widget-view+json"


def html_of(figure) -> str:
    return figure._repr_mimebundle_()[0]["text/html"]


def picture(figure) -> ElementTree.Element:
    return ElementTree.fromstring(re.search(r"<svg class=.*?</svg>", html_of(figure), re.DOTALL)[0])


def test_the_bundle_holds_the_widget_and_the_static_figure():
    figure = GridFigure()
    data, metadata = figure._repr_mimebundle_(include=None, exclude=None)
    assert data[WIDGET]["model_id"] == figure.model_id
    assert set(data) == {"text/plain", "text/html", WIDGET}
    assert isinstance(metadata, dict)
    assert data["text/html"].startswith('<figure class="rl-figure" data-rl-figure="grid">')


def test_the_data_of_the_page_are_the_arguments():
    data = re.search(r'<script type="application/json">(.*?)</script>', html_of(GridFigure(**TINY)))[1]
    assert json.loads(data) == {"world": TINY}


def test_nothing_in_the_page_points_elsewhere():
    assert "http" not in html_of(GridFigure())
    assert "http" not in base.bundle("grid").replace("http://www.w3.org/2000/svg", "")  # a name, not an address


def test_defaults_are_those_of_the_world():
    world = GridFigure().world
    assert world["layout"] == list(worlds.SMALL_GRID)
    np.testing.assert_array_equal(worlds.grid(**world).r, worlds.grid().r)


def test_the_still_picture_shows_the_solution():
    figure = GridFigure(**TINY)
    svg = picture(figure)
    v = value_iteration(worlds.grid(**TINY)).v
    written = [text.text for text in svg.iter("text")]
    assert written == [f"{v[0]:.2f}", "+2", f"{v[2]:.2f}"]  # reading order; the wall has no number
    turns = [path.get("transform") for path in svg.iter("path")]
    assert turns == ["translate(32 25) rotate(90)", "translate(32 25) rotate(0)"]  # right, then up
    assert svg.get("viewBox") == "0 0 128 128"


def test_colours_tell_the_sign_and_the_size():
    svg = picture(GridFigure([".G", ".X"], rewards={"G": 1.0, "X": -4.0}, slip=0.0))
    styles = [face.get("style") for face in svg.iter("rect") if face.get("style")]
    assert styles[1] == "fill:#0072b2;fill-opacity:0.150"
    assert styles[3] == "fill:#d55e00;fill-opacity:0.600"


def test_text_instead_of_the_picture():
    v = value_iteration(worlds.grid(**TINY)).v
    alt = picture(GridFigure(**TINY)).get("aria-label")
    assert "2 rows and 2 columns" in alt
    assert f"from {min(v[0], v[2]):.2f} to {max(v[0], v[2]):.2f}" in alt
    assert alt.endswith("pay 2.")
    assert "as there are none" in GridFigure([".S"]).alt
    assert picture(GridFigure(alt='A "small" <grid>')).get("aria-label") == 'A "small" <grid>'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": 1.5}, r"gamma must lie in \[0, 1\]; got 1.5"),
        ({"gamma": 1.0}, "Discounted solvers need gamma < 1"),
        ({"slip": -0.1}, "slip = -0.1"),
        ({"layout": [".q"]}, "'q' in row 0, column 1"),
        ({"layout": ["#"]}, "no free cell"),
        ({"rewards": {"G": float("nan"), "X": 0.0}}, "finite"),
    ],
)
def test_bad_worlds_are_refused_as_worlds_grid_refuses_them(arguments, message):
    with pytest.raises(ValueError, match=message):
        GridFigure(**arguments)


def test_a_bad_change_is_refused_and_leaves_the_figure_as_it_was():
    figure = GridFigure(**TINY)
    with pytest.raises(ValueError, match="gamma must lie"):
        figure.world = {**figure.world, "gamma": 2.0}
    assert figure.world == TINY


def test_the_process_follows_the_reader():
    figure = GridFigure(**TINY)
    figure.set_state({"world": {**TINY, "layout": ["SG", ".."], "gamma": 0.5}})  # what the front end sends
    assert figure.mdp.S == 4
    assert figure.mdp.gamma == 0.5


def test_numpy_numbers_are_accepted():
    figure = GridFigure(rewards={"G": np.int64(3), "X": np.float32(-1)}, gamma=np.float64(0.9))
    assert json.loads(json.dumps(figure.data()))["world"]["rewards"] == {"G": 3.0, "X": -1.0}


def test_one_text_for_jupyter_with_every_module_once():
    source = base.bundle("grid")
    assert 'from "./' not in source
    assert source.count("export function buildModel") == 1
    assert source.count("export const h =") == 1
    with pytest.raises(FileNotFoundError):
        base.bundle("no_such_figure")


def test_data_cannot_end_the_script_early(monkeypatch):
    figure = GridFigure(**TINY)
    monkeypatch.setattr(GridFigure, "data", lambda self: {"text": "</script><b>"})
    assert "</script><b>" not in html_of(figure)
    assert json.loads(re.search(r"json\">(.*?)</script>", html_of(figure))[1]) == {"text": "</script><b>"}


def test_a_figure_without_a_picture_says_so():
    class Empty(base.Figure):
        name = "shared"

    with pytest.raises(NotImplementedError, match="Empty needs a still"):
        Empty().html()


def test_numbers_are_written_with_about_three_digits():
    from rlcore.widgets.grid import short

    assert [short(x) for x in (0.714, -0.001, -9.9, 12.34, 456.7)] == ["0.71", "0.00", "−9.90", "12.3", "457"]
