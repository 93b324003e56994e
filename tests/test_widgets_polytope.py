"""The figure of a polytope of occupancies, as a Python object: what a notebook and what a static page receive."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from rlcore import FiniteMDP, worlds
from rlcore.planning import linear_programs as lp
from rlcore.planning.discounted import evaluate
from rlcore.widgets import PolytopeFigure
from rlcore.widgets import _figure as base
from rlcore.widgets._polytope_still import HEIGHT, LEFT, MARGIN, SIDE, TOP, WIDTH, axis_top

STAY = [[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]]  # no action leads anywhere else


def picture(figure) -> ElementTree.Element:
    return ElementTree.fromstring(re.search(r"<svg class=.*?</svg>", figure.html(), re.DOTALL)[0])


def marks(figure, tag: str, kind: str) -> list[ElementTree.Element]:
    return [mark for mark in picture(figure).iter(tag) if mark.get("class") == kind]


def in_plane(x: float, y: float, top: float) -> list[float]:
    """Where a place of the picture is in the plane."""
    return [top * (share * (1 + 2 * MARGIN) - MARGIN) for share in ((x - LEFT) / SIDE, (TOP + SIDE - y) / SIDE)]


def test_the_data_of_the_page_are_the_process_and_the_examples():
    figure = PolytopeFigure(limit=1.0, pi=(0.25, 1.0))
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure.html())[1])
    machine = worlds.machine_replacement(2, wear=(0.5, 0.5), operating_cost=4, replacement_cost=6, gamma=0.8)
    assert data["process"] == {
        "p": machine.P.reshape(2, 2, 2).swapaxes(0, 1).tolist(),
        "r": machine.r.tolist(),
        "gamma": 0.8,
        "mu": [0.5, 0.5],
        "costs": [[0, 1], [0, 1]],
        "limit": 1,
        "pi": [0.25, 1],
        "states": ["new", "worn"],
        "actions": ["keep", "replace"],
    }
    assert [preset["name"] for preset in data["presets"]] == ["machine", "machine, tied", "one way"]
    assert "http" not in figure.html() + base.bundle("polytope").replace("http://www.w3.org/2000/svg", "")


def test_one_text_for_jupyter_with_every_module_once():
    source = base.bundle("polytope")
    assert 'from "./' not in source
    assert source.count("export function describe") == source.count("export const h =") == 1


def test_the_process_survives_the_journey_and_the_policy_follows_the_reader():
    figure = PolytopeFigure()
    machine = worlds.machine_replacement(2, wear=(0.5, 0.5), operating_cost=4, replacement_cost=6, gamma=0.8)
    np.testing.assert_array_equal(figure.mdp.P, machine.P)
    np.testing.assert_array_equal(figure.mdp.r, machine.r)
    assert figure.mdp.action_labels == ("keep", "replace")
    figure.set_state({"process": {**figure.process, "pi": [0.25, 1], "gamma": 0.5}})  # what the front end sends
    np.testing.assert_array_equal(figure.policy, [[0.75, 0.25], [0, 1]])
    assert figure.mdp.gamma == 0.5


def test_the_examples_are_what_their_names_say():
    examples = {
        preset["name"]: PolytopeFigure().presets[k]["process"] for k, preset in enumerate(PolytopeFigure().presets)
    }
    tied = PolytopeFigure()
    tied.process = examples["machine, tied"]
    values = [tied.mdp.mu @ evaluate(tied.mdp, np.array(pi)) for pi in ([0, 0], [1, 0], [1, 1], [0, 1])]
    assert values[0] == pytest.approx(values[3], rel=1e-12)
    assert max(values[1:3]) < values[0] - 1
    tied.process = examples["one way"]
    assert tied.corners[0].tolist() == tied.corners[3].tolist()  # who stays here never sees what is there
    assert tied.corners[1].tolist() != tied.corners[2].tolist()


def test_the_still_picture_shows_the_corners_and_the_best_within_the_limit():
    figure = PolytopeFigure(limit=1.0)
    machine = figure.mdp
    expected = np.array([lp.occupancy(machine, np.array(pi))[:, 1] for pi in ([0, 0], [1, 0], [1, 1], [0, 1])])
    top = axis_top(expected.max())
    dots = [in_plane(float(c.get("cx")), float(c.get("cy")), top) for c in marks(figure, "circle", "rl-corner")]
    np.testing.assert_allclose(dots, expected, atol=1e-3 * top)
    tip = marks(figure, "polygon", "rl-star")[0].get("points").split()[0].split(",")
    best = lp.constrained(machine, np.array([[0, 1.0], [0, 1]]), 1.0).occupancy[:, 1]
    np.testing.assert_allclose(in_plane(float(tip[0]), float(tip[1]) + 13, top), best, atol=1e-3 * top)


def test_the_still_picture_shows_what_the_limit_leaves():
    figure = PolytopeFigure(limit=1.0)
    top = axis_top(figure.corners[:, :, 1].max())
    (kept,) = marks(figure, "polygon", "rl-kept")
    points = [in_plane(*map(float, point.split(",")), top) for point in kept.get("points").split()]
    corners = figure.corners[:, :, 1]
    on_edge = corners[1] + (1 - corners[1].sum()) / (corners[2] - corners[1]).sum() * (corners[2] - corners[1])
    np.testing.assert_allclose(points, [corners[0], corners[1], on_edge, [0, 1]], atol=1e-3 * top)
    (nothing,) = marks(PolytopeFigure(limit=-1), "polygon", "rl-kept")
    assert nothing.get("points") == ""


def test_lines_of_equal_reward_and_of_the_limit_go_through_the_best_point():
    figure = PolytopeFigure(limit=1.0)
    machine, top = figure.mdp, axis_top(figure.corners[:, :, 1].max())
    best = figure.best[:, 1]
    for kind in ("rl-level", "rl-limit-line"):
        (line,) = marks(figure, "line", kind)
        a, b = (np.array(in_plane(float(line.get(f"x{i}")), float(line.get(f"y{i}")), top)) for i in (1, 2))
        way = (b - a) / np.hypot(*(b - a))
        assert abs(np.linalg.det([way, best - a])) < 2e-3 * top, kind
    assert sum(a) == pytest.approx(1.0, abs=2e-3 * top)  # the limit's line: x(new, replace) + x(worn, replace) = 1
    assert machine.gamma == 0.8


def test_text_instead_of_the_picture():
    alt = PolytopeFigure().alt
    assert "Polygon with 4 corners in the plane of x(new, replace) and x(worn, replace)" in alt
    assert "D keep, replace 35.00" in alt
    assert alt.endswith("The best point is (0.00, 2.50), worth 35.00.")
    assert "A limit of 1 on the cost cuts it. The best point is (0.00, 1.00)" in PolytopeFigure(limit=1).alt
    assert PolytopeFigure(limit=-1).alt.endswith("No policy keeps the limit.")
    machine = PolytopeFigure().mdp
    worn = FiniteMDP(machine.P, machine.r, 0.8, mu=[0, 1], action_labels=("keep", "replace"))
    assert "Polygon with 3 corners" in PolytopeFigure(worn).alt
    apart = FiniteMDP.from_arrays(STAY, [[0, 1], [0, 1]], 0.8, mu=[0, 1])
    assert "Polygon with 2 corners" in PolytopeFigure(apart).alt
    assert picture(PolytopeFigure(alt='A "small" <figure>')).get("aria-label") == 'A "small" <figure>'


def test_the_table_is_there_without_javascript():
    table = re.search(r"<table>.*?</table>", PolytopeFigure().still(), re.DOTALL)[0]
    rows = [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(table).iter("tr")]
    assert rows[0] == ["policy", "v(new)", "v(worn)", "worth", "cost"]
    assert rows[4] == ["D keep, replace", "38.00", "32.00", "35.00", "2.50"]
    assert (WIDTH, HEIGHT) == (480, 420)


CORRIDOR = FiniteMDP([[0, 1], [0, 0], [1, 0], [0, 0]], [[1, 2], [0, 0]], 0.5, terminal=np.array([False, True]))
BARRED = FiniteMDP([[0, 1], [1, 0], [0, 0], [1, 0]], [[1, -np.inf], [0, 0]], 0.5)
PLAIN = FiniteMDP.from_arrays(STAY, [[0, 1], [0, 1]], 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mdp": worlds.machine_replacement(3)}, "3 states and 2 actions: the figure draws two of each"),
        ({"mdp": CORRIDOR}, "A state is terminal"),
        ({"mdp": BARRED}, "an action infeasible"),
        ({"mdp": PLAIN}, "gamma"),
        ({"states": ("new", "worn out!")}, "states = .*give two names of 1 to 8 letters"),
        ({"states": ("new",)}, "states = .*two names"),
        ({"costs": [[0, 1]]}, "costs must hold a finite number"),
        ({"costs": [[0, np.nan], [0, 1]]}, "costs must hold a finite number"),
        ({"limit": np.inf}, "limit = inf: give a finite number"),
        ({"limit": "1"}, "limit = '1'"),
        ({"pi": (0.5, 1.5)}, "pi = .*probability of the second action"),
        ({"pi": (0.5,)}, "pi = .*in each of the two states"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PolytopeFigure(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gamma": 1.5}, r"gamma must lie in \[0, 1\]"),
        ({"mu": [0.5, 0.6]}, "mu"),
        ({"p": [[1, 0], [0, 1]]}, r"p must have shape \(2, 2, 2\)"),
        ({"r": [[0, -np.inf], [0, 1]]}, "finite entries"),
        ({"p": [[[0.5, 0.4], [1, 0]], [[1, 0], [1, 0]]]}, "sum"),
    ],
)
def test_a_bad_change_is_refused_and_leaves_the_figure_as_it_was(change, message):
    figure = PolytopeFigure()
    before = figure.process
    with pytest.raises(ValueError, match=message):
        figure.process = {**before, **change}
    assert figure.process == before
