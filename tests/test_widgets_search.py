"""The figure of two searches as a Python object: what a notebook and what a static page receive."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from rlcore.planning import deterministic as det
from rlcore.widgets import SearchFigure
from rlcore.widgets import _figure as base

TINY = ["S5.", ".#G"]  # the only way leads through the mud: 5 + 1 + 1
SHUT = ["S#G", "..#"]


def html_of(figure) -> str:
    return figure._repr_mimebundle_()[0]["text/html"]


def pictures(figure) -> list[ElementTree.Element]:
    found = re.findall(r'<svg class="rl-board".*?</svg>', html_of(figure), re.DOTALL)
    return [ElementTree.fromstring(svg) for svg in found]


def faces(svg) -> list[str]:
    return [face.get("style") for face in svg.iter("rect") if face.get("style")]


def test_the_data_of_the_page_are_the_arguments():
    page = html_of(SearchFigure(TINY, weight=2))
    assert page.startswith('<figure class="rl-figure" data-rl-figure="search">')
    data = re.search(r'<script type="application/json">(.*?)</script>', page)[1]
    assert json.loads(data) == {"world": {"layout": TINY, "weight": 2.0}}


def test_nothing_in_the_page_points_elsewhere():
    assert "http" not in html_of(SearchFigure())
    assert "http" not in base.bundle("search").replace("http://www.w3.org/2000/svg", "")  # a name, not an address


def test_one_text_for_jupyter_with_every_module_once():
    source = base.bundle("search")
    assert 'from "./' not in source
    assert source.count("export function buildGraph") == source.count("export function createCells") == 1
    names = re.findall(r"^(?:export )?(?:const|let|function|class) (\w+)", source, re.MULTILINE)
    assert len(names) == len(set(names))  # modules that become one must not share a name


def test_the_searches_are_those_of_rlcore():
    figure = SearchFigure(TINY, weight=2)
    graph, start, goal = figure.graph, figure.start, figure.goal
    assert (graph.labels[start], graph.labels[goal]) == ((0, 0), (1, 2))
    assert figure.searches["Dijkstra"].distance[goal] == 7
    star = det.a_star(graph, start, goal, 2 * det.manhattan(graph, goal), check=False, reopen=True)
    np.testing.assert_array_equal(figure.searches["A*"].order, star.order)


def test_the_default_shows_what_an_inflated_guess_costs():
    plain, star = SearchFigure(weight=2).searches.values()
    goal = SearchFigure().goal
    assert star.distance[goal] > plain.distance[goal]
    assert len(star.order) > len(set(star.order.tolist()))  # something is expanded again
    assert len(SearchFigure().searches["A*"].order) < len(plain.order)


def test_the_still_picture_shows_order_frontier_and_path():
    figure = SearchFigure(TINY)
    plain = pictures(figure)[0]
    # Dijkstra: S at step 1, (1, 0) at 2, the mud at 3, then (0, 2) and G at step 5, all of them; (1, 1) is a wall
    assert figure.searches["Dijkstra"].order.tolist() == [0, 3, 1, 2, 4]
    shades = [float(re.search(r"fill-opacity:(.*)", style)[1]) for style in faces(plain)]
    step = {0: 1, 1: 3, 2: 4, 3: 2, 5: 5}
    for cell, k in step.items():
        assert shades[cell] == pytest.approx(0.12 + 0.48 * k / 5, abs=1e-3)
    assert "currentColor" in faces(plain)[4]
    assert [text.text for text in plain.iter("text")] == ["S", "5", "G"]
    (path,) = plain.iter("polyline")
    assert path.get("points") == "28.8,16 48,16 80,16 80,35.2"  # it begins beside the S and ends beside the G
    assert plain.get("viewBox") == "0 0 96 64"


def test_cells_that_wait_are_marked():
    figure = SearchFigure(["..S.G.."])
    waiting = [len([r for r in svg.iter("rect") if r.get("class") == "rl-waits"]) for svg in pictures(figure)]
    expected = [int((np.isfinite(s.distance) & ~s.settled).sum()) for s in figure.searches.values()]
    assert waiting == expected
    assert expected[1] == 1  # A* leaves the cell behind the start


def test_where_the_goal_cannot_be_reached_no_path_is_drawn():
    figure = SearchFigure(SHUT)
    assert html_of(figure).count("no path</span>") == 2
    assert not any(list(svg.iter("polyline")) for svg in pictures(figure))
    assert "no path" in figure.alt


def test_text_instead_of_the_picture():
    figure = SearchFigure(weight=2)
    plain, star = figure.searches.values()
    for text in (f"Dijkstra: {len(plain.order)} expanded", f"A*: {len(star.order)} expanded", "9 rows and 13 columns"):
        assert text in figure.alt
    assert f"cost {star.distance[figure.goal]:g}" in figure.alt
    assert figure.alt.endswith("2 times the Manhattan distance.")
    assert 'aria-label="A &quot;small&quot; &lt;grid&gt;"' in html_of(SearchFigure(TINY, alt='A "small" <grid>'))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": ["S.q", "..G"]}, "'q' in row 0, column 2"),
        ({"layout": ["S.", "..G"]}, "make them equal"),
        ({"layout": "S.G"}, "give a list of rows"),
        ({"layout": ["..G"]}, "0 cells 'S': mark exactly one cell as the start"),
        ({"layout": ["SGG"]}, "2 cells 'G': mark exactly one cell as the goal"),
        ({"layout": ["SG" + 39 * "."]}, "1 rows and 41 columns: give at most 40"),
        ({"layout": ["SG", *41 * [".."]]}, "42 rows and 2 columns: give at most 40"),
        ({"weight": -0.5}, "weight = -0.5: give a finite number of at least 0"),
        ({"weight": float("nan")}, "weight = nan"),
        ({"weight": float("inf")}, "weight = inf"),
        ({"weight": "2"}, "weight = '2'"),
    ],
)
def test_bad_worlds_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SearchFigure(**arguments)


def test_a_bad_change_is_refused_and_leaves_the_figure_as_it_was():
    figure = SearchFigure(TINY)
    with pytest.raises(ValueError, match="weight = -1"):
        figure.world = {**figure.world, "weight": -1}
    assert figure.world == {"layout": TINY, "weight": 1.0}


def test_the_searches_follow_the_reader():
    figure = SearchFigure(TINY)
    figure.set_state({"world": {"layout": ["S.G"], "weight": 0}})  # what the front end sends
    assert figure.graph.n == 3
    assert [search.order.tolist() for search in figure.searches.values()] == [[0, 1, 2], [0, 1, 2]]


def test_numpy_numbers_are_accepted():
    assert json.loads(json.dumps(SearchFigure(TINY, weight=np.float32(1.5)).data()))["world"]["weight"] == 1.5
