"""The figure of a polytope in Chromium: it computes what rlcore computes, and obeys mouse, finger and keyboard."""

import numpy as np
import pytest

from rlcore import FiniteMDP
from rlcore.planning import linear_programs as lp
from rlcore.planning.discounted import evaluate
from rlcore.widgets import PolytopeFigure
from rlcore.widgets._polytope_still import LEFT, MARGIN, SIDE, TOP, WIDTH, axis_top
from tests.figures import OUTER, THEMES, contrast, in_jupyter, rgb

pytestmark = pytest.mark.browser
FIGURE = PolytopeFigure  # for the fixtures url, opened and page

RING = ([0, 0], [1, 0], [1, 1], [0, 1])
REPLACING = [[0, 1], [0, 1]]


def process(rng: np.random.Generator) -> dict:
    """A random process of two states and two actions; often an action leads to one state, or the start is certain."""
    share = rng.uniform(size=(2, 2))
    share = np.where(rng.random((2, 2)) < 0.4, rng.integers(2, size=(2, 2)), share)
    start = float(rng.choice([0, 1, rng.uniform(), rng.uniform()]))
    costs = rng.normal(size=(2, 2)) if rng.random() < 0.5 else np.array(REPLACING)
    return {
        "p": np.stack([share, 1 - share], axis=2).tolist(),
        "r": rng.normal(size=(2, 2)).tolist(),
        "gamma": float(rng.choice([0.0, rng.uniform(), 0.9, 0.97])),
        "mu": [start, 1 - start],
        "costs": costs.tolist(),
        "limit": None,
        "pi": rng.choice([0, 1, rng.uniform()], size=2).tolist(),
        "states": ["one", "two"],
        "actions": ["left", "right"],
    }


def processes(seed: int, n: int = 150) -> list[dict]:
    return [process(rng) for rng in np.random.default_rng(seed).spawn(n)]


def limited(seed: int, n: int = 150) -> list[dict]:
    """Processes with a limit between the least and the largest cost, or a little below the least."""
    cases = []
    for rng in np.random.default_rng(seed).spawn(n):
        case = process(rng)
        spent = [float((lp.occupancy(mdp(case), np.array(pi)) * case["costs"]).sum()) for pi in RING]
        low, high = min(spent), max(spent)
        cases.append({**case, "limit": low + float(rng.choice([-0.1, *rng.uniform(0.02, 1, size=4)])) * (high - low)})
    return [case for case in cases if len(set(np.round(case["costs"], 3).ravel())) > 1]


def mdp(case: dict) -> FiniteMDP:
    return FiniteMDP.from_arrays(case["p"], case["r"], case["gamma"], mu=case["mu"])


def described(page, cases: list[dict]) -> list[dict]:
    return page.evaluate(
        "async cases => { const { describe } = await import('./widgets/polytope_model.js');"
        "return cases.map(describe); }",
        cases,
    )


def state(page) -> dict:
    return page.evaluate(f"() => {OUTER}.process")


def view(page) -> dict:
    return page.evaluate(f"() => {OUTER}.view")


def put(page, **fields) -> None:
    page.evaluate(f"fields => {OUTER}.set({{ ...{OUTER}.process, ...fields }})", fields)


def choose(page, name: str) -> None:
    page.locator(".rl-live .rl-tools select").select_option(name)


def slider(page, name: str):
    return page.get_by_role("slider", name=name, exact=True)


def status(page) -> str:
    return page.get_by_role("status").inner_text()


def inspected(page) -> str:
    return page.locator(".rl-live .rl-inspect").inner_text()


def on_screen(page, y) -> tuple[float, float]:
    """Where y lies on the screen."""
    top = axis_top(max(x["x"][s][1] for x in view(page)["corners"] for s in (0, 1)))
    share = [(z / top + MARGIN) / (1 + 2 * MARGIN) for z in y]
    box = page.locator(".rl-live .rl-board").bounding_box()
    scale = box["width"] / WIDTH
    return box["x"] + scale * (LEFT + SIDE * share[0]), box["y"] + scale * (TOP + SIDE * (1 - share[1]))


# ---------------------------------------------------------------- what it computes


def test_occupancies_values_and_the_best_corner_agree_with_rlcore_on_random_processes(page):
    cases = processes(51)
    shapes = set()
    for case, shown in zip(cases, described(page, cases), strict=True):
        model = mdp(case)
        size = 1 / (1 - case["gamma"])
        for pi, corner in zip([*RING, case["pi"]], [*shown["corners"], shown["here"]], strict=True):
            share = np.array(pi, dtype=float)
            policy = np.column_stack([1 - share, share])
            np.testing.assert_allclose(corner["x"], lp.occupancy(model, policy), rtol=0, atol=1e-9)
            v = evaluate(model, policy)
            np.testing.assert_allclose(corner["v"], v, rtol=0, atol=1e-9)
            assert corner["value"] == pytest.approx(model.mu @ v, abs=1e-9)
            assert corner["cost"] == pytest.approx((lp.occupancy(model, policy) * case["costs"]).sum(), abs=1e-9)
        solved = lp.dual(model, weights=model.mu)
        values = [corner["value"] for corner in shown["corners"]]
        assert shown["best"][0]["value"] == pytest.approx(float((solved.occupancy * model.r).sum()), abs=1e-9)
        assert shown["best"][0]["value"] == pytest.approx(max(values), abs=1e-9)
        shapes.add(len(shown["vertices"]))
        distinct = np.unique(np.round([np.ravel(corner["x"]) for corner in shown["corners"]], 7), axis=0)
        assert len(shown["vertices"]) == len(distinct)
        slope = shown["objective"]["slope"]
        y = np.array(shown["here"]["x"])[:, 1]
        assert shown["objective"]["constant"] + slope @ y == pytest.approx(shown["here"]["value"], abs=1e-9 * size)
    assert shapes == {2, 3, 4}


def test_the_constrained_optimum_agrees_with_rlcore_on_random_processes(page):
    cases = limited(52)
    kinds = []
    for case, shown in zip(cases, described(page, cases), strict=True):
        model, costs = mdp(case), np.array(case["costs"])
        if not shown["best"]:
            with pytest.raises(ValueError, match="cannot be met"):
                lp.constrained(model, costs, case["limit"])
            assert shown["leastCost"] > case["limit"]
            kinds.append("infeasible")
            continue
        best = shown["best"][0]
        assert best["value"] == pytest.approx(lp.constrained(model, costs, case["limit"]).value, abs=1e-9)
        x = np.array(best["x"])
        np.testing.assert_allclose(lp.flow(model, x), model.mu, rtol=0, atol=1e-9)
        assert (x >= 0).all()
        assert (x * costs).sum() <= case["limit"] + 1e-9
        share = np.array(best["pi"])
        np.testing.assert_allclose(lp.occupancy(model, np.column_stack([1 - share, share])), x, rtol=0, atol=1e-9)
        kinds.append("edge" if best["edge"] else "corner")
        if best["edge"]:
            assert best["cost"] == pytest.approx(case["limit"], abs=1e-9)
            assert sorted(s for s in (0, 1) if 0 < best["pi"][s] < 1) == [best["state"]]
    assert len(cases) >= 100
    assert min(kinds.count(kind) for kind in ("edge", "corner", "infeasible")) >= 10


def test_the_policy_of_a_point_is_that_of_rlcore_and_points_outside_are_projected(page):
    cases = []
    for case, rng in zip(processes(53), np.random.default_rng(54).spawn(150), strict=True):
        cases.append((case, (rng.uniform(-0.3, 1.2, size=2) / (1 - case["gamma"])).tolist()))
    found = page.evaluate(
        """async cases => {
            const { describe, nearest, policyAt } = await import('./widgets/polytope_model.js');
            return cases.map(([process, y]) => {
              const at = nearest(process, describe(process).corners, y);
              const pi = policyAt(process, at, process.pi);
              return [at, pi, describe({ ...process, pi }).here.x]; }); }""",
        cases,
    )
    moved = 0
    for (case, y), (at, pi, x) in zip(cases, found, strict=True):
        model, share = mdp(case), np.array(pi)
        policy = np.column_stack([1 - share, share])
        np.testing.assert_allclose(lp.occupancy(model, policy), x, rtol=0, atol=1e-9)
        elsewhere = np.column_stack([1 - np.array(case["pi"]), case["pi"]])
        clean = np.where(np.array(x) > 1e-8 / (1 - case["gamma"]), x, 0)
        visited = clean.any(axis=1)
        np.testing.assert_allclose(lp.policy(model, clean, elsewhere)[visited], policy[visited], rtol=0, atol=1e-5)
        np.testing.assert_allclose(np.array(x)[:, 1], at, rtol=0, atol=1e-7 / (1 - case["gamma"]))
        moved += at != y
        rivals = np.random.default_rng(0).random((200, 2))  # no other policy's point is nearer
        others = np.array([lp.occupancy(model, np.column_stack([1 - q, q]))[:, 1] for q in rivals[:40]])
        assert (np.hypot(*(others - y).T) >= np.hypot(*np.subtract(at, y)) - 1e-7 / (1 - case["gamma"])).all()
    assert 40 <= moved < 150


def test_turning_the_reward_gives_it_the_direction_asked_for(page):
    cases = [(case, int(angle)) for case, angle in zip(processes(55), np.arange(150) * 5 - 180, strict=True)]
    turned = page.evaluate(
        "async cases => { const { turned } = await import('./widgets/polytope_model.js');"
        "return cases.map(([process, degrees]) => turned(process, degrees)); }",
        cases,
    )
    for (case, degrees), after in zip(cases, turned, strict=True):
        lengths = []
        for one in (case, after):
            model = mdp(one)
            v = evaluate(model, np.array([0, 0]))
            slope = model.q(v)[:, 1] - v
            lengths.append(np.hypot(*slope))
        angle = np.degrees(np.arctan2(slope[1], slope[0]))
        assert abs((angle - degrees + 180) % 360 - 180) < 1
        assert lengths[1] == pytest.approx(lengths[0], rel=0.02)
        assert np.array(after["r"])[:, 0].tolist() == np.array(case["r"])[:, 0].tolist()


# ---------------------------------------------------------------- what it says


def test_the_best_corner_and_its_policy(page):
    assert status(page) == "Best: corner D (keep, replace), worth 35.00."
    assert page.locator(".rl-live .rl-wins").inner_text().split("\t")[0] == "D keep, replace"
    put(page, r=[[0, 4], [0, 4]])
    assert status(page) == "Best: corner C (replace, replace), worth 20.00."


def test_ties_are_said(page):
    choose(page, "machine, tied")
    assert status(page) == "A tie: A (keep, keep) and D (keep, replace), and all between them, are worth 37.50."
    assert page.locator(".rl-live .rl-wins").count() == 2
    put(page, r=[[3, 3], [3, 3]])
    assert status(page) == "All points are tied: each policy is worth 15.00."


def test_a_start_from_which_a_state_is_not_reached_makes_corners_one(page):
    slider(page, "law μ of the first state").press("Home")
    assert "A and B never visit new from this μ, so they are one corner." in inspected(page)
    assert page.evaluate(f"{OUTER}.shape") == "triangle"
    assert "A = B" in page.locator(".rl-live .rl-name").all_text_contents()
    choose(page, "one way")
    assert "A and D never visit there from this μ, so they are one corner." in inspected(page)
    slider(page, "law μ of the first state").press("Home")
    assert "No policy ever visits here from this μ: the polytope is a segment." in inspected(page)
    assert page.evaluate(f"{OUTER}.shape") == "segment"
    assert "here is never visited, any action will do" in inspected(page)
    slider(page, "law μ of the first state").press("ArrowRight")
    assert page.evaluate(f"{OUTER}.shape") == "quadrilateral"
    assert "never" not in inspected(page)


def test_a_limit_moves_the_optimum_to_an_edge(page):
    page.get_by_label("limit on").select_option("number of: replace")
    bound = slider(page, "at most")
    assert state(page)["limit"] == 1.3
    for _ in range(3):
        bound.press("ArrowLeft")
    assert state(page)["limit"] == 1
    model = mdp(state(page))
    solved = lp.constrained(model, np.array(REPLACING), 1.0)
    coin = f"When worn, replace with probability {solved.pi[1, 1]:.3f}; when new, keep."
    assert status(page) == f"Best within the limit: between D and A, worth {solved.value:.2f}. {coin}"
    assert "cost 2.50, over the limit" in inspected(page)
    page.get_by_role("button", name="To the best").click()
    assert inspected(page).endswith(f"Worth {solved.value:.2f}; cost 1.00.")
    bound.press("End")
    assert status(page) == "Best: corner D (keep, replace), worth 35.00, keeps the limit."
    page.get_by_label("limit on").select_option("visits to: worn")
    put(page, limit=1)
    least = min((lp.occupancy(model, np.array(pi))[1]).sum() for pi in RING)
    assert status(page) == f"No policy keeps the limit: the least expected cost is {least:.2f}."
    assert page.locator(".rl-live .rl-star").count() == 1  # the legend's
    page.get_by_label("limit on").select_option("none")
    assert state(page)["limit"] is None


def test_the_point_is_described(page):
    assert inspected(page) == "Your point: replace with probability 0.50 when new, 0.50 when worn. Worth 28.75."
    x = lp.occupancy(mdp(state(page)), np.full((2, 2), 0.5))
    assert (x * state(page)["r"]).sum() == pytest.approx(28.75)


# ---------------------------------------------------------------- what the reader does


def test_dragging_with_the_mouse_moves_the_policy(page):
    target = np.array([0.6, 1.0])
    page.mouse.move(*on_screen(page, np.array(view(page)["here"]["x"])[:, 1]))
    page.mouse.down()
    page.mouse.move(*on_screen(page, target), steps=4)
    page.mouse.up()
    x = np.array(view(page)["here"]["x"])
    np.testing.assert_allclose(x[:, 1], target, atol=0.02)
    np.testing.assert_allclose(state(page)["pi"], x[:, 1] / x.sum(axis=1), rtol=0, atol=1e-9)
    page.mouse.move(*on_screen(page, [0, 0.5]))  # the button is up
    np.testing.assert_allclose(view(page)["here"]["x"], x)
    page.mouse.move(*on_screen(page, target))
    page.mouse.down()
    page.mouse.move(*on_screen(page, [2.8, 2.8]), steps=4)
    page.mouse.up()
    np.testing.assert_allclose(state(page)["pi"], [1, 1], atol=1e-9)  # no further than the corner


def test_a_tap_moves_the_point_on_a_phone(opened):
    page = opened(width=390, has_touch=True, is_mobile=True)
    page.locator(".rl-live .rl-board").scroll_into_view_if_needed()
    page.touchscreen.tap(*on_screen(page, [0.5, 2.0]))
    np.testing.assert_allclose(np.array(view(page)["here"]["x"])[:, 1], [0.5, 2.0], atol=0.05)
    touch = "s => getComputedStyle(document.querySelector('.rl-live ' + s)).touchAction"
    assert [page.evaluate(touch, s) for s in (".rl-catch", ".rl-handle")] == ["auto", "none"]  # the page can scroll
    page.get_by_role("button", name="B replace, keep").tap()
    assert state(page)["pi"] == [1, 0]


def test_the_keyboard_moves_the_point_and_the_sliders(page):
    handle = page.locator(".rl-live .rl-handle")
    handle.focus()
    before = np.array(view(page)["here"]["x"])[:, 1]
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    after = np.array(view(page)["here"]["x"])[:, 1]
    np.testing.assert_allclose(after - before, [-0.06, 0.18], atol=1e-9)
    assert handle.get_attribute("aria-label").startswith(f"Your point: replace {after[0]:.2f} times when new")
    assert page.evaluate("getComputedStyle(document.querySelector('.rl-live .rl-halo')).strokeWidth") == "4px"
    slider(page, "π(replace) when new").press("End")
    assert state(page)["pi"][0] == 1
    slider(page, "r(replace) when worn").press("ArrowRight")
    assert state(page)["r"] == [[10, 4], [6, 4.5]]
    slider(page, "discount factor γ").press("ArrowLeft")
    assert state(page)["gamma"] == 0.75
    slider(page, "direction of the reward, °").press("Home")
    assert np.array(view(page)["objective"]["slope"])[0] < 0
    assert page.locator(".rl-live .rl-tools select").input_value() == "your own"
    choose(page, "machine")
    assert state(page)["r"] == [[10, 4], [6, 4]]


def test_the_line_of_equal_reward_sweeps_to_the_best_corner(page):
    line = page.locator(".rl-live .rl-board > g:nth-of-type(2) .rl-level, .rl-live .rl-board .rl-level").last
    ends = [line.get_attribute(name) for name in ("x1", "y1", "x2", "y2")]
    page.get_by_role("button", name="Sweep").click()
    page.wait_for_function(f"{OUTER}.sweeping > 0.05")
    low, high = min(c["value"] for c in view(page)["corners"]), max(c["value"] for c in view(page)["corners"])
    assert low <= page.evaluate(f"{OUTER}.level") < high
    page.wait_for_function(f"{OUTER}.sweeping === null")
    assert page.evaluate(f"{OUTER}.level") == high
    assert [line.get_attribute(name) for name in ("x1", "y1", "x2", "y2")] == ends


def test_with_reduced_motion_the_line_is_at_its_end_at_once(opened):
    page = opened(reduced_motion="reduce")
    page.get_by_role("button", name="Sweep").click()
    assert page.evaluate(f"{OUTER}.sweeping") is None


@pytest.mark.parametrize("kind", ["none", "number of: replace"])
def test_the_python_shown_computes_the_optimum_on_the_screen(page, kind):
    page.get_by_label("limit on").select_option(kind)
    names: dict = {}
    exec(page.locator(".rl-live .rl-code pre").text_content(), names)
    assert names["value"] == pytest.approx(view(page)["best"][0]["value"], abs=1e-9)


# ---------------------------------------------------------------- the page around it


def test_without_javascript_the_still_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".rl-still svg").first.is_visible()
    assert page.locator(".rl-still table").is_visible()
    assert page.locator(".rl-live").count() == 0
    assert page.locator(".rl-note").is_visible()


@pytest.mark.parametrize("width", [1280, 720, 660, 390, 360, 320])
def test_nothing_moves_when_the_figure_wakes_and_nothing_overflows(opened, width):
    page = opened("asleep.html", width=width)
    boxes = ".rl-board:visible", ".rl-policies:visible", ".rl-figure", "#after"
    asleep = [page.locator(box).first.bounding_box() for box in boxes]
    page.evaluate("import('./widgets/boot.js')")
    page.wait_for_selector(".rl-awake")
    awake = [page.locator(box).first.bounding_box() for box in boxes]
    for before, after in zip(asleep, awake, strict=True):
        assert after == pytest.approx(before, abs=0.5)
    long = {"states": ["brandnew", "worn out"], "actions": ["maintain", "exchange"]}
    for name, names, costs in (
        ("machine", {}, REPLACING),
        ("machine, tied", {}, None),
        ("one way", {}, None),
        ("machine", {}, [[0, 0], [1, 1]]),
        ("machine", long, REPLACING),
        ("machine, tied", long, None),
    ):
        choose(page, name)
        slider(page, "law μ of the first state").press("Home")
        put(page, **names)
        page.evaluate(f"costs => {OUTER}.limitOn(costs)", costs)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        too_small = page.evaluate(
            """() => ['tools', 'panel', 'inspect', 'status', 'policies'].filter(name => {
                 const box = document.querySelector('.rl-live .rl-' + name);
                 return box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1; })"""
        )
        assert not too_small, (name, status(page), inspected(page))


@pytest.mark.parametrize("theme", THEMES)
def test_text_and_marks_are_legible(opened, theme):
    page = opened(f"{theme}.html")
    page.evaluate(f"{OUTER}.limitOn([[0, 1], [0, 1]])")
    background = rgb(THEMES[theme]["background"])
    for selector in (".rl-status", ".rl-inspect", ".rl-heading", "select", "button", "thead th", "tbody td"):
        ink = page.evaluate("s => getComputedStyle(document.querySelector('.rl-live ' + s)).color", selector)
        assert contrast(rgb(ink), background) >= 4.5, selector
    marks = {".rl-level": "stroke", ".rl-limit-line": "stroke", ".rl-star": "fill", ".rl-corner": "fill"}
    marks |= {".rl-kept": "stroke", ".rl-whole": "stroke", ".rl-point": "stroke", ".rl-way": "stroke"}
    for mark, colour in marks.items():
        paint = page.evaluate(
            "([s, c]) => getComputedStyle(document.querySelector('.rl-live ' + s))[c]", [mark, colour]
        )
        assert contrast(rgb(paint), background) >= 3, mark


def test_the_still_picture_and_the_live_one_have_the_same_polygon(page):
    assert page.evaluate(
        """() => { const points = part => document.querySelector(`${part} .rl-kept`).getAttribute('points');
                   return points('.rl-still') === points('.rl-live'); }"""
    )


def test_names_and_roles_for_screen_readers(page):
    names = page.locator(".rl-live input[type=range]").evaluate_all("all => all.map(one => one.ariaLabel)")
    named = [name for name in names if name]
    assert len(named) == len(set(named)) == 8
    assert page.get_by_role("combobox", name="process").count() == 1
    assert page.get_by_role("combobox", name="limit on").count() == 1
    assert page.get_by_role("group", name="when worn").count() == 1
    assert page.get_by_role("columnheader").all_inner_texts() == ["policy", "v(new)", "v(worn)", "worth", "cost"]
    assert page.get_by_role("application", name="Your point").count() == 1


def test_the_bundle_for_jupyter_draws_the_same_and_tells_the_kernel(opened):
    page = opened("asleep.html")
    answer = in_jupyter(
        page,
        PolytopeFigure(),
        """el.rlFigure.change('pi', [1, 0]);
            window.model.set('process', { ...data.process, gamma: 0.5 });
            return [data.process.pi, window.saved, el.rlFigure.process.gamma, el.className];""",
    )
    assert answer == [[1, 0], 1, 0.5, "rl-live rl-figure"]
    page.evaluate("window.release()")
