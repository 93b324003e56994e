"""The exact model of Gymnasium's Blackjack-v1: an infinite deck, a dealer who stands on 17.

A state is the observation (sum, dealer's card, usable ace). Where a natural (ace and ten at once) pays more than
another 21, the observation does not tell them apart; those hands are then states of their own,
(21, card, 1, "natural"), so that the process is Markov.

Source: Sutton and Barto (2018), example 5.1; the rules, gymnasium.envs.toy_text.blackjack.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cache

END = "end"
STICK, HIT = 0, 1
DECK = {card: (4 if card == 10 else 1) / 13 for card in range(1, 11)}
Outcomes = list[tuple[float, object, float, bool]]


def add(total: int, ace: int, card: int) -> tuple[int, int]:
    """A hand's sum and whether it has a usable ace, after one more card."""
    hard = total - 10 * ace + card
    ace = int((ace or card == 1) and hard + 10 <= 21)
    return hard + 10 * ace, ace


@cache
def dealer_scores(total: int, ace: int) -> dict[int, float]:
    """Law of the dealer's final score, 0 for a bust, from a hand with this sum."""
    if total >= 17:
        return {total if total <= 21 else 0: 1.0}
    law: dict[int, float] = defaultdict(float)
    for card, p in DECK.items():
        for score, q in dealer_scores(*add(total, ace, card)).items():
            law[score] += p * q
    return dict(law)


def blackjack(natural: bool, sab: bool) -> tuple[Callable[[tuple, int], Outcomes], list[tuple[float, tuple]]]:
    """`(model, start)` as `from_gym` takes them, for the options of Gymnasium's environment (sab overrides natural)."""
    marked = natural or sab

    def model(state: tuple, action: int) -> Outcomes:
        total, shown, ace = state[:3]
        if action == STICK:
            return _stick(total, shown, len(state) > 3, sab)
        hands = [(p, add(total, ace, card)) for card, p in DECK.items()]
        bust = sum(p for p, (hand, _) in hands if hand > 21)
        rest: Outcomes = [(p, (hand, shown, usable), 0.0, False) for p, (hand, usable) in hands if hand <= 21]
        return [*rest, (bust, END, -1.0, True)] if bust else rest

    start: dict[tuple, float] = defaultdict(float)
    for first, p in DECK.items():
        for second, q in DECK.items():
            hand = add(*add(0, 0, first), second)
            mark = ("natural",) if marked and hand == (21, 1) else ()
            for shown, r in DECK.items():
                start[(hand[0], shown, hand[1], *mark)] += p * q * r
    return model, [(p, state) for state, p in sorted(start.items())]


def _stick(total: int, shown: int, is_natural: bool, sab: bool) -> Outcomes:
    law: dict[float, float] = defaultdict(float)  # reward to probability
    if is_natural and sab:  # a natural wins, unless the dealer has one too
        tie = {1: DECK[10], 10: DECK[1]}.get(shown, 0.0)
        law = {1.0: 1 - tie, 0.0: tie}
    else:
        win = 1.5 if is_natural else 1.0
        for score, p in dealer_scores(*add(0, 0, shown)).items():
            law[win if total > score else 0.0 if total == score else -1.0] += p
    return [(p, END, reward, True) for reward, p in law.items() if p]
