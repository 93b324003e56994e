"""The figure of two searches in Chromium: it searches as rlcore does, and obeys mouse, finger and keyboard."""

from itertools import pairwise

import numpy as np
import pytest

from rlcore.planning import deterministic as det
from rlcore.widgets import SearchFigure
from rlcore.widgets.search import MUDDY
from tests.figures import OUTER, THEMES, contrast, in_jupyter, rgb

pytestmark = pytest.mark.browser
FIGURE = SearchFigure  # for the fixtures url, opened and page

NAMES = ["Dijkstra", "A*"]


TAKE = """figure => {
    const { world, consistent, searches } = figure.state;
    return { world, consistent, verdict: figure.verdict, searches: searches.map(search => ({
      order: search.order, path: search.path, found: search.found, frontier: search.frontier,
      distance: search.distance.map(d => d === Infinity ? null : d) })) }; }"""


def state(page) -> dict:
    return page.evaluate(f"() => ({TAKE})({OUTER})")


def layout(page) -> list[str]:
    return page.evaluate(f"() => {OUTER}.world.layout")


def cell(page, row: int, column: int, board: int = 0):
    return page.locator(f'.rl-live [data-row="{row}"][data-column="{column}"]').nth(board)


def centre(page, row: int, column: int, board: int = 0) -> tuple[float, float]:
    box = cell(page, row, column, board).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def tool(page, name: str) -> None:
    page.locator(f".rl-chip-{name}").click()


def status(page) -> str:
    return page.get_by_role("status").inner_text()


def assert_search(shown: dict, search: det.ShortestPaths, goal: int) -> None:
    """Order, distances, frontier and the path's cost are exactly those of rlcore, and the path is one."""
    graph = search.graph
    assert shown["order"] == search.order.tolist()
    distance = [np.inf if d is None else d for d in shown["distance"]]
    assert distance == search.distance.tolist()
    assert shown["frontier"] == np.flatnonzero(np.isfinite(search.distance) & ~search.settled).tolist()
    assert shown["found"] == bool(search.settled[goal])
    assert shown["path"] == (search.path(goal).nodes.tolist() if shown["found"] else [])
    weight = dict(zip(zip(graph.tail.tolist(), graph.head.tolist(), strict=True), graph.weight, strict=True))
    path = shown["path"]
    if path:
        assert sum(weight[edge] for edge in pairwise(path)) == search.distance[goal]


def assert_finished(page) -> None:
    """What is on the page are the finished searches of the grid on the page."""
    shown = state(page)
    figure = SearchFigure(**shown["world"])
    for part, search in zip(shown["searches"], figure.searches.values(), strict=True):
        assert_search(part, search, figure.goal)


def find(layout: list[str], char: str) -> tuple[int, int]:
    return next((i, row.index(char)) for i, row in enumerate(layout) if char in row)


def random_world(rng: np.random.Generator, i: int) -> dict:
    """Any grid, or, every other time, one like the default, where an inflated guess is led astray."""
    shape = rng.integers(2, 14, size=2)
    walls, mud = rng.uniform(0, 0.35), rng.uniform(0, 0.5)
    chars = rng.choice(list("#.12359"), p=[walls, 1 - walls - mud, *[mud / 5] * 5], size=shape)
    weight = rng.choice([0.0, 0.5, 1.0, 1.25, 0.1, rng.uniform(0, 4)])
    if i % 2:
        chars = np.where(
            rng.random((9, 13)) < 0.1, rng.choice(list("#.5"), size=(9, 13)), np.array([*map(list, MUDDY)])
        )
        chars[np.isin(chars, ["S", "G"])] = "."
        weight = rng.uniform(1.5, 3)
    start, goal = rng.choice(chars.size, size=2, replace=False) if i % 4 != 1 else (4 * 13 + 1, 5 * 13 + 11)
    chars.flat[start], chars.flat[goal] = "S", "G"
    return {"layout": ["".join(row) for row in chars], "weight": float(weight)}


# ---------------------------------------------------------------- what it computes


def is_consistent(graph: det.Graph, start: int, goal: int, h: np.ndarray) -> bool:
    try:
        det.a_star(graph, start, goal, h)
    except ValueError:
        return False
    return True


def test_order_frontier_and_paths_agree_with_rlcore_on_random_grids(page):
    rng = np.random.default_rng(31)
    cases = [random_world(rng, i) for i in range(200)]
    shown = page.evaluate(
        f"cases => cases.map(world => {{ {OUTER}.setWorld(world, ''); return ({TAKE})({OUTER}); }})",
        cases,
    )
    seen = {"unreachable": 0, "inconsistent": 0, "too long": 0, "again": 0}
    for world, part in zip(cases, shown, strict=True):
        graph = det.Graph.from_grid(world["layout"])
        start, goal = (graph.node(find(world["layout"], char)) for char in "SG")
        h = world["weight"] * det.manhattan(graph, goal)
        plain = det.dijkstra(graph, start, target=goal)
        star = det.a_star(graph, start, goal, h, check=False, reopen=True)
        assert_search(part["searches"][0], plain, goal)
        assert_search(part["searches"][1], star, goal)
        assert part["consistent"] == is_consistent(graph, start, goal, h)
        if not plain.settled[goal]:
            seen["unreachable"] += 1
            assert "The goal can't be reached" in part["verdict"]
        elif star.distance[goal] > plain.distance[goal]:
            seen["too long"] += 1
            more = star.distance[goal] - plain.distance[goal]
            assert f"path costs {star.distance[goal]:g}, {more:g} (" in part["verdict"]
            assert star.distance[goal] <= world["weight"] * plain.distance[goal]
        else:
            assert part["verdict"].endswith(f"both paths cost {plain.distance[goal]:g}.")
        seen["inconsistent"] += not part["consistent"]
        seen["again"] += "again" in part["verdict"]
    assert min(seen.values()) >= 10, seen  # each case occurs


def test_stepping_expands_one_cell_of_each_search_in_that_order(page):
    page.get_by_role("slider").press("End")  # c = 3: something is expanded again
    page.get_by_role("button", name="Reset").click()
    assert [s["order"] for s in state(page)["searches"]] == [[], []]
    figure = SearchFigure(weight=3)
    orders = [search.order.tolist() for search in figure.searches.values()]
    for k in (1, 2, 3):
        page.get_by_role("button", name="Step").click()
        assert [s["order"] for s in state(page)["searches"]] == [order[:k] for order in orders]
    row, column = figure.graph.labels[orders[0][2]]
    assert status(page).startswith(f"Step 3: Dijkstra expands ({row}, {column})")
    page.evaluate(f"() => {{ for (let k = 0; k < 60; k++) {OUTER}.step(); }}")
    assert [s["order"] for s in state(page)["searches"]] == [order[:63] for order in orders]
    page.get_by_role("button", name="To the end").click()
    assert_finished(page)
    page.get_by_role("button", name="Step").click()
    assert status(page).startswith("Both searches have ended")
    assert_finished(page)


def test_it_begins_with_both_searches_finished_as_in_the_still_picture(page):
    assert_finished(page)
    plain, star = SearchFigure().searches.values()
    cost = plain.distance[SearchFigure().goal]
    expected = f"Dijkstra expanded {len(plain.order)} cells, A* {len(star.order)}; both paths cost {cost:g}."
    assert status(page) == expected
    drawn = "side => [...document.querySelectorAll(side + ' .rl-path')].map(line => line.getAttribute('points'))"
    assert page.evaluate(drawn, ".rl-live") == page.evaluate(drawn, ".rl-still")
    counts = page.evaluate("() => [...document.querySelectorAll('.rl-counts')].map(line => line.textContent)")
    assert counts[:2] == counts[2:]
    shades = """side => [...document.querySelectorAll(side + ' .rl-board')].map(board => [...board.querySelectorAll(
        '.rl-live .rl-face, .rl-still g > rect:first-child')].map(x => Number(getComputedStyle(x).fillOpacity)))"""
    still, live = page.evaluate(shades, ".rl-still"), page.evaluate(shades, ".rl-live")
    np.testing.assert_allclose(live, still, rtol=0, atol=1e-3)
    letters = "side => [...document.querySelectorAll(side + ' .rl-board text')].map(text => text.textContent)"
    assert page.evaluate(letters, ".rl-live") == page.evaluate(letters, ".rl-still")


# ---------------------------------------------------------------- what the reader does


def test_painting_with_the_mouse_on_either_board(page):
    for board, name, place in ((0, "wall", (0, 0)), (1, "mud", (8, 0)), (0, "free", (4, 6)), (1, "wall", (8, 12))):
        tool(page, name)
        page.mouse.click(*centre(page, *place, board))
    after = layout(page)
    assert (after[0][0], after[8][0], after[4][6], after[8][12]) == ("#", "5", ".", "#")
    assert sum(a != b for old, new in zip(MUDDY, after, strict=True) for a, b in zip(old, new, strict=True)) == 4
    assert_finished(page)


def test_start_and_goal_move_and_cannot_be_painted_over(page):
    tool(page, "start")
    page.mouse.click(*centre(page, 0, 0))
    tool(page, "goal")
    page.mouse.click(*centre(page, 2, 6, 1))  # where there was mud
    assert layout(page)[0] == "S............"
    assert layout(page)[2] == "......G5....."
    assert "".join(layout(page)).count("S") == "".join(layout(page)).count("G") == 1
    for name in ("wall", "free", "mud", "start"):
        tool(page, name)
        page.mouse.click(*centre(page, 2, 6))
        assert status(page) == "Start and goal can be moved, but not painted over."
    assert layout(page)[2] == "......G5....."
    assert_finished(page)


def test_start_and_goal_can_be_dragged(page):
    page.mouse.move(*centre(page, 4, 1))
    page.mouse.down()
    page.mouse.move(*centre(page, 3, 2), steps=6)
    page.mouse.up()
    page.mouse.move(*centre(page, 0, 5))
    assert layout(page)[3] == "..S...55.##.."
    page.mouse.move(*centre(page, 5, 11, 1))
    page.mouse.down()
    page.mouse.move(*centre(page, 5, 10, 1), steps=4)  # a wall stays
    page.mouse.up()
    assert layout(page)[5] == MUDDY[5]
    assert_finished(page)


def test_painting_by_dragging_shuts_the_goal_in(page):
    tool(page, "wall")
    page.mouse.move(*centre(page, 2, 11))
    page.mouse.down()
    page.mouse.move(*centre(page, 2, 12), steps=4)
    page.mouse.move(5, 5)
    page.mouse.up()  # outside the board
    page.mouse.move(*centre(page, 0, 3))  # the button is up: no paint
    assert layout(page)[0] == MUDDY[0]
    assert layout(page)[2] == "......55...##"
    for place in ((7, 11), (7, 12)):
        page.mouse.click(*centre(page, *place))
    assert "The goal can't be reached: both ran out of cells." in status(page)
    assert page.locator(".rl-live .rl-path").count() == 0
    assert page.locator(".rl-live .rl-counts span").all_text_contents()[1].endswith("0 waiting, no path")
    assert_finished(page)


def test_painting_by_touch(opened):
    page = opened(width=390, has_touch=True, is_mobile=True)
    tool(page, "wall")
    page.touchscreen.tap(*centre(page, 8, 5, 1))
    assert layout(page)[8] == ".....#......."
    assert_finished(page)
    assert page.evaluate("getComputedStyle(document.querySelector('.rl-live .rl-board')).touchAction") == "none"


def test_painting_with_the_keyboard(page):
    page.locator(".rl-live .rl-chip-select input").focus()
    focused = "document.activeElement.getAttribute('aria-label')"
    page.keyboard.press("Tab")
    assert page.evaluate(focused).startswith("cell (0, 0)")
    for key in ("w", "ArrowRight", "m", "ArrowRight", "7", "ArrowDown", "s", "ArrowRight", "g", "ArrowUp", "#", "f"):
        page.keyboard.press(key)
    assert layout(page)[:2] == ["#57..........", "..SG..55....."]
    assert page.evaluate(focused).startswith("cell (0, 3): free")
    for _ in range(4):
        page.keyboard.press("ArrowUp")  # the border holds
    page.keyboard.press("Enter")
    assert page.locator(".rl-inspect p").count() == 2
    page.keyboard.press("Tab")  # on to the other board, in one step
    assert page.evaluate(focused).startswith("cell (0, 0): wall")
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Step"
    assert_finished(page)


def test_the_slider_weighs_the_guess_and_says_what_that_means(page):
    guess, promise = page.get_by_role("slider"), page.locator(".rl-promise")
    assert promise.inner_text() == "Consistent: the path is a shortest one."
    guess.press("Home")
    assert promise.inner_text() == "No guess: A* is Dijkstra's algorithm."
    plain, star = state(page)["searches"]
    assert plain["order"] == star["order"]
    page.evaluate(f"{OUTER}.weigh(2)")
    assert guess.get_attribute("aria-valuetext") == "2"
    assert promise.inner_text() == "Inconsistent: the path may be too long, by a factor of 2 at most."
    costs = [search.distance[SearchFigure().goal] for search in SearchFigure(weight=2).searches.values()]
    more = costs[1] - costs[0]
    expected = f"A*'s path costs {costs[1]:g}, {more:g} ({100 * more / costs[0]:.0f} %) more than the shortest."
    assert status(page).endswith(expected)
    assert_finished(page)


def test_a_change_in_the_middle_begins_again_and_waits(page):
    page.get_by_role("button", name="Reset").click()
    page.evaluate(f"() => {{ for (let k = 0; k < 9; k++) {OUTER}.step(); }}")
    tool(page, "wall")
    page.mouse.click(*centre(page, 0, 12))
    assert status(page).endswith("The searches begin again.")
    assert [s["order"] for s in state(page)["searches"]] == [[], []]
    page.get_by_role("button", name="To the end").click()
    assert_finished(page)


def test_play_moves_pauses_and_ends(page):
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"{OUTER}.runs[0].order.length >= 3")
    page.get_by_role("button", name="Pause").click()
    steps = len(state(page)["searches"][0]["order"])
    page.wait_for_timeout(400)
    assert len(state(page)["searches"][0]["order"]) == steps < 97
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"{OUTER}.runs[0].order.length > {steps}")
    page.wait_for_function(f"!{OUTER}.playing", timeout=30_000)
    assert status(page).startswith("Dijkstra expanded")
    assert_finished(page)


def test_with_reduced_motion_play_goes_to_the_end_at_once(opened):
    page = opened(reduced_motion="reduce")
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Play").click()
    assert_finished(page)
    assert page.evaluate("getComputedStyle(document.querySelector('.rl-live .rl-face')).transitionDuration") == "0s"


def test_the_selected_cell_shows_its_numbers(page):
    cell(page, 4, 8).click()
    figure = SearchFigure()
    u = figure.graph.node((4, 8))
    plain, star = figure.searches.values()
    lines = page.locator(".rl-inspect p").all_inner_texts()
    step, d = plain.order.tolist().index(u) + 1, plain.distance[u]
    assert lines[0] == f"Dijkstra at (4, 8): free, expanded at step {step}, d = {d:g}, h = 0, d + h = {d:g}"
    assert not np.isfinite(star.distance[u])
    assert lines[1] == "A* at (4, 8): free, not seen, h = 4"
    cell(page, 7, 8).click()
    assert page.locator(".rl-inspect p").all_inner_texts() == ["Cell (7, 8): a wall."]


def test_the_python_shown_makes_the_search_on_the_screen(page):
    page.evaluate(f"{OUTER}.weigh(1.75)")
    cell(page, 0, 1).focus()
    page.keyboard.press("w")
    names = {"deterministic": det}
    exec(page.locator(".rl-code pre").text_content(), names)
    assert names["found"].order.tolist() == state(page)["searches"][1]["order"]
    assert names["graph"].labels == SearchFigure(layout(page)).graph.labels


# ---------------------------------------------------------------- the page around it


def test_without_javascript_the_still_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".rl-still svg").count() == 2
    assert page.locator(".rl-still svg").last.is_visible()
    assert page.locator(".rl-live").count() == 0
    assert page.locator(".rl-note").is_visible()
    assert page.locator(".rl-space:visible").count() == 0  # no room is kept for controls


def test_in_print_the_still_picture_is_there(page):
    page.emulate_media(media="print")
    assert page.locator(".rl-still svg").first.is_visible()
    assert page.locator(".rl-space:visible").count() == 0
    assert not page.locator(".rl-live").is_visible()


@pytest.mark.parametrize("width", [1280, 900, 660, 390, 360, 320])
def test_nothing_moves_when_the_figure_wakes_and_nothing_overflows(opened, width):
    page = opened("asleep.html", width=width)
    boxes = ".rl-board >> visible=true >> nth=0", ".rl-board >> visible=true >> nth=1", ".rl-figure", "#after"
    asleep = [page.locator(box).bounding_box() for box in boxes]
    page.evaluate("import('./widgets/boot.js')")
    page.wait_for_selector(".rl-awake")
    awake = [page.locator(box).bounding_box() for box in boxes]
    for before, after in zip(asleep, awake, strict=True):
        assert after == pytest.approx(before, abs=0.5)
    page.evaluate(f"{OUTER}.weigh(2.75)")
    cell(page, 4, 6).click()
    page.evaluate(f"{OUTER}.weigh(2.25)")  # the longest texts
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    too_small = page.evaluate(
        """() => ['tools', 'counts', 'legend', 'status', 'controls', 'inspect'].filter(name =>
             [...document.querySelectorAll('.rl-live .rl-' + name)].some(box =>
               box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1))"""
    )
    assert not too_small
    assert page.locator("#after").bounding_box() == pytest.approx(awake[-1], abs=0.5)
    side_by_side = awake[0]["y"] == awake[1]["y"]
    assert side_by_side == (width >= 660)


@pytest.mark.parametrize("theme", THEMES)
def test_everything_is_legible(opened, theme):
    page = opened(f"{theme}.html")
    page.evaluate(f"{OUTER}.weigh(2)")
    page.wait_for_timeout(200)  # the colours' transition
    faces = page.evaluate(
        """() => [...document.querySelectorAll('.rl-live .rl-cell:not(.rl-wall):has(text)')].map(cell => {
             const [face, text] = ['.rl-face', 'text'].map(part => getComputedStyle(cell.querySelector(part)));
             return [face.fill, Number(face.fillOpacity), text.fill, Number(text.opacity)]; })"""
    )
    background = rgb(THEMES[theme]["background"])
    assert len(faces) == 2 * sum(char not in ".#" for row in MUDDY for char in row)
    for fill, opacity, ink, strength in faces:
        paper = opacity * rgb(fill) + (1 - opacity) * background
        assert contrast(strength * rgb(ink) + (1 - strength) * paper, paper) >= 4.5
    for selector in (".rl-status", ".rl-counts", ".rl-counts b", ".rl-legend", ".rl-promise", ".rl-slider b", "button"):
        ink = page.evaluate("s => getComputedStyle(document.querySelector('.rl-live ' + s)).color", selector)
        assert contrast(rgb(ink), background) >= 4.5, selector
    line = page.evaluate("getComputedStyle(document.querySelector('.rl-live .rl-path')).stroke")
    assert contrast(rgb(line), background) >= 3


def test_names_and_roles_for_screen_readers(page):
    for name in NAMES:
        assert page.get_by_role("grid", name=f"{name}. Arrow keys move").count() == 1
    assert page.get_by_role("gridcell").count() == 2 * 9 * 13
    assert page.get_by_role("radiogroup", name="Tool").count() == 1
    assert page.get_by_role("slider", name="c in h").count() == 1
    for name in ("Step", "Play", "To the end", "Reset"):
        assert page.get_by_role("button", name=name, exact=True).count() == 1
    label = "cell (4, 1): start, expanded at step 1, d = 0, h = 0, d + h = 0, on the path"
    assert cell(page, 4, 1).get_attribute("aria-label") == label
    assert cell(page, 1, 6).get_attribute("aria-label").startswith("cell (1, 6): mud, costs 5, expanded at step")
    assert cell(page, 1, 6, 1).get_attribute("aria-label").startswith("cell (1, 6): mud, costs 5, waits, d = ")
    assert cell(page, 7, 8).get_attribute("aria-label") == "cell (7, 8): wall"


def test_the_bundle_for_jupyter_draws_the_same_and_tells_the_kernel(opened):
    page = opened("asleep.html")
    world = in_jupyter(
        page,
        SearchFigure(),
        """el.rlFigure.paint(0, 0, '#');
            window.model.set('world', { ...data.world, weight: 2.5 });
            return [data.world, window.saved, el.rlFigure.world.weight, el.className];""",
    )
    assert world[0]["layout"][0] == "#............"
    assert world[1:] == [1, 2.5, "rl-live rl-figure"]
    page.evaluate("window.release()")
