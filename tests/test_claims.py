"""The register of claims: what the book states is checked or excused; and each way to break that is noticed."""

from __future__ import annotations

import claims
import pytest

CHAPTER = """
:::{prf:theorem} It $T$ contracts
:label: thm-a

Text.
:::

```{prf:lemma}
---
label: lem-b
---
Text.
```

:::{prf:definition} No claim
:label: def-c
:::

$$ x = y $$ (eq-d)

$$ x = y $$ (not-a-fact)

:::{math}
:label: eq-e
x = z
:::
"""

TESTS = """
import pytest

NOT_TESTED = {"lem-b": "stated only: Puterman (1994), theorem 1"}
NEVER_TIGHT: dict[str, str] = {"eq-d": "an identity"}
NOTHING_TO_DROP = {"eq-d": "no hypothesis", "eq-e": "no hypothesis"}

@pytest.mark.claim("thm-a", "random")
@pytest.mark.claim("eq-e", "random", "tight")
def test_many(): ...

class TestMore:
    @pytest.mark.slow
    @pytest.mark.claim("thm-a", "tight")
    def test_tight(self): ...

@pytest.mark.claim("thm-a", "dropped")
def test_dropped(): ...

@pytest.mark.claim("eq-d", "random")
def test_equation(): ...
"""


def test_every_claim_of_the_book_is_checked_or_excused(root):
    found = claims.find_claims(root / "book")
    assert claims.problems(found, claims.find_checks(root / "tests")) == []


def test_scanner_reads_every_form():
    found = claims.claims_in(CHAPTER, "planning/x")
    assert [(c.label, c.kind, c.title) for c in found] == [
        ("thm-a", "theorem", "It $T$ contracts"),
        ("lem-b", "lemma", ""),
        ("eq-d", "equation", ""),
        ("eq-e", "equation", ""),
    ]
    register = claims.checks_in(TESTS, "test_x.py")
    assert [check.name for check in register.of("thm-a", "tight")] == ["test_tight"]
    assert register.excuse("lem-b", "random") == "stated only: Puterman (1994), theorem 1"
    assert register.excuse("eq-d", "tight") == "an identity"
    assert register.excuse("eq-d", "random") is None
    assert claims.problems(found, register) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"thm-a", "random"', '"thm-a", "tight"', "thm-a: no 'random' test and no reason"),
        ('"lem-b": "stated only: Puterman (1994), theorem 1"', "", "lem-b: no 'random' test and no reason"),
        ('"thm-a", "tight"', '"thm-a", "random"', "thm-a: no 'tight' test and no reason"),
        ('"eq-e": "no hypothesis"', "", "eq-e: no 'dropped' test and no reason"),
        ('"thm-a", "dropped"', '"thm-a", "droped"', "'droped' is no kind of check"),
        ('"thm-a", "dropped"', '"thm-z", "dropped"', "checks thm-z, which the book does not have"),
        (
            '"eq-d": "an identity"',
            '"eq-d": "an identity", "eq-z": "why"',
            "NEVER_TIGHT names eq-z, which the book does",
        ),
        ('"an identity"', '""', "the reason for eq-d must be one line"),
        ('"eq-e": "no hypothesis"', '"eq-e": "why", "thm-a": "why"', "NOTHING_TO_DROP excuses thm-a, which has such"),
    ],
)
def test_what_is_wrong_in_tests_is_noticed(old, new, message):
    assert TESTS.count(old) == 1 or old == '"eq-d": "an identity"'
    register = claims.checks_in(TESTS.replace(old, new), "test_x.py")
    found = claims.problems(claims.claims_in(CHAPTER, "x"), register)
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":label: thm-a\n", "", "the theorem 'It $T$ contracts' has no label"),
        ("label: lem-b", "label: thm-a", "The label thm-a is used 2 times"),
        ("(not-a-fact)", "(eq-new)", "eq-new: no 'random' test and no reason"),
    ],
)
def test_what_is_wrong_in_chapters_is_noticed(old, new, message):
    assert old in CHAPTER
    found = claims.problems(claims.claims_in(CHAPTER.replace(old, new), "x"), claims.checks_in(TESTS, "test_x.py"))
    assert any(message in problem for problem in found), found


def test_a_computed_label_is_refused():
    with pytest.raises(ValueError, match=r"test_x\.py, line 1: write the claim's label"):
        claims.checks_in("@pytest.mark.claim(f'thm-{x}', 'random')\ndef test_y(): ...", "test_x.py")


def test_files_are_found(tmp_path):
    (tmp_path / "book" / "part").mkdir(parents=True)
    (tmp_path / "book" / "part" / "x.md").write_text(CHAPTER, encoding="utf-8")
    (tmp_path / "book" / "_ext").mkdir()
    (tmp_path / "book" / "_ext" / "skipped.md").write_text(CHAPTER, encoding="utf-8")
    cell = {"cell_type": "markdown", "source": [":::{prf:corollary}\n", ":label: cor-n\n", ":::"]}
    code = {"cell_type": "code", "source": [":::{prf:corollary}\n", ":label: cor-c\n"]}
    (tmp_path / "book" / "n.ipynb").write_text(__import__("json").dumps({"cells": [cell, code]}), encoding="utf-8")
    found = claims.find_claims(tmp_path / "book")
    assert [(c.page, c.label) for c in found][:2] == [("n", "cor-n"), ("part/x", "thm-a")]
    assert len(found) == 5
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(TESTS, encoding="utf-8")
    assert len(claims.find_checks(tmp_path / "tests").checks) == 6
