"""The figure of a growing search tree in Chromium: it searches as rlcore does, and obeys mouse, finger and keyboard."""

from math import log

import numpy as np
import pytest

from rlcore import FiniteMDP
from rlcore.planning import tree_search as ts
from rlcore.widgets import TreeFigure
from rlcore.widgets.tree import Example, builtin, nim, of_game, of_process
from tests.figures import OUTER, THEMES, contrast, in_jupyter, rgb

pytestmark = pytest.mark.browser
FIGURE = TreeFigure  # for the fixtures url, opened and page

BUTTONS = ("One", "Ten", "Hundred", "Play", "Reset", "New luck")


TAKE = """run => ({
    nodes: run.nodes.map(node => ({ state: node.state, parent: node.parent, ended: node.ended, born: node.born,
      visits: node.visits, value: node.value, worth: model.worth(run, node), n: node.n, q: node.q,
      action: node.parent < 0 ? -1 : run.nodes[node.parent].options[node.option].action })),
    history: run.history.map(({ path, value }) => [path, value]), preferred: model.preferred(run),
    drawn: model.mostVisited(run, 200) })"""
IN_PAGE = "async argument => { const model = await import('./widgets/tree_model.js'); %s }"


def state(page) -> dict:
    return page.evaluate(IN_PAGE % f"return ({TAKE})({OUTER}.run);", None)


def status(page) -> str:
    return page.get_by_role("status").inner_text()


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def search(problem: Example, *, c: float, seed: int, budget: int) -> ts.Tree:
    """rlcore's own search, with numpy's own random numbers."""
    leaf = {} if problem.rollouts else {"evaluate": lambda s, rng: 0.0}
    return ts.mcts(problem.model, problem.start, c=c, rng=seed, budget=budget, **leaf)


def assert_same(shown: dict, tree: ts.Tree, problem: Example) -> None:
    """Nodes, visits, paths and births exactly; values to 1e-9."""
    nodes, labels = shown["nodes"], problem.table["states"]
    assert len(nodes) == tree.N
    process = problem.model.players == 1
    assert [n["state"] for n in nodes] == [s if process else labels.index(str(s)) for s in tree.state]
    for name, array in (("parent", tree.parent), ("action", tree.action), ("born", tree.born)):
        assert [node[name] for node in nodes] == array[: tree.N].tolist()
    assert [node["ended"] for node in nodes] == tree.terminal[: tree.N].tolist()
    assert [node["visits"] for node in nodes] == tree.node_visits[: tree.N].tolist()
    np.testing.assert_allclose([node["value"] for node in nodes], tree.node_values[: tree.N], rtol=0, atol=1e-9)
    for i, node in enumerate(nodes):
        legal = tree.legal[i]
        assert node["n"] == tree.action_visits[i, legal].tolist()
        np.testing.assert_allclose(node["q"], tree.action_values[i, legal], rtol=0, atol=1e-9)
    assert [path for path, _ in shown["history"]] == [list(path) for path, _ in tree.history]
    returns = [value for _, value in shown["history"]], [value for _, value in tree.history]
    np.testing.assert_allclose(*returns, rtol=0, atol=1e-9)
    assert np.flatnonzero(tree.legal[0])[shown["preferred"]] == tree.best_action


def assert_on_screen(page) -> dict:
    """The tree on the page is rlcore's, for the settings on the page."""
    world = page.evaluate(f"() => {OUTER}.world")
    problem = builtin()[world["example"]]
    tree = search(problem, c=world["c"], seed=world["seed"], budget=world["simulations"])
    assert_same(state(page), tree, problem)
    return world


def random_process(rng: np.random.Generator) -> FiniteMDP:
    """Any process with an end, chance, a few infeasible actions, and now and then rewards that tie."""
    S, A = int(rng.integers(2, 7)), int(rng.integers(1, 5))
    p = rng.random((A, S, S)) * (rng.random((A, S, S)) < rng.uniform(0.2, 1))
    p[..., -1] += 0.1
    p /= p.sum(axis=-1, keepdims=True)
    r = rng.normal(size=(S, A)) if rng.random() < 0.5 else rng.integers(0, 2, size=(S, A)).astype(float)
    r[(rng.random((S, A)) < 0.2) & (np.arange(A) > 0)] = -np.inf
    terminal = np.arange(S) == S - 1
    p[:, -1] = terminal
    r[-1] = 0
    return FiniteMDP.from_arrays(p.transpose(1, 0, 2), r, float(rng.choice([0.5, 0.9, 0.99])), terminal=terminal)


def random_problem(rng: np.random.Generator, i: int) -> Example:
    if i % 4 == 1:
        return of_game(nim(int(rng.integers(1, 5))), int(rng.integers(1, 11)), [str(a) for a in range(4)])
    if i % 4 == 3:
        game = ts.LineGame(2, 3, 2) if rng.random() < 0.5 else ts.LineGame(3, 2, 3, gravity=True)
        return of_game(game.model, game.start, [str(a) for a in range(game.model.A)])
    if i % 8 == 2:
        return of_process(ts.trap_chain(int(rng.integers(1, 8))), 0, rollouts=bool(rng.random() < 0.5))
    mdp = random_process(rng)
    return of_process(mdp, int(rng.integers(mdp.S - 1)), rollouts=bool(rng.random() < 0.8))


# ---------------------------------------------------------------- what it computes


def test_trees_agree_with_rlcore_on_random_processes_and_games(page):
    rng = np.random.default_rng(8)
    problems = [random_problem(rng, i) for i in range(160)]
    settings = [
        {
            "c": float(rng.choice([0, 0.5, 1.0, 1.4, np.sqrt(2), rng.uniform(0, 3)])),
            "seed": int(rng.integers(2**32) if rng.random() < 0.9 else rng.choice([0, 1, 2**31, 2**32 - 1])),
            "budget": int(rng.integers(1, 250)),
        }
        for _ in problems
    ]
    body = f"""return argument.map(([table, {{ c, seed, budget }}]) => {{
        const run = model.beginSearch(table, c, seed);
        for (let k = 0; k < budget; k++) model.simulate(run);
        return ({TAKE})(run); }});"""
    tables = [[problem.table, setting] for problem, setting in zip(problems, settings, strict=True)]
    shown = page.evaluate(IN_PAGE % body, tables)
    greedy, chance, games = 0, 0, 0
    for part, problem, setting in zip(shown, problems, settings, strict=True):
        tree = search(problem, **setting)
        assert_same(part, tree, problem)
        worth = [problem.worth(tree, node) for node in range(tree.N)]
        np.testing.assert_allclose([node["worth"] for node in part["nodes"]], worth, rtol=0, atol=1e-9)
        greedy += setting["c"] == 0
        chance += any(option["levels"] for row in problem.table["rows"] for option in row)
        games += problem.model.players == 2
    assert min(greedy, chance, games) > 10


def test_the_random_numbers_are_those_of_numpy(page):
    seeds = [0, 1, 7, 123456789, 2**31, 2**32 - 1]
    body = (
        "return argument.map(seed => { const next = model.uniforms(seed); return Array.from({ length: 50 }, next); });"
    )
    for seed, numbers in zip(seeds, page.evaluate(IN_PAGE % body, seeds), strict=True):
        assert numbers == np.random.default_rng(seed).random(50).tolist()


def test_logarithms_are_those_of_python(page):
    """Not only nearly: scores that tie in one language must tie in the other."""
    shown = page.evaluate(IN_PAGE % "return argument.map(model.logOf);", list(range(1, 3001)))
    off = np.array(shown) != np.array([log(n) for n in range(1, 3001)])
    assert off.sum() <= 3  # a C library need not round correctly
    np.testing.assert_allclose(shown, np.log(np.arange(1, 3001)), rtol=3e-16)


def test_the_nodes_drawn_are_the_most_visited_and_hang_together(page):
    press(page, "Reset")
    for _ in range(15):
        press(page, "Hundred")
    shown = state(page)
    visits, drawn = [node["visits"] for node in shown["nodes"]], set(shown["drawn"])
    assert len(visits) > len(drawn) == 200 == page.locator(".rl-live .rl-node").count()
    assert min(visits[i] for i in drawn) >= max(v for i, v in enumerate(visits) if i not in drawn)
    assert all(node["parent"] in drawn for i, node in enumerate(shown["nodes"]) if i in drawn and i)
    count = page.locator(".rl-count").inner_text()
    assert count == f"n = 1500; 200 of {len(visits)} nodes drawn"


# ---------------------------------------------------------------- what the reader does


def test_it_begins_with_the_tree_of_the_still_picture(page):
    world = assert_on_screen(page)
    assert world == TreeFigure().world
    counted = """side => ['rect.rl-paper', 'circle.rl-paper', '.rl-joint', '.rl-edge.rl-on'].map(
        s => document.querySelectorAll(side + ' .rl-growth ' + s).length)"""
    assert page.evaluate(counted, ".rl-live") == page.evaluate(counted, ".rl-still")
    shades = """side => [...document.querySelectorAll(side + ' .rl-growth :is(rect, circle)')].filter(
        x => !x.matches('.rl-halo, .rl-paper')).map(x => Number(x.style.fillOpacity))"""
    live, still = page.evaluate(shades, ".rl-live"), page.evaluate(shades, ".rl-still")
    np.testing.assert_allclose(live, still, rtol=0, atol=1e-3)


def test_another_example_begins_with_its_root(page):
    page.get_by_role("radio", name="game").check(force=True)
    assert state(page)["history"] == []
    assert status(page) == "Only the root: no simulation yet. Exact best: take 3."


def test_one_ten_hundred_and_reset(page):
    press(page, "Reset")
    assert state(page)["history"] == []
    assert status(page) == "Only the root: no simulation yet. Exact best: bold."
    assert page.locator(".rl-live .rl-node").count() == 1
    for name, count in (("One", 1), ("One", 2), ("Ten", 12), ("Hundred", 112)):
        press(page, name)
        assert assert_on_screen(page)["simulations"] == count


@pytest.mark.parametrize("example", ["chance", "game", "trap"])
def test_the_status_tells_the_last_simulation_and_the_table_the_truth(page, example):
    page.get_by_role("radio", name=example).check(force=True)
    press(page, "Reset")
    for _ in range(37):
        press(page, "One")
    assert_on_screen(page)
    problem = builtin()[example]
    tree, names = search(problem, c=1.0, seed=0, budget=37), problem.table["actions"]
    path, value = tree.history[-1]
    taken = ", ".join(names[tree.action[node]] for node in path[1:])
    legal = np.flatnonzero(tree.legal[0])
    best = names[legal[problem.exact.argmax()]]
    said = status(page).replace("−", "-")
    assert said.startswith(f"Simulation 37: took {taken}; ")
    assert said.endswith(f"; return {value:.2f}. The root prefers {names[tree.best_action]}; exact best is {best}.")
    assert ("a new node" in said) == (tree.born[path[-1]] == 37)
    rows = [row.locator("th, td").all_inner_texts() for row in page.locator(".rl-table tbody tr").all()]
    for row, a, exact in zip(rows, legal, problem.exact, strict=True):
        assert row[0].removeprefix("▸ ") == names[a]
        assert row[0].startswith("▸") == (a == tree.best_action)
        assert int(row[1]) == tree.action_visits[0, a]
        assert row[2].replace("−", "-") == f"{tree.action_values[0, a]:.2f}"
        assert row[3].replace("−", "-") == f"{exact:.2f}" + " ★" * (names[a] == best)
    on = page.locator(".rl-live .rl-node.rl-on").evaluate_all("nodes => nodes.map(n => Number(n.dataset.node))")
    assert sorted(on) == sorted(path)
    fresh = page.locator(".rl-live .rl-node.rl-fresh").count()
    assert fresh == (tree.born[path[-1]] == 37)


def test_the_trap_misleads_and_greed_never_finds_out(page):
    page.get_by_role("radio", name="trap").check(force=True)
    press(page, "Hundred")
    assert status(page).endswith("The root prefers leave; exact best is stay.")
    page.get_by_role("slider").press("Home")
    for _ in range(5):
        press(page, "Hundred")
    assert assert_on_screen(page)["c"] == 0
    assert status(page).endswith("The root prefers leave; exact best is stay.")
    page.get_by_role("slider").press("End")  # as many simulations with much exploration
    world = assert_on_screen(page)
    assert (world["c"], world["simulations"]) == (3, 600)
    assert max(value for _, value in state(page)["history"]) == 1


def test_new_luck_keeps_the_number_of_simulations(page):
    before = state(page)
    press(page, "New luck")
    world = assert_on_screen(page)
    assert (world["seed"], world["simulations"]) == (1, 30)
    assert status(page).startswith("Seed 1. Simulation 30")
    assert state(page)["history"] != before["history"]


def test_play_runs_pauses_and_goes_on(page):
    press(page, "Reset")
    press(page, "Play")
    page.wait_for_function(f"{OUTER}.count >= 4")
    press(page, "Pause")
    count = page.evaluate(f"{OUTER}.count")
    page.wait_for_timeout(400)
    assert page.evaluate(f"{OUTER}.count") == count
    assert status(page).startswith(f"Paused. Simulation {count}")
    press(page, "Play")
    page.wait_for_function(f"{OUTER}.count > {count}")
    press(page, "Pause")
    assert_on_screen(page)


def test_with_reduced_motion_play_makes_a_hundred_at_once(opened):
    page = opened(reduced_motion="reduce")
    press(page, "Play")
    assert assert_on_screen(page)["simulations"] == 130
    assert not page.evaluate(f"{OUTER}.playing")


def test_no_more_than_three_thousand(page):
    page.evaluate(f"{OUTER}.set({{ simulations: 2950 }})")
    press(page, "Hundred")
    assert assert_on_screen(page)["simulations"] == 3000
    press(page, "One")
    assert status(page).startswith("3000 simulations are the most")
    assert page.evaluate(f"{OUTER}.count") == 3000


def test_nodes_are_walked_with_the_arrow_keys(page):
    label = "document.activeElement.getAttribute('aria-label')"
    page.get_by_role("radio", name="chance").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(label).startswith("root: 30 visits, mean ")
    page.keyboard.press("ArrowUp")  # the root holds
    page.keyboard.press("ArrowDown")
    first = page.evaluate(label)
    assert first.startswith("safe, to hut, added in simulation ")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(label).startswith("bold, to ")
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    assert page.evaluate(label) in page.locator(".rl-live .rl-inspect").inner_text()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(label) == first
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "One"


def test_a_selected_node_shows_the_scores_that_select(page):
    tree, problem = search(builtin()["chance"], c=1.0, seed=0, budget=30), builtin()["chance"]
    n, q = tree.action_visits[0], tree.action_values[0]
    bonus = np.sqrt(log(30) / n)
    lines = page.locator(".rl-live .rl-inspect span").all_inner_texts()
    names = problem.table["actions"]
    assert lines == [f"{names[a]}: {q[a]:.2f} + {bonus[a]:.2f} = {q[a] + bonus[a]:.2f}" for a in (0, 1)]
    chosen = page.locator(".rl-live .rl-inspect .rl-best").all_inner_texts()
    assert chosen == [lines[int((q + bonus).argmax())]]


def test_a_node_by_touch(opened):
    page = opened(width=390, has_touch=True, is_mobile=True)
    box = page.locator('.rl-live [data-node="1"] .rl-body-of').bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.evaluate(f"{OUTER}.selected") == 1
    assert "added in simulation 1:" in page.locator(".rl-live .rl-inspect").inner_text()


@pytest.mark.parametrize("example", ["chance", "game", "trap"])
def test_the_python_shown_grows_the_tree_on_the_screen(page, example):
    page.evaluate(f"{OUTER}.set({{ example: '{example}', c: 0.7, seed: 5, simulations: 90 }})")
    names: dict = {}
    exec(page.locator(".rl-code pre").text_content(), names)
    assert_same(state(page), names["tree"], builtin()[example])


# ---------------------------------------------------------------- the page around it


def test_without_javascript_the_still_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".rl-still svg").is_visible()
    assert page.locator(".rl-live").count() == 0
    assert page.locator(".rl-note").is_visible()
    assert page.locator(".rl-space:visible").count() == 0  # no room is kept for controls


def test_in_print_the_still_picture_is_there(page):
    page.emulate_media(media="print")
    assert page.locator(".rl-still svg").is_visible()
    assert not page.locator(".rl-live").is_visible()


@pytest.mark.parametrize("width", [1280, 900, 660, 390, 360, 320])
def test_nothing_moves_when_the_figure_wakes_and_nothing_overflows(opened, width):
    page = opened("asleep.html", width=width)
    boxes = ".rl-canvas >> visible=true", ".rl-figure", "#after"
    asleep = [page.locator(box).bounding_box() for box in boxes]
    page.evaluate("import('./widgets/boot.js')")
    page.wait_for_selector(".rl-awake")
    awake = [page.locator(box).bounding_box() for box in boxes]
    for before, after in zip(asleep, awake, strict=True):
        assert after == pytest.approx(before, abs=0.5)
    for example in ("trap", "game", "chance"):
        page.evaluate(
            f"{OUTER}.set({{ example: '{example}', simulations: 700 }}, 'c = 0.1: as many simulations again. ')"
        )
        page.locator('.rl-live [data-node="1"]').focus()
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        too_small = page.evaluate(
            """() => ['tools', 'legend', 'status', 'controls', 'inspect'].filter(name => {
                 const box = document.querySelector('.rl-live .rl-' + name);
                 return box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1; })"""
        )
        assert not too_small, example
        canvas = page.locator(".rl-canvas >> visible=true").bounding_box()
        for node in page.locator(".rl-live .rl-body-of").all()[::20]:
            box = node.bounding_box()
            for axis, side in (("x", "width"), ("y", "height")):
                assert canvas[axis] <= box[axis] <= canvas[axis] + canvas[side] - box[side]
    assert page.locator("#after").bounding_box() == pytest.approx(awake[-1], abs=0.5)


def test_the_drawing_follows_the_width_of_the_page(page):
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function(
        "document.querySelector('.rl-live .rl-growth').getAttribute('viewBox').startsWith('0 0 368 ')"
    )


@pytest.mark.parametrize("theme", THEMES)
def test_everything_is_legible(opened, theme):
    page = opened(f"{theme}.html")
    background = rgb(THEMES[theme]["background"])
    for selector in (
        ".rl-status",
        ".rl-count",
        ".rl-legend",
        ".rl-table th",
        ".rl-table td",
        ".rl-slider b",
        ".rl-inspect p",
        "button",
    ):
        ink = page.evaluate("s => getComputedStyle(document.querySelector('.rl-live ' + s)).color", selector)
        assert contrast(rgb(ink), background) >= 4.5, selector
    ink = page.evaluate("getComputedStyle(document.querySelector('.rl-live .rl-growth text')).fill")
    assert contrast(rgb(ink), background) >= 4.5
    line = page.evaluate("getComputedStyle(document.querySelector('.rl-live .rl-edge.rl-on')).stroke")
    assert contrast(rgb(line), background) >= 3


def test_names_and_roles_for_screen_readers(page):
    assert page.get_by_role("tree", name="Search tree. Arrow keys").count() == 1
    assert page.get_by_role("treeitem").count() == len(state(page)["nodes"])
    assert page.get_by_role("radiogroup", name="Example").count() == 1
    assert page.get_by_role("slider", name="weight c").count() == 1
    assert page.get_by_role("table", name="The actions at the root").count() == 1
    for name in BUTTONS:
        assert page.get_by_role("button", name=name, exact=True).count() == 1
    assert page.locator('.rl-live .rl-node[tabindex="0"]').count() == 1


def test_the_bundle_for_jupyter_draws_the_same_and_tells_the_kernel(opened):
    page = opened("asleep.html")
    world = in_jupyter(
        page,
        TreeFigure(),
        """el.rlFigure.advance(10);
            const after = data.world;
            window.model.set('world', { ...data.world, c: 2.5 });
            return [after, window.saved, el.rlFigure.world, el.className];""",
    )
    first = {"example": "chance", "c": 1, "seed": 0, "simulations": 40}
    assert world == [first, 1, {**first, "c": 2.5}, "rl-live rl-figure"]
    page.evaluate("window.release()")
