"""The figure of a chain in Chromium: it computes what rlcore computes, and obeys mouse, finger and keyboard."""

from itertools import chain

import numpy as np
import pytest

from rlcore.planning import markov_chains as mc
from rlcore.widgets import ChainFigure
from tests.figures import OUTER, THEMES, contrast, in_jupyter, rgb
from tests.instances import chains

pytestmark = pytest.mark.browser
FIGURE = ChainFigure  # for the fixtures url, opened and page

RUN = "{P, law, mean, limit, distances, averages, t, weights, invariant, classes, chain}"


def run(page) -> dict:
    return page.evaluate(f"() => {{ const {RUN} = {OUTER}.run; return {RUN}; }}")


def runs(page, cases: list) -> list[dict]:
    """What the page computes for each (chain, steps)."""
    return page.evaluate(
        f"""cases => cases.map(([first, steps]) => {{
            const figure = {OUTER};
            figure.setChain(first); figure.step(steps);
            const {RUN} = figure.run; return {RUN}; }})""",
        cases,
    )


def limits(P: np.ndarray) -> tuple[list[mc.CommunicatingClass], np.ndarray]:
    """The closed classes and their invariant laws (K, S), by rlcore."""
    closed = [c for c in mc.classes(P) if c.recurrent]
    laws = np.zeros((len(closed), len(P)))
    for k, c in enumerate(closed):
        laws[k, c.states] = mc.invariant_law(P[np.ix_(c.states, c.states)])
    return closed, laws


def choose(page, name: str) -> None:
    page.locator(".rl-live .rl-tools select").select_option(name)


def node(page, s: int):
    return page.locator(f'.rl-live [data-state="{s}"]')


def status(page) -> str:
    return page.get_by_role("status").inner_text()


# ---------------------------------------------------------------- what it computes


def test_laws_classes_limits_and_distances_agree_with_rlcore_on_random_chains(page):
    cases, kinds = [], set()
    for P, rng in chain(chains(41, 120), chains(42, 60, irreducible=True)):
        first = {"P": P.tolist(), "start": int(rng.integers(len(P))), "stay": float(rng.choice([0, 0, 0.5, 0.9]))}
        cases.append((first, int(rng.integers(1, 80))))
    for (first, steps), shown in zip(cases, runs(page, cases), strict=True):
        base, start, stay = np.array(first["P"]), first["start"], first["stay"]
        P = stay * np.eye(len(base)) + (1 - stay) * base
        np.testing.assert_allclose(shown["P"], P, rtol=0, atol=1e-15)
        found = mc.classes(P)
        assert [c["states"] for c in shown["classes"]] == [c.states.tolist() for c in found]
        assert [c["closed"] for c in shown["classes"]] == [c.recurrent for c in found]
        assert [c["period"] for c in shown["classes"]] == [c.period for c in found]
        closed, invariant = limits(P)
        weights = mc.absorption_probabilities(P)[start]
        np.testing.assert_allclose(shown["weights"], weights, rtol=0, atol=1e-9)
        np.testing.assert_allclose(shown["invariant"], invariant, rtol=0, atol=1e-9)
        limit = weights @ invariant
        np.testing.assert_allclose(shown["limit"], limit, rtol=0, atol=1e-9)
        laws = mc.evolve(P, start, steps)
        means = np.cumsum(laws, axis=0) / np.arange(1, steps + 2)[:, None]
        np.testing.assert_allclose(shown["law"], laws[-1], rtol=0, atol=1e-9)
        np.testing.assert_allclose(shown["mean"], means[-1], rtol=0, atol=1e-9)
        np.testing.assert_allclose(shown["distances"], np.abs(laws - limit).sum(axis=1) / 2, rtol=0, atol=1e-9)
        np.testing.assert_allclose(shown["averages"], np.abs(means - limit).sum(axis=1) / 2, rtol=0, atol=1e-9)
        kinds.add((len(closed) > 1, max(c.period for c in closed) > 1, len(closed) < len(found)))
    assert len(kinds) >= 6  # several closed classes or one, periodic or not, with transient states or without


def test_the_invariant_law_keeps_its_digits_where_subtraction_would_lose_them(page):
    door = 1e-12
    P = [[1 - door, door, 0], [0.5, 0, 0.5], [0, door / 4, 1 - door / 4]]
    shown = runs(page, [({"P": P, "start": 0, "stay": 0}, 1)])[0]
    np.testing.assert_allclose(shown["limit"], mc.invariant_law(np.array(P)), rtol=1e-12)


def test_a_changed_weight_leaves_a_law_and_scales_the_rest(page):
    cases = []
    for P, rng in chains(43):
        i, j = (int(s) for s in rng.integers(len(P), size=2))
        cases.append((P.tolist(), i, j, float(rng.choice([0, 1, rng.uniform()]))))
    changed = page.evaluate(
        "async cases => { const { setWeight } = await import('./widgets/chain_model.js');"
        "return cases.map(([P, i, j, x]) => setWeight(P, i, j, x)); }",
        cases,
    )
    for (before, i, j, x), after in zip(cases, changed, strict=True):
        after = mc.transition_matrix(after)
        before = np.array(before)
        assert after[i, j] == x
        others = np.delete(np.arange(len(before)), j)
        if before[i, others].any():
            rest = before[i, others] / before[i, others].sum()
            np.testing.assert_allclose(after[i, others], (1 - x) * rest, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(np.delete(after, i, axis=0), np.delete(before, i, axis=0))


# ---------------------------------------------------------------- what it says


def test_an_aperiodic_chain_settles(page):
    page.get_by_role("button", name="Ten").click()
    shown = run(page)
    d = mc.total_variation(mc.evolve(shown["P"], 0, 10)[-1], mc.invariant_law(shown["P"]))
    assert status(page) == f"After 10 steps: distance {1000 * d:.1f} · 10⁻³ to the invariant law."
    page.evaluate(f"{OUTER}.step(200)")
    assert status(page).endswith("to the invariant law: settled.")
    np.testing.assert_allclose(run(page)["law"], mc.invariant_law(np.array(shown["P"])), rtol=0, atol=1e-12)


def test_period_2_never_settles_its_average_does_and_laziness_helps(page):
    choose(page, "period 2")
    page.evaluate(f"{OUTER}.step(400)")
    mean = mc.evolve(run(page)["P"], 0, 400).mean(axis=0)
    d = mc.total_variation(mean, mc.invariant_law(run(page)["P"]))
    says = f"distance 0.50; period 2: the law does not settle, its average does (distance {1000 * d:.1f} · 10⁻³)."
    assert status(page) == f"After 400 steps: {says}"
    slider = page.get_by_role("slider", name="stay with probability")
    slider.press("ArrowRight")
    page.evaluate(f"{OUTER}.step(400)")
    assert "settled" in status(page)
    assert run(page)["chain"]["stay"] == 0.05


def test_with_two_closed_classes_the_limit_depends_on_the_start(page):
    choose(page, "two closed classes")
    P = np.array(run(page)["P"])
    _, invariant = limits(P)
    seen = []
    for s in (2, 3, 0, 4):
        node(page, s).click()
        page.get_by_role("button", name="Ten").click()
        assert "2 closed classes, so the limit depends on the start" in status(page)
        np.testing.assert_allclose(run(page)["limit"], mc.absorption_probabilities(P)[s] @ invariant, atol=1e-12)
        seen.append(tuple(np.round(run(page)["limit"], 6)))
    assert len(set(seen)) == 4
    assert "{2, 3} transient" in page.locator(".rl-live .rl-inspect").inner_text()


def test_before_a_periodic_class_the_law_need_not_settle_and_the_figure_says_no_more(page):
    P = [[0, 0.5, 0.5], [0, 0, 1], [0, 1, 0]]
    page.evaluate(f"P => {OUTER}.setChain({{P, start: 0, stay: 0}})", P)
    page.evaluate(f"{OUTER}.step(3)")
    assert run(page)["distances"][-1] == 0  # here it does: both phases are equally likely
    assert "a class of period 2 lies ahead: the law need not settle, its average does" in status(page)


# ---------------------------------------------------------------- what the reader does


def test_step_play_pause_and_reset(page):
    page.get_by_role("button", name="One step").click()
    assert run(page)["t"] == 1
    page.get_by_role("button", name="Play").click()
    assert page.get_by_role("status").get_attribute("aria-live") == "off"
    page.wait_for_function(f"{OUTER}.run.t >= 3")
    page.get_by_role("button", name="Pause").click()
    t = run(page)["t"]
    page.wait_for_timeout(500)
    assert run(page)["t"] == t
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="Reset").click()
    assert run(page)["t"] == 0
    assert run(page)["law"] == [1, 0, 0, 0, 0]


def test_with_reduced_motion_play_goes_to_the_end_at_once(opened):
    page = opened(reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    assert status(page).endswith("settled.")
    assert page.evaluate("getComputedStyle(document.querySelector('.rl-live .rl-disc')).transitionDuration") == "0s"
    choose(page, "period 2")
    page.get_by_role("button", name="Play").click()
    assert run(page)["t"] == 60  # it would never end


def test_choosing_the_start_with_mouse_finger_and_keyboard(opened):
    page = opened(width=390, has_touch=True, is_mobile=True)
    node(page, 3).tap()
    assert run(page)["chain"]["start"] == 3
    node(page, 1).click()
    assert run(page)["law"] == [0, 1, 0, 0, 0]
    page.keyboard.press("ArrowRight")
    assert run(page)["chain"]["start"] == 2
    assert page.evaluate("document.activeElement.dataset.state") == "2"
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert run(page)["chain"]["start"] == 4  # round the corner
    assert page.locator('.rl-live [role="radio"][tabindex="0"]').count() == 1
    choose(page, "period 2")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("state 0, closed class")


def test_changing_the_weight_of_an_arrow(page):
    choose(page, "two rooms")
    node(page, 4).click()
    target = page.get_by_label("arrow from 4 to")
    target.select_option("1")
    weight = page.get_by_role("slider", name="its weight")
    assert weight.get_attribute("aria-valuetext") == "0.01"
    weight.press("Home")
    assert np.array(run(page)["P"])[4, 1] == 0
    assert page.locator(".rl-live .rl-tools select").input_value() == "your own"
    assert "{0, 1, 2, 3} transient · {4, 5, 6, 7} closed" in page.locator(".rl-live .rl-inspect").inner_text()
    weight.press("End")
    assert np.array(run(page)["P"])[4].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    choose(page, "two rooms")
    assert np.array(run(page)["P"])[4, 1] == 0.01


def test_the_average_is_an_option(page):
    assert page.locator(".rl-live .rl-bar-mean").count() == 0
    page.get_by_label("show the average over time").check()
    page.get_by_role("button", name="Ten").click()
    bars = page.locator(".rl-live .rl-bar-mean")
    assert bars.count() == 5 + 1  # with the legend
    heights = [float(bars.nth(s).get_attribute("height")) for s in range(5)]
    np.testing.assert_allclose(np.divide(heights, sum(heights)), run(page)["mean"], rtol=0, atol=1e-3)
    assert page.locator(".rl-live .rl-plot polyline.rl-bound").count() == 1


def test_the_picture_shows_the_law(page):
    page.get_by_role("button", name="Ten").click()
    law = np.array(run(page)["law"])
    radii = page.locator(".rl-live .rl-disc").evaluate_all("discs => discs.map(d => Number(d.getAttribute('r')))")
    np.testing.assert_allclose(np.square(radii) / 24**2, law, rtol=0, atol=1e-3)
    label = page.locator(".rl-live .rl-bars").get_attribute("aria-label")
    assert label.startswith("Law after 10 steps: " + ", ".join(f"{p:.2f}" for p in law))


def test_the_still_picture_and_the_live_one_have_the_same_arrows(page):
    assert page.evaluate(
        """() => { const all = part => [...document.querySelectorAll(`${part} .rl-step path`)];
                   const paths = part => all(part).map(path => path.getAttribute('d'));
                   return JSON.stringify(paths('.rl-still')) === JSON.stringify(paths('.rl-live')); }"""
    )


def test_the_python_shown_computes_the_law_on_the_screen(page):
    choose(page, "two closed classes")
    page.get_by_role("slider", name="stay with probability").press("ArrowRight")
    page.get_by_role("button", name="Ten").click()
    names: dict = {}
    exec(page.locator(".rl-code pre").text_content(), names)
    np.testing.assert_allclose(names["law"], run(page)["law"], rtol=0, atol=1e-12)


# ---------------------------------------------------------------- the page around it


def test_without_javascript_the_still_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".rl-still svg").first.is_visible()
    assert page.locator(".rl-live").count() == 0
    assert page.locator(".rl-note").is_visible()


@pytest.mark.parametrize("width", [1280, 720, 660, 390, 360, 320])
def test_nothing_moves_when_the_figure_wakes_and_nothing_overflows(opened, width):
    page = opened("asleep.html", width=width)
    boxes = ".rl-board:visible", ".rl-bars:visible", ".rl-figure", "#after"
    asleep = [page.locator(box).first.bounding_box() for box in boxes]
    page.evaluate("import('./widgets/boot.js')")
    page.wait_for_selector(".rl-awake")
    awake = [page.locator(box).first.bounding_box() for box in boxes]
    for before, after in zip(asleep, awake, strict=True):
        assert after == pytest.approx(before, abs=0.5)
    for name in ("period 2", "two closed classes", "two rooms"):
        choose(page, name)
        page.get_by_role("button", name="Ten").click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        too_small = page.evaluate(
            """() => ['tools', 'panel', 'inspect', 'status'].filter(name => {
                 const box = document.querySelector('.rl-live .rl-' + name);
                 return box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1; })"""
        )
        assert not too_small, (name, status(page))


@pytest.mark.parametrize("theme", THEMES)
def test_text_and_marks_are_legible(opened, theme):
    page = opened(f"{theme}.html")
    background = rgb(THEMES[theme]["background"])
    disc = page.evaluate("() => getComputedStyle(document.querySelector('.rl-live .rl-disc')).fill")
    ink = page.evaluate("() => getComputedStyle(document.querySelector('.rl-live .rl-node text')).fill")
    assert contrast(rgb(ink), 0.5 * rgb(disc) + 0.5 * background) >= 4.5
    for selector in (".rl-status", ".rl-hint", "dt", "select", "button", ".rl-check"):
        ink = page.evaluate("s => getComputedStyle(document.querySelector('.rl-live ' + s)).color", selector)
        assert contrast(rgb(ink), background) >= 4.5, selector
    for mark, colour in ((".rl-limit", "stroke"), (".rl-bar-law", "fill"), (".rl-curve", "stroke")):
        paint = page.evaluate(
            "([s, c]) => getComputedStyle(document.querySelector('.rl-live ' + s))[c]", [mark, colour]
        )
        assert contrast(rgb(paint), background) >= 3, mark
    page.get_by_label("show the average over time").check()
    for mark, paint, opacity in ((".rl-step path", "stroke", "opacity"), (".rl-bar-mean", "fill", "fillOpacity")):
        style = f"const style = getComputedStyle(document.querySelector('.rl-live {mark}'))"
        colour, share = page.evaluate(f"() => {{ {style}; return [style.{paint}, Number(style.{opacity})]; }}")
        assert contrast(rgb(colour) * share + background * (1 - share), background) >= 3, mark


def test_names_and_roles_for_screen_readers(page):
    assert page.get_by_role("radiogroup").count() == 1
    assert page.get_by_role("radio").count() == 5
    assert page.get_by_role("radio", name="state 0, closed class: probability 1.00").is_checked()
    assert page.get_by_role("combobox", name="chain").count() == 1
    page.get_by_role("button", name="One step").click()
    assert status(page).startswith("After 1 step: distance")


def test_the_bundle_for_jupyter_draws_the_same_and_tells_the_kernel(opened):
    page = opened("asleep.html")
    answer = in_jupyter(
        page,
        ChainFigure(),
        """el.rlFigure.change('start', 2);
            window.model.set('chain', { ...data.chain, stay: 0.5 });
            return [data.chain.start, window.saved, el.rlFigure.run.chain.stay, el.className];""",
    )
    assert answer == [2, 1, 0.5, "rl-live rl-figure"]
    page.evaluate("window.release()")
