"""The figure of a chain, as a Python object: what a notebook and what a static page receive."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from rlcore.planning import markov_chains as mc
from rlcore.widgets import ChainFigure
from rlcore.widgets import _figure as base
from tests.instances import chains

SWAP = [[0.0, 1.0], [1.0, 0.0]]
SPLIT = [[1.0, 0.0, 0.0], [0.25, 0.0, 0.75], [0.0, 0.0, 1.0]]


def pictures(figure) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(text) for text in re.findall(r"<svg class=.*?</svg>", figure.html(), re.DOTALL)]


def test_the_data_of_the_page_are_the_chain_and_the_examples():
    figure = ChainFigure(SWAP, start=1, stay=0.5, at=[[-1, 0], [1, 0]])
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure.html())[1])
    assert data["chain"] == {"P": SWAP, "start": 1, "stay": 0.5, "at": [[-1, 0], [1, 0]]}
    assert [preset["name"] for preset in data["presets"]] == [
        "aperiodic",
        "period 2",
        "two closed classes",
        "two rooms",
    ]
    assert "http" not in figure.html() + base.bundle("chain").replace("http://www.w3.org/2000/svg", "")


def test_one_text_for_jupyter_with_every_module_once():
    source = base.bundle("chain")
    assert 'from "./' not in source
    assert source.count("export function classes") == source.count("export const h =") == 1


def test_the_examples_are_what_their_names_say():
    examples = {preset["name"]: np.array(preset["chain"]["P"]) for preset in ChainFigure().presets}
    closed = {name: [c.period for c in mc.classes(P) if c.recurrent] for name, P in examples.items()}
    assert closed == {"aperiodic": [1], "period 2": [2], "two closed classes": [1, 1], "two rooms": [1]}
    assert mc.mixing_time(examples["two rooms"]) > 5 * mc.mixing_time(examples["aperiodic"])


def test_the_limit_is_that_of_the_averages_on_random_chains():
    for P, rng in chains(31):
        start = int(rng.integers(len(P)))
        limit = ChainFigure(P, start=start).limit
        rewards = rng.normal(size=len(P))
        assert limit @ rewards == pytest.approx(mc.gain(P, rewards)[start], abs=1e-9)
        np.testing.assert_allclose(limit @ P, limit, rtol=0, atol=1e-12)


def test_staying_put_is_part_of_the_chain():
    figure = ChainFigure(SWAP, stay=0.5)
    np.testing.assert_allclose(figure.P, 0.5)
    figure.set_state({"chain": {**figure.chain, "stay": 0.25}})  # what the front end sends
    np.testing.assert_allclose(figure.P, [[0.25, 0.75], [0.75, 0.25]])


def test_the_still_picture_shows_the_law_beside_its_limit():
    P = np.array(SPLIT)
    graph, bars = pictures(ChainFigure(P, start=1))
    limit = [0.25, 0, 0.75]
    for kind in ("rl-disc", "rl-limit"):  # five steps from state 1, the law is at its limit
        radii = [float(c.get("r")) for c in graph.iter("circle") if c.get("class") == kind]
        np.testing.assert_allclose(np.square(radii) / 24**2, limit, atol=1e-3)
    assert len([g for g in graph.iter("g") if g.get("class") == "rl-step"]) == np.count_nonzero(P)
    heights = [float(r.get("height")) for r in bars.iter("rect") if r.get("class") == "rl-bar-law"]
    np.testing.assert_allclose(heights[:3], np.multiply(82, limit), atol=0.01)


def test_arrows_are_as_wide_as_their_probabilities():
    (graph, _) = pictures(ChainFigure(SPLIT))
    widths = [float(path.get("stroke-width")) for path in graph.iter("path")]
    assert widths == [5, 2, 4, 5]


def test_text_instead_of_the_picture():
    alt = ChainFigure(SWAP).alt
    assert "2 states" in alt
    assert "{0, 1} of period 2" in alt
    assert "after 5 steps its law is (0.00, 1.00), at total variation distance 0.500" in alt
    assert "{0} aperiodic, {2} aperiodic" in ChainFigure(SPLIT, start=1).alt
    assert pictures(ChainFigure(SWAP, alt='A "small" <chain>'))[0].get("aria-label") == 'A "small" <chain>'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"P": [[0.5, 0.4], [0, 1]]}, r"Row 0 of P sums to 0\.9"),
        ({"P": np.eye(9)}, "P has 9 states: the figure draws at most 8"),
        ({"P": SWAP, "start": 2}, r"start = 2: give a state, an integer in 0\.\.1"),
        ({"P": SWAP, "start": [0.5, 0.5]}, r"start = \[0.5, 0.5\]"),
        ({"P": SWAP, "stay": 1.0}, "stay = 1.0: give a probability, at least 0 and below 1"),
        ({"P": SWAP, "stay": float("nan")}, "stay = nan"),
        ({"P": SWAP, "at": [[0, 0]]}, "a place in .* for each of the 2 states"),
        ({"P": SWAP, "at": [[0, 0], [0, 2]]}, "at must hold a place"),
    ],
)
def test_bad_chains_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ChainFigure(**arguments)


def test_a_bad_change_is_refused_and_leaves_the_figure_as_it_was():
    figure = ChainFigure(SWAP)
    with pytest.raises(ValueError, match="stay = 2"):
        figure.chain = {**figure.chain, "stay": 2}
    assert figure.chain["stay"] == 0
