"""The grid figure in Chromium: it computes what rlcore computes, and obeys mouse, finger and keyboard."""

import numpy as np
import pytest

from rlcore import worlds
from rlcore.planning.discounted import half_span, macqueen_bounds, policy_iteration
from rlcore.widgets import GridFigure
from tests.figures import OUTER, THEMES, contrast, in_jupyter, rgb

pytestmark = pytest.mark.browser
FIGURE = GridFigure  # for the fixtures url, opened and page


def state(page) -> dict:
    keys = "world, sweeps, history, residual, converged"
    return page.evaluate(
        f"() => {{ const {{{keys}, v, bounds, choices}} = {OUTER}.state; return {{{keys}, choices, v: [...v],"
        "lower: [...bounds.lower], upper: [...bounds.upper]}; }"
    )


def cell(page, row: int, column: int):
    return page.locator(f'.rl-live [data-row="{row}"][data-column="{column}"]')


def centre(page, row: int, column: int) -> tuple[float, float]:
    box = cell(page, row, column).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def tool(page, name: str) -> None:
    page.locator(f".rl-chip-{name}").click()


def assert_solved(page) -> None:
    """Solve on the page; the answer is that of policy iteration for the world on the page."""
    page.get_by_role("button", name="Solve").click()
    shown = state(page)
    mdp = worlds.grid(**shown["world"])
    solution = policy_iteration(mdp)
    assert shown["converged"]
    np.testing.assert_allclose(shown["v"], solution.v, rtol=0, atol=1e-9)
    assert_greedy(shown["choices"], solution.q)


def assert_greedy(choices, q) -> None:
    """Every arrow is optimal, and where one action is clearly best, it is the only arrow."""
    gap = q.max(axis=1, keepdims=True) - q
    for arrows, losses in zip(choices, gap, strict=True):
        assert arrows
        assert losses[arrows].max() <= 1e-8
        if (np.sort(losses)[1:] > 1e-8).all():
            assert len(arrows) == 1


def random_world(rng: np.random.Generator, i: int) -> dict:
    shape = rng.integers(2, 8, size=2)
    ends = 0.0 if i % 10 == 0 else 0.06  # now and then a world where nothing ends
    chars = rng.choice(list("#.SGXH"), p=[0.2, 0.75 - 3 * ends, 0.05, ends, ends, ends], size=shape)
    chars[0, 0] = "."
    return {
        "layout": ["".join(row) for row in chars],
        "rewards": dict(zip("GXH", rng.uniform(-1, 1, size=3), strict=True)),
        "step_reward": float(rng.choice([0.0, -0.04, rng.uniform(-0.5, 0.5)])),
        "slip": float(rng.choice([0.0, 0.2, 1.0, rng.uniform()])),
        "gamma": float(rng.choice([0.0, 0.5, 0.95, 0.99, rng.uniform()])),
    }


# ---------------------------------------------------------------- what it computes


def test_sweeps_bounds_and_solution_agree_with_rlcore_on_random_worlds(page):
    rng = np.random.default_rng(20)
    cases = [(random_world(rng, i), int(rng.integers(0, 30))) for i in range(120)]
    runs = page.evaluate(
        f"""cases => cases.map(([world, k]) => {{
            const figure = {OUTER};
            const take = () => {{
              const {{v, tv, residual, bounds: {{lower, upper}}, choices, converged}} = figure.state;
              return {{v: [...v], tv: [...tv], residual, lower: [...lower], upper: [...upper], choices, converged}}; }};
            figure.setWorld(world); figure.reset(); figure.sweep(k);
            const swept = take();
            figure.reset(); figure.solve();
            return [swept, take()];
        }})""",
        cases,
    )
    for (world, k), (swept, solved) in zip(cases, runs, strict=True):
        mdp = worlds.grid(**world)
        v = np.zeros(mdp.S)
        for _ in range(k):
            v = mdp.q(v).max(axis=1)
        tv = mdp.q(v).max(axis=1)
        np.testing.assert_allclose(swept["v"], v, rtol=0, atol=1e-9)
        np.testing.assert_allclose(swept["tv"], tv, rtol=0, atol=1e-9)
        assert swept["residual"] == pytest.approx(half_span(tv - v), abs=1e-9)
        for side, bound in zip(("lower", "upper"), macqueen_bounds(mdp, v, tv), strict=True):
            np.testing.assert_allclose(swept[side], bound, rtol=0, atol=1e-9)
        solution = policy_iteration(mdp)
        assert solved["converged"]
        np.testing.assert_allclose(solved["v"], solution.v, rtol=0, atol=1e-9)
        assert_greedy(solved["choices"], solution.q)


def test_ties_are_those_of_rlcore(page):
    """After two sweeps much of the grid has not heard of the goal: there all four actions tie, exactly."""
    page.evaluate(f"{OUTER}.sweep(2)")
    shown = state(page)
    q = worlds.grid(**shown["world"]).q(np.array(shown["v"]))
    tied = q >= q.max(axis=1, keepdims=True) - 1e-12 * np.ptp(q)
    assert shown["choices"] == [np.flatnonzero(row).tolist() for row in tied]
    assert (
        page.locator(".rl-live .rl-mark").count() == (tied.all(axis=1) & ~worlds.grid(**shown["world"]).terminal).sum()
    )


def test_the_residual_stays_below_its_bound(page):
    page.evaluate(f"{OUTER}.sweep(60)")
    history = np.array(state(page)["history"])
    assert len(history) == 61
    assert (history <= history[0] * 0.95 ** np.arange(61) + 1e-15).all()


def test_near_gamma_one_it_still_converges(page):
    page.get_by_role("slider", name="discount γ").press("End")
    assert state(page)["world"]["gamma"] == 0.999
    assert_solved(page)


def test_the_numbers_in_the_cells_are_the_values(page):
    page.get_by_role("button", name="Solve").click()
    v = policy_iteration(worlds.grid()).v[~worlds.grid().terminal]
    assert page.locator(".rl-live .rl-value").all_text_contents() == [f"{x:.2f}" for x in v]


# ---------------------------------------------------------------- what the reader does


def test_painting_with_the_mouse(page):
    for name, place in (("wall", (1, 2)), ("goal", (4, 0)), ("pit", (3, 5)), ("free", (0, 6))):
        tool(page, name)
        page.mouse.click(*centre(page, *place))
    layout = state(page)["world"]["layout"]
    assert layout == ["...#...", ".##...X", ".#.##..", "....#X.", "G.#...."]
    assert_solved(page)


def test_painting_by_dragging(page):
    tool(page, "wall")
    page.mouse.move(*centre(page, 4, 3))
    page.mouse.down()
    for column in (4, 5):
        page.mouse.move(*centre(page, 4, column), steps=4)
    page.mouse.move(*centre(page, 4, 6))
    page.mouse.move(5, 5)
    page.mouse.up()  # outside the board
    page.mouse.move(*centre(page, 2, 2))  # the button is up: no paint
    assert state(page)["world"]["layout"][4] == "S.#####"
    assert state(page)["world"]["layout"][2] == ".#.##.."
    assert_solved(page)


def test_painting_by_touch(opened):
    page = opened(width=390, has_touch=True, is_mobile=True)
    tool(page, "goal")
    page.touchscreen.tap(*centre(page, 3, 0))
    assert state(page)["world"]["layout"][3] == "G...#.."
    assert_solved(page)


def test_painting_with_the_keyboard(page):
    board = page.locator('.rl-live [role="gridcell"][tabindex="0"]')
    assert board.count() == 1
    page.locator(".rl-live .rl-chip-select input").focus()
    page.keyboard.press("Tab")  # the reward field is disabled: on to the board
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("cell (0, 0)")
    for key in ("ArrowRight", "w", "ArrowDown", "f", "ArrowDown", "g", "ArrowLeft", "p", "ArrowUp"):
        page.keyboard.press(key)
    assert state(page)["world"]["layout"] == [".#.#..G", "......X", "XG.##..", "....#..", "S.#...."]
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("cell (1, 0): value")
    assert board.count() == 1
    for _ in range(9):
        page.keyboard.press("ArrowLeft")  # the border holds
    assert_solved(page)


def test_the_reward_of_a_cell_can_be_changed(page):
    cell(page, 1, 6).click()
    field = page.get_by_role("spinbutton", name="reward")
    assert field.input_value() == "-1"
    field.fill("0.25")
    field.press("Enter")
    world = state(page)["world"]
    assert world["rewards"][world["layout"][1][6]] == 0.25
    assert world["rewards"][world["layout"][0][6]] == 1
    assert_solved(page)
    cell(page, 0, 0).click()
    assert field.is_disabled()
    tool(page, "goal")
    field.fill("3")
    field.press("Enter")
    cell(page, 0, 0).click()
    world = state(page)["world"]
    assert world["rewards"][world["layout"][0][0]] == 3
    assert_solved(page)


def test_sliders_and_step_reward_change_the_world(page):
    page.get_by_role("slider", name="slip").press("Home")
    page.get_by_role("slider", name="discount γ").press("ArrowLeft")
    page.get_by_role("spinbutton", name="each step pays").fill("-0.04")
    page.get_by_role("spinbutton", name="each step pays").press("Enter")
    world = state(page)["world"]
    assert (world["slip"], world["gamma"], world["step_reward"]) == (0, 0.94, -0.04)
    assert page.locator(".rl-slider b").all_text_contents() == ["0.94", "0"]
    assert_solved(page)


def test_a_change_keeps_the_values_and_a_solved_figure_stays_solved(page):
    page.evaluate(f"{OUTER}.sweep(5)")
    before = state(page)["v"]
    page.get_by_role("slider", name="discount γ").press("Home")
    assert state(page)["v"] == before
    assert state(page)["sweeps"] == 0
    page.get_by_role("button", name="Solve").click()
    page.get_by_role("slider", name="discount γ").press("End")
    assert state(page)["converged"]
    page.get_by_role("button", name="Reset").click()
    assert state(page)["v"] == [0] * len(before)


def test_one_free_cell_must_stay(page):
    page.evaluate(f"{OUTER}.setWorld({{...{OUTER}.run.world, layout: ['.#G']}})")
    tool(page, "wall")
    cell(page, 0, 0).click()
    assert state(page)["world"]["layout"] == [".#G"]
    assert page.get_by_role("status").inner_text() == "One cell must stay free."


def test_play_moves_pauses_and_ends(page):
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"{OUTER}.state.sweeps >= 3")
    page.get_by_role("button", name="Pause").click()
    sweeps = state(page)["sweeps"]
    page.wait_for_timeout(500)
    assert state(page)["sweeps"] == sweeps
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"!{OUTER}.playing", timeout=20_000)
    assert state(page)["converged"]
    assert state(page)["sweeps"] > sweeps
    assert page.locator("dd").last.inner_text() == "yes"
    np.testing.assert_allclose(state(page)["v"], policy_iteration(worlds.grid()).v, rtol=0, atol=1e-9)


def test_the_selected_cell_shows_its_action_values(page):
    page.get_by_role("button", name="Solve").click()
    cell(page, 0, 0).click()
    q = policy_iteration(worlds.grid()).q[0]
    expected = [f"{arrow} {x:.2f}" for arrow, x in zip("↑→↓←", q, strict=True)]
    assert page.locator(".rl-actions span").all_text_contents() == expected
    assert page.locator(".rl-best").inner_text() == expected[q.argmax()]


def test_the_python_shown_builds_the_world_on_the_screen(page):
    page.get_by_role("slider", name="slip").press("Home")
    cell(page, 0, 1).focus()
    page.keyboard.press("w")
    names = {"worlds": worlds}
    exec(page.locator(".rl-code pre").text_content(), names)
    shown = worlds.grid(**state(page)["world"])
    assert names["mdp"].labels == shown.labels
    np.testing.assert_array_equal(names["mdp"].r, shown.r)
    np.testing.assert_array_equal(names["mdp"].P, shown.P)


# ---------------------------------------------------------------- the page around it


def test_without_javascript_the_still_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".rl-still svg").is_visible()
    assert page.locator(".rl-live").count() == 0
    assert page.locator(".rl-note").is_visible()
    figure, picture = page.locator(".rl-figure").bounding_box(), page.locator(".rl-still svg").bounding_box()
    assert figure["height"] < picture["height"] + 60  # no room is kept for controls


def test_in_print_the_still_picture_is_there(page):
    page.emulate_media(media="print")
    assert page.locator(".rl-still svg").is_visible()
    assert not page.locator(".rl-live").is_visible()


@pytest.mark.parametrize("width", [1280, 900, 390, 360, 320])
def test_nothing_moves_when_the_figure_wakes_and_nothing_overflows(opened, width):
    page = opened("asleep.html", width=width)
    boxes = ".rl-board:visible", ".rl-figure", "#after"
    asleep = [page.locator(box).bounding_box() for box in boxes]
    page.evaluate("import('./widgets/boot.js')")
    page.wait_for_selector(".rl-awake")
    awake = [page.locator(box).bounding_box() for box in boxes]
    for before, after in zip(asleep, awake, strict=True):
        assert after == pytest.approx(before, abs=0.5)
    page.get_by_role("button", name="Solve").click()
    cell(page, 1, 4).click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    too_small = page.evaluate(
        """() => ['tools', 'panel', 'inspect', 'status'].filter(name => {
             const box = document.querySelector('.rl-live .rl-' + name);
             return box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1; })"""
    )
    assert not too_small


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_legible_on_every_cell(opened, theme):
    page = opened(f"{theme}.html")
    page.get_by_role("button", name="Solve").click()
    page.wait_for_timeout(200)  # the colours' transition
    faces = page.evaluate(
        """() => [...document.querySelectorAll('.rl-live .rl-cell:not(.rl-wall)')].map(cell => {
             const face = getComputedStyle(cell.querySelector('.rl-face'));
             return [face.fill, Number(face.fillOpacity), getComputedStyle(cell.querySelector('text')).fill]; })"""
    )
    background = rgb(THEMES[theme]["background"])
    assert len(faces) == worlds.grid().S
    for fill, opacity, ink in faces:
        assert contrast(rgb(ink), opacity * rgb(fill) + (1 - opacity) * background) >= 4.5
    for selector in (".rl-status", "dt", "dd", ".rl-slider b", "button"):
        ink = page.evaluate("s => getComputedStyle(document.querySelector('.rl-live ' + s)).color", selector)
        assert contrast(rgb(ink), background) >= 4.5, selector
    for mark in (".rl-curve", ".rl-bound"):
        line = page.evaluate("s => getComputedStyle(document.querySelector('.rl-live ' + s)).stroke", mark)
        assert contrast(rgb(line), background) >= 3, mark


def test_with_reduced_motion_play_goes_to_the_end_at_once(opened):
    page = opened(reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    assert state(page)["converged"]
    assert page.evaluate("getComputedStyle(document.querySelector('.rl-live .rl-face')).transitionDuration") == "0s"


def test_names_and_roles_for_screen_readers(page):
    assert page.get_by_role("grid").count() == 1
    assert page.get_by_role("row").count() == 5
    assert page.get_by_role("gridcell").count() == 35
    assert page.get_by_role("radiogroup", name="Tool").count() == 1
    assert page.get_by_role("gridcell", name="cell (0, 6): ends the walk, reward 1").count() == 1
    page.get_by_role("button", name="One sweep").click()
    assert page.get_by_role("status").inner_text().startswith("Sweep 1: half-span")
    assert page.get_by_role("gridcell", name="cell (0, 5): value 0.80, right").count() == 1


def test_the_bundle_for_jupyter_draws_the_same_and_tells_the_kernel(opened):
    page = opened("asleep.html")
    world = in_jupyter(
        page,
        GridFigure(),
        """el.rlFigure.paint(0, 0, 'wall');
            window.model.set('world', { ...data.world, gamma: 0.5 });
            return [data.world, window.saved, el.rlFigure.run.world.gamma, el.className];""",
    )
    assert world[0]["layout"][0] == "#..#..G"
    assert world[1:] == [1, 0.5, "rl-live rl-figure"]
    page.evaluate("window.release()")
