"""The unrolled process and the individual flights of the problem set on finite horizons."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from rlgrade import certificates, instances
from rlgrade.instances import STUDENT_VARIABLE
from rlgrade.sets import finite_horizon


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv(STUDENT_VARIABLE, raising=False)


@pytest.mark.parametrize("seed", range(20))
def test_the_unrolled_process_has_the_values_of_a_search_through_all_histories(seed):
    P, r, gamma = instances.mdp(seed, 3, 2, 1.0 if seed % 2 else None)
    g, H = np.random.default_rng(seed).normal(size=3), 1 + seed % 3

    def search(t, s):
        follow = [sum(P[s, a, u] * search(t + 1, u) for u in range(3)) for a in range(2)] if t < H else []
        return max(r[s, a] + gamma * follow[a] for a in range(2)) if t < H else g[s]

    best = certificates.optimal_values(*finite_horizon.unrolled(P, r, H, g), gamma).reshape(H + 1, 3)
    np.testing.assert_allclose(best, [[search(t, s) for s in range(3)] for t in range(H + 1)], atol=1e-8)


def test_flights_ask_for_both_prices_and_for_a_change():
    both = []
    for i in range(300):
        m = finite_horizon.flight(f"student {i}")
        (low, high), (often, rarely) = m["prices"], m["buys"]
        assert low < high
        assert high * rarely < low * often  # the low price is best for the last customer

        @cache
        def best(periods, seats, m=m):
            if not periods or not seats:
                return 0.0, None
            stay = best(periods - 1, seats)[0]
            q = [b * (p + best(periods - 1, seats - 1)[0]) + (1 - b) * stay for p, b in zip(m["prices"], m["buys"])]  # noqa: B905
            return max(q), int(np.argmax(q))

        P, r = finite_horizon.flight_arrays(m)
        v = certificates.optimal_values(*finite_horizon.unrolled(P, r, 5, np.zeros(3)), 1.0).reshape(6, 3)
        np.testing.assert_allclose(v[0], [best(5, s)[0] for s in range(3)], atol=1e-8)
        plan = {best(k, s)[1] for k in range(1, 6) for s in (1, 2)}
        both.append(plan == {0, 1})
    assert np.mean(both) > 0.9


def test_the_flight_is_that_of_the_graded_id(monkeypatch):
    monkeypatch.setenv(STUDENT_VARIABLE, "ben")
    assert finite_horizon.flight("ada") == finite_horizon.flight("ben")
    slips = finite_horizon.flight_slips("ada", lambda m: m["prices"])
    assert any("'ada'" in text and "'ben'" in text for text in slips)


def test_a_policy_that_remembers_is_a_function_of_the_history():
    policy = finite_horizon.remembering(3, 3)
    assert policy((0,)).sum() == pytest.approx(1)
    np.testing.assert_array_equal(policy((0, 1, 2)), policy((0, 1, 2)))
    assert not np.allclose(policy((0, 1, 2)), policy((0, 2, 2)))
