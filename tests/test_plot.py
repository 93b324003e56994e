"""The figures: what is drawn, in which colours, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle
from matplotlib.quiver import Quiver

from rlcore import FiniteMDP, plot, worlds
from rlcore._grid_figure import WALL
from rlcore.planning import deterministic as det
from rlcore.planning import tree_search
from rlcore.planning.discounted import evaluate, policy_iteration, solve, value_iteration


@pytest.fixture(autouse=True)
def _fresh_figures():
    with mpl.rc_context():
        plot.use_style()
        yield
    plt.close("all")


def patches(ax, kind):
    return [patch for patch in ax.patches if isinstance(patch, kind)]


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def contrast(a, b) -> float:
    low, high = sorted([plot.luminance(a), plot.luminance(b)])
    return (high + 0.05) / (low + 0.05)


# ---------------------------------------------------------------------- style


@pytest.mark.parametrize("colour", plot.COLORS)
def test_colours_are_legible_on_light_and_dark_pages(colour):
    """WCAG 2.1, criterion 1.4.11: graphical objects have a contrast of at least 3."""
    assert contrast(colour, "#ffffff") >= 3
    assert contrast(colour, "#121212") >= 3


def test_luminance_of_known_colours():
    assert plot.luminance("#ffffff") == pytest.approx(1)
    assert plot.luminance("#000000") == 0
    assert plot.luminance("#ff0000") == pytest.approx(0.2126)


def test_a_figure_has_no_grey_of_its_own_and_no_black():
    """Texts and axes carry FOREGROUND, which a page replaces; the background likewise."""
    ax = plot.lines(np.arange(3), {"a": np.arange(3.0)}, xlabel="x")
    ax.figure.canvas.draw()
    assert to_hex(ax.figure.get_facecolor()) == to_hex(ax.get_facecolor()) == plot.BACKGROUND
    labels = [*ax.get_xticklabels(), *ax.get_legend().get_texts(), ax.xaxis.label]
    assert {to_hex(text.get_color()) for text in labels} == {plot.FOREGROUND}
    assert to_hex(ax.spines["left"].get_edgecolor()) == plot.FOREGROUND


def test_inside_ipython_figures_are_svg_and_repeat_to_the_byte():
    code = (
        "from IPython.testing.globalipapp import start_ipython\n"
        "ip = start_ipython()\n"
        "ip.display_formatter.active_types = ip.display_formatter.format_types\n"
        "from rlcore import plot, worlds\n"
        "plot.use_style()\n"
        "formatter = ip.display_formatter.formatters['image/svg+xml']\n"
        "a, b = (formatter(plot.grid(worlds.grid()).figure) for _ in range(2))\n"
        "assert '<svg' in a and a == b, (a[:80], len(a), len(b))\n"
        "assert ip.display_formatter.formatters['image/png'](plot.grid(worlds.grid()).figure) is None\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_every_function_draws_on_the_axes_it_gets():
    mdp = worlds.two_state()
    tree = tree_search.mcts(tree_search.generative(mdp), 0, budget=20, rng=0)
    draw = {
        "grid": lambda ax: plot.grid(worlds.grid(), ax=ax),
        "lines": lambda ax: plot.lines([0, 1], {"a": [1.0, 2.0]}, ax),
        "values": lambda ax: plot.values(np.arange(3.0), ax),
        "residuals": lambda ax: plot.residuals({"a": np.array([1.0, 0.1])}, ax),
        "mean_interval": lambda ax: plot.mean_interval(np.arange(2), np.zeros((30, 2)), ax),
        "transitions": lambda ax: plot.transitions(mdp, ax=ax),
        "dependencies": lambda ax: plot.dependencies({"a": []}, ax),
        "chain": lambda ax: plot.chain(np.eye(2), ax),
        "search": lambda ax: plot.search(det.dijkstra(det.Graph.from_grid(["S.G"]), 0), ax=ax),
        "search_tree": lambda ax: plot.search_tree(tree, ax),
    }
    assert set(draw) == {name for name in plot.__all__ if name[0].islower()} - {"use_style", "luminance"}
    for function in draw.values():
        _, ax = plt.subplots()
        before = len(plt.get_fignums())
        assert function(ax) is ax
        assert len(plt.get_fignums()) == before


# ---------------------------------------------------------------------- grid


def test_grid_draws_each_cell_once_with_walls_in_grey():
    mdp = worlds.grid()
    ax = plot.grid(mdp)
    cells = [p for p in patches(ax, Rectangle) if p.get_width() == 1]
    assert len(cells) == 5 * 7
    assert sum(to_hex(p.get_facecolor()) == WALL.lower() for p in cells) == 5 * 7 - mdp.S
    assert len({p.get_xy() for p in cells}) == 5 * 7
    assert texts(ax) == ["+1", "−1"]


def test_grid_limits_put_row_zero_on_top():
    ax = plot.grid(worlds.grid())
    bottom, top = ax.get_ylim()
    assert top < 0 < 4 < bottom
    assert ax.get_xlim()[0] < 0 < 6 < ax.get_xlim()[1]
    assert ax.get_aspect() == 1


def test_grid_marks_entry_rewards_also_with_a_reward_per_step():
    mdp = worlds.grid(step_reward=-0.04, rewards={"G": 10.0, "X": -2.5})
    assert texts(plot.grid(mdp)) == ["+10", "−2.5"]


def test_grid_says_end_where_rewards_are_not_of_that_form():
    mdp = worlds.grid()
    r = mdp.r.copy()
    r[0, 0] = 0.3
    assert texts(plot.grid(replace(mdp, r=r))) == ["end", "end"]


def test_grid_writes_values_without_negative_zero():
    mdp = worlds.grid()
    v = np.where(mdp.terminal, 0, -0.001)
    ax = plot.grid(mdp, v)
    assert texts(ax).count("0.00") == mdp.S - 2
    assert not [text for text in texts(ax) if "-" in text]
    assert texts(plot.grid(mdp, v, digits=3)).count("−0.001") == mdp.S - 2
    assert len(texts(plot.grid(mdp, v, digits=-1))) == 2


def test_grid_colours_are_by_sign_and_size():
    mdp = worlds.grid()
    v = np.where(mdp.terminal, 0.0, np.linspace(-1, 0.5, mdp.S))
    faces = {p.get_xy(): p.get_facecolor() for p in patches(plot.grid(mdp, v), Rectangle) if p.get_width() == 1}
    first, last = faces[(-0.5, -0.5)], faces[(5.5, 3.5)]
    assert to_hex(first) == plot.COLORS[1].lower()
    assert last[2] > last[0]  # blue
    positive = {p.get_xy(): p.get_facecolor() for p in patches(plot.grid(mdp, v + 2), Rectangle)}
    assert plot.luminance(positive[(-0.5, -0.5)]) > plot.luminance(positive[(5.5, 3.5)])
    clipped = plot.grid(mdp, np.where(mdp.terminal, 0, 5.0), limits=(0, 1))
    assert to_hex(patches(clipped, Rectangle)[0].get_facecolor()) == plot.COLORS[0].lower()


def test_numbers_in_cells_contrast_with_their_cell():
    mdp = worlds.grid()
    v = np.where(mdp.terminal, 0.0, np.linspace(-1, 1, mdp.S))
    ax = plot.grid(mdp, v)
    faces = {p.get_xy(): p.get_facecolor() for p in patches(ax, Rectangle) if p.get_width() == 1}
    for text in ax.texts:
        x, y = text.get_position()
        if text.get_weight() != "bold":
            assert contrast(text.get_color(), faces[(round(x) - 0.5, round(y) - 0.5)]) >= 4.5
            assert text.get_color() not in (plot.FOREGROUND, plot.BACKGROUND)


def test_arrows_point_where_the_policy_goes():
    mdp = worlds.grid()
    pi = np.arange(mdp.S) % 4
    (arrows,) = [c for c in plot.grid(mdp, pi=pi).collections if isinstance(c, Quiver)]
    open_states = np.flatnonzero(~mdp.terminal)
    assert len(open_states) == arrows.N
    direction = np.array([(0, -1), (1, 0), (0, 1), (-1, 0)])[pi[open_states]]  # rows grow downwards
    np.testing.assert_array_equal(np.sign(np.column_stack([arrows.U, arrows.V])), direction)


def test_arrows_of_a_mixed_policy_are_as_long_as_probable():
    mdp = worlds.grid()
    weights = np.tile([0.6, 0.3, 0.1, 0.0], (mdp.S, 1))
    (arrows,) = [c for c in plot.grid(mdp, pi=weights).collections if isinstance(c, Quiver)]
    assert 3 * (~mdp.terminal).sum() == arrows.N
    lengths = np.hypot(arrows.U, arrows.V)[:3]
    np.testing.assert_allclose(lengths / lengths[0], [1, 0.5, 1 / 6])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.grid(worlds.two_state()), "labelled by"),
        (lambda: plot.grid(worlds.chain()), "got the label 0"),
        (lambda: plot.grid(worlds.grid(), np.zeros(3)), r"shape \(28,\)"),
        (lambda: plot.grid(worlds.grid(), np.full(28, np.nan)), "finite"),
        (lambda: plot.grid(worlds.grid(), pi=np.full(28, 7)), "actions are 0..3"),
        (lambda: plot.grid(FiniteMDP([[1.0]], [[0.0]], 0.5, labels=[(0, 0)]), pi=np.array([0])), "got 0"),
        (lambda: plot.grid(FiniteMDP([[1.0]], [[0.0]], 0.5, labels=[(-1, 0)])), "start at 0"),
    ],
)
def test_grid_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---------------------------------------------------------------------- curves


def test_values_as_bars_and_as_lines():
    ax = plot.values(np.array([1.0, -2.0, 3.0]), labels=["a", "b", "c"])
    assert [bar.get_height() for bar in patches(ax, Rectangle)] == [1, -2, 3]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"]
    ax = plot.values({"one": np.arange(3.0), "two": np.arange(3.0) ** 2}, ylabel="gold")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["one", "two"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [0, 1, 4])
    assert ax.get_ylabel() == "gold"


def test_curves_differ_in_more_than_colour():
    ax = plot.lines(np.arange(3), {str(i): np.arange(3.0) for i in range(5)})
    assert len({str(line._unscaled_dash_pattern) for line in ax.lines}) == 5


def test_values_thin_out_the_ticks():
    assert len(plot.values(np.arange(100.0)).get_xticks()) <= 12


def test_residuals_over_iterations_and_backups():
    mdp = worlds.two_state()
    runs = {"VI": value_iteration(mdp), "PI": policy_iteration(mdp)}
    ax = plot.residuals(runs)
    assert ax.get_yscale() == "log"
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), np.arange(1, runs["VI"].iterations + 1))
    ax = plot.residuals(runs, x="backups")
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), runs["PI"].history["backups"])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["VI", "PI"]


def test_residuals_leave_out_zeros():
    ax = plot.residuals({"a": [1.0, 0.5, 0.0]})
    np.testing.assert_array_equal(np.isnan(ax.lines[0].get_ydata()), [False, False, True])


def test_mean_interval_is_students():
    from scipy import stats

    runs = np.random.default_rng(0).normal(size=(40, 5))
    ax = plot.mean_interval(np.arange(5), runs, label="walk")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), runs.mean(axis=0))
    low, high = stats.t.interval(0.95, 39, loc=runs.mean(axis=0), scale=stats.sem(runs, axis=0))
    corners = ax.collections[0].get_paths()[0].vertices
    for x in range(5):
        at = corners[np.isclose(corners[:, 0], x), 1]
        np.testing.assert_allclose([at.min(), at.max()], [low[x], high[x]])
    assert ax.get_legend().get_texts()[0].get_text() == "walk (n = 40 runs, 95 % interval)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.values(np.array([1.0, np.inf])), "finite"),
        (lambda: plot.values({"a": np.zeros(2), "b": np.zeros(3)}), "one shape"),
        (lambda: plot.values(np.zeros(3), labels=["a"]), "3 states; got 1"),
        (lambda: plot.lines([0, 1], {}), "at least one curve"),
        (lambda: plot.lines([0, 1], {"a": [1.0]}), "'a' must be"),
        (lambda: plot.residuals({}), "at least one run"),
        (lambda: plot.residuals({"a": [1.0]}, x="time"), "'time'"),
        (lambda: plot.residuals({"a": [1.0]}, x="backups"), "knows no backups"),
        (lambda: plot.mean_interval(np.arange(2), np.zeros((29, 2))), "29 runs"),
        (lambda: plot.mean_interval(np.arange(2), np.zeros((1, 2)), min_runs=1), "at least 2"),
        (lambda: plot.mean_interval(np.arange(3), np.zeros((40, 2))), r"\(R, 3\)"),
        (lambda: plot.mean_interval(np.arange(2), np.full((40, 2), np.nan)), "Run 0"),
    ],
)
def test_curves_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_fewer_runs_on_request():
    ax = plot.mean_interval(np.arange(2), np.ones((5, 2)), min_runs=5)
    assert "n = 5" in ax.get_legend().get_texts()[0].get_text()


# ---------------------------------------------------------------------- graphs


def test_transitions_draws_states_actions_arcs_and_labels():
    mdp = worlds.two_state()
    ax = plot.transitions(mdp, solve(mdp).pi)
    circles, arcs = patches(ax, Circle), patches(ax, FancyArrowPatch)
    assert len([c for c in circles if c.radius > 0.1]) == 2
    assert len([c for c in circles if c.radius < 0.1]) == mdp.feasible.sum() == 3
    assert len(arcs) == 4  # two of the branching action
    assert sorted(texts(ax)) == sorted(["s1", "s2", "a1, +5", "a2, +10", "a1, −1", "0.5", "0.5"])
    taken = [c for c in circles if to_hex(c.get_facecolor()) == plot.COLORS[1].lower()]
    assert len(taken) == 2


def test_transitions_hides_nothing_behind_what_becomes_transparent():
    """No line starts or passes inside a state's circle."""
    ax = plot.transitions(worlds.chain(4), layout="line")
    centres = [np.array(c.center) for c in patches(ax, Circle) if c.radius > 0.1]
    for line in ax.lines:
        for t in np.linspace(0, 1, 20):
            point = (1 - t) * line.get_xydata()[0] + t * line.get_xydata()[-1]
            assert min(np.hypot(*(point - c)) for c in centres) >= 0.22 - 1e-9


def test_transitions_doubles_the_ring_of_terminal_states():
    mdp = FiniteMDP([[0.0, 1.0], [0.0, 0.0]], [[1.0], [0.0]], 0.9, terminal=np.array([False, True]))
    ax = plot.transitions(mdp)
    assert len([c for c in patches(ax, Circle) if c.radius > 0.1]) == 3


@pytest.mark.parametrize("S", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("layout", ["circle", "line"])
def test_transitions_keeps_things_apart_and_in_view(S, layout):
    mdp = worlds.garnet(S, 2, min(2, S), rng=S)
    ax = plot.transitions(mdp, layout=layout)
    dots = np.array([c.center for c in patches(ax, Circle) if c.radius < 0.1])
    gaps = np.hypot(*(dots[:, None] - dots[None]).transpose(2, 0, 1)) + 9 * np.eye(len(dots))
    assert gaps.min() > 0.05  # a dot's radius
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    assert (dots > (x0, y0)).all()
    assert (dots < (x1, y1)).all()


def test_transitions_of_sparse_and_dense_are_equal():
    from scipy.sparse import csr_array

    dense = worlds.garnet(4, 2, 2, rng=0)
    sparse = FiniteMDP(csr_array(dense.P), dense.r, dense.gamma)
    assert texts(plot.transitions(dense)) == texts(plot.transitions(sparse))


def test_dependencies_draws_an_arc_for_each_need():
    graph = {"a": [], "b": ["a"], "c": ["a", "b"]}
    ax = plot.dependencies(graph, ready=["a"])
    assert texts(ax) == ["a", "b", "c"]
    assert [t.get_weight() for t in ax.texts] == ["bold", "normal", "normal"]
    assert len(patches(ax, FancyArrowPatch)) == 3
    heights = [t.get_position()[1] for t in ax.texts]
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.transitions(worlds.chain(9)), "has 9"),
        (lambda: plot.transitions(worlds.two_state(), layout="tree"), "'tree'"),
        (lambda: plot.transitions(worlds.two_state(), np.array([0, 1])), "infeasible"),
        (lambda: plot.dependencies({"a": ["b"], "b": []}), "needs 'b'"),
        (lambda: plot.dependencies({"a": []}, ready=["z"]), "'z'"),
    ],
)
def test_graphs_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_random_policy_and_its_value_can_be_drawn_together():
    mdp = worlds.grid()
    pi = np.full((mdp.S, 4), 0.25)
    ax = plot.grid(mdp, evaluate(mdp, pi), pi)
    (arrows,) = [c for c in ax.collections if isinstance(c, Quiver)]
    assert 4 * (~mdp.terminal).sum() == arrows.N
    np.testing.assert_allclose(np.hypot(arrows.U, arrows.V), np.hypot(arrows.U, arrows.V)[0])
