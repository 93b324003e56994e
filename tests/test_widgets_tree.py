"""The figure of a growing search tree as a Python object: what a notebook and what a static page receive."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from rlcore import FiniteMDP
from rlcore.planning import discounted
from rlcore.planning import tree_search as ts
from rlcore.widgets import TreeFigure
from rlcore.widgets import _figure as base
from rlcore.widgets.tree import mountain, nim, of_game, of_process


def html_of(figure) -> str:
    return figure._repr_mimebundle_()[0]["text/html"]


def picture(figure) -> ElementTree.Element:
    return ElementTree.fromstring(re.search(r'<svg class="rl-growth".*?</svg>', html_of(figure), re.DOTALL)[0])


def shapes(svg, kind: str) -> list[ElementTree.Element]:
    return [shape for shape in svg.iter(kind) if shape.get("class") != "rl-paper"]


def test_the_data_of_the_page_are_the_arguments():
    page = html_of(TreeFigure("trap", c=2, seed=3, simulations=7))
    assert page.startswith('<figure class="rl-figure" data-rl-figure="tree">')
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])
    assert data["world"] == {"example": "trap", "c": 2.0, "seed": 3, "simulations": 7}
    assert list(data["examples"]) == ["chance", "game", "trap"]


def test_nothing_in_the_page_points_elsewhere():
    assert "http" not in html_of(TreeFigure())
    assert "http" not in base.bundle("tree").replace("http://www.w3.org/2000/svg", "")  # a name, not an address


def test_one_text_for_jupyter_with_every_module_once():
    source = base.bundle("tree")
    assert 'from "./' not in source
    assert source.count("export function beginSearch") == source.count("export function createTreeBoard") == 1
    names = re.findall(r"^(?:export )?(?:const|let|function|class) (\w+)", source, re.MULTILINE)
    names += [n for line in re.findall(r"^const \[(.*?)\] =", source, re.MULTILINE) for n in line.split(", ")]
    assert len(names) == len(set(names))  # modules that become one must not share a name


# ---------------------------------------------------------------- examples and their exact values


def test_the_tables_draw_as_the_models_do():
    for problem in TreeFigure()._examples.values():
        process, labels, rng = problem.model.players == 1, problem.table["states"], np.random.default_rng(1)
        for i, row in enumerate(problem.table["rows"]):
            state = i if process else int(labels[i])
            for option in row:
                drawn = [problem.model(state, option["action"], rng) for _ in range(60)]
                where = [labels[s] if process else str(s) for s, *_ in drawn]
                assert set(where) == {labels[k] for k in option["support"]}
                for place, (_, r, discount) in zip(where, drawn, strict=True):
                    assert r == option["reward"]
                    assert discount == option["discounts"][option["support"].index(labels.index(place))]


def test_the_exact_values_of_a_process_solve_its_equation():
    mdp = mountain()
    v = np.zeros(mdp.S)
    for _ in range(500):
        v = np.where(mdp.terminal, 0, mdp.q(v).max(axis=1))
    np.testing.assert_allclose(of_process(mdp, 0).exact, mdp.q(v)[0], rtol=0, atol=1e-9)
    assert of_process(mdp, 0).exact.argmax() == 1
    np.testing.assert_allclose(v, discounted.solve(mdp, tol=1e-10).v, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("heap", "most"), [(heap, most) for heap in range(1, 13) for most in (1, 2, 3, 4)])
def test_the_exact_values_of_nim_are_those_of_the_theory(heap, most):
    left = heap - 1 - np.arange(min(heap, most))
    exact = of_game(nim(most), heap, [str(a) for a in range(most)]).exact
    np.testing.assert_array_equal(exact, np.where(left % (most + 1) == 0, 1, -1))


def test_leaving_at_once_is_almost_best_in_the_trap():
    np.testing.assert_allclose(TreeFigure("trap").problem.exact, [0.8, 1.0], rtol=0, atol=1e-12)


def test_actions_that_are_infeasible_at_the_start_are_left_out():
    r = np.array([[0.0, -np.inf, 2.0], [0.0, 0.0, 0.0]])
    p = np.zeros((2, 3, 2))
    p[..., 1] = 1
    problem = of_process(FiniteMDP.from_arrays(p, r, 0.5, terminal=[False, True]), 0)
    assert problem.exact.tolist() == [0.0, 2.0]
    assert [option["action"] for option in problem.table["rows"][0]] == [0, 2]


# ---------------------------------------------------------------- the still picture


@pytest.mark.parametrize("example", ["chance", "game", "trap"])
def test_the_still_picture_shows_the_tree(example):
    figure = TreeFigure(example, simulations=80)
    svg, tree = picture(figure), figure.tree
    ends = tree.terminal[: tree.N].sum()
    assert (len(shapes(svg, "rect")), len(shapes(svg, "circle"))) == (ends, tree.N - ends)
    lines = [line.get("class") for line in svg.iter("polyline")]
    assert len(lines) == tree.N - 1
    assert sum("rl-on" in line for line in lines) == len(tree.history[-1][0]) - 1
    assert bool(list(svg.iter("path"))) == (example == "chance")


def test_at_most_two_hundred_nodes_are_drawn():
    figure = TreeFigure(simulations=1500)
    svg = picture(figure)
    assert figure.tree.N > 200 == len(shapes(svg, "rect")) + len(shapes(svg, "circle"))


def test_numbers_are_for_whoever_took_the_action():
    figure = TreeFigure("game", simulations=80)
    tree, problem = figure.tree, figure.problem
    for node in range(1, tree.N):  # without chance, the mean through a node is that of the action
        expected = tree.action_values[tree.parent[node], tree.action[node]]
        assert problem.worth(tree, node) == pytest.approx(expected, abs=1e-12)
    assert problem.worth(tree, 0) == tree.root_value


def test_where_there_is_chance_outcomes_average_to_their_action():
    figure = TreeFigure("chance", simulations=200)
    tree, problem = figure.tree, figure.problem
    children = [node for node in range(1, tree.N) if tree.parent[node] == 0 and tree.action[node] == 1]
    weights = tree.node_visits[children]
    mean = np.average([problem.worth(tree, node) for node in children], weights=weights)
    assert len(children) == 2
    assert mean == pytest.approx(tree.action_values[0, 1], abs=1e-12)


def test_text_instead_of_the_picture():
    figure = TreeFigure("game", simulations=60)
    tree = figure.tree
    text = f"take 3 {tree.action_visits[0, 2]} visits and mean {tree.action_values[0, 2]:.2f} (exact 1.00)"
    assert text in figure.alt
    assert f"{tree.N} nodes" in figure.alt
    assert figure.alt.endswith("The most visited action is take 3.")
    assert picture(figure).get("aria-label") == figure.alt
    assert 'aria-label="A &quot;small&quot; &lt;tree&gt;"' in html_of(TreeFigure(alt='A "small" <tree>'))


def test_before_the_first_simulation_there_is_no_tree():
    figure = TreeFigure(simulations=0)
    assert figure.tree is None
    assert figure.alt == "A search tree before the first simulation: only its root."
    assert [shape.tag for shape in picture(figure)] == ["circle"]


def test_the_questions_of_the_chapter_have_an_answer():
    """To the end of the figure, c = 1 stays in the trap and c = 1.5 gets out; greed tries one action hardly at all."""
    best = [TreeFigure("trap", c=c, simulations=3000).tree.best_action for c in (1, 1.5)]
    assert best == [0, 1]
    visits = np.array([TreeFigure(c=0, seed=s, simulations=100).tree.action_visits[0] for s in range(12)])
    assert (visits.min(axis=1) <= 3).all()
    assert (visits[:, 0] > 90).any()
    assert (visits[:, 1] > 90).any()


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"example": "go"}, "no example 'go': choose among chance, game, trap"),
        ({"c": -0.5}, "c = -0.5: give a finite number of at least 0"),
        ({"c": float("nan")}, "c = nan"),
        ({"c": "1"}, "c = '1'"),
        ({"seed": -1}, r"seed = -1: give an integer in 0..2\*\*32 - 1"),
        ({"seed": 2**32}, "seed = 4294967296"),
        ({"seed": 0.5}, "seed = 0.5"),
        ({"simulations": 3001}, "simulations = 3001: give an integer in 0..3000"),
        ({"simulations": 1.5}, "simulations = 1.5"),
        ({"examples": {}}, "examples is empty: give at least one"),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TreeFigure(**arguments)


def test_a_bad_change_is_refused_and_leaves_the_figure_as_it_was():
    figure = TreeFigure()
    before = dict(figure.world)
    with pytest.raises(ValueError, match="c = -1"):
        figure.world = {**before, "c": -1}
    assert figure.world == before


def test_the_tree_follows_the_reader():
    figure = TreeFigure()
    figure.set_state({"world": {"example": "game", "c": 0.5, "seed": 9, "simulations": 44}})  # from the front end
    tree = ts.mcts(nim(), 7, budget=44, c=0.5, rng=9)
    assert figure.tree.history == tree.history
    assert figure.tree.N == tree.N


def test_examples_of_ones_own():
    figure = TreeFigure(examples={"heap": of_game(nim(2), 4, ["one", "two"])}, c=np.float32(1.5), seed=np.int64(2))
    assert figure.world["example"] == "heap"
    assert "one" in figure.alt
    json.dumps(figure.data())
