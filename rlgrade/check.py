"""Ask a student's function, compare what it returns, and say kindly what is wrong.

Visible checks and hidden tests use the same functions, so that a student reads the same messages in both.
A message says what was asked, what was expected in words, what came back, and one line that rebuilds the instance;
it never holds the expected value or the source of a test. Answers take and return plain values only: numbers,
strings, arrays, tuples, lists, dicts, `FiniteMDP`.
"""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rlcore import FiniteMDP
from rlgrade.calling import TimeUp, frames, limited, quiet, signature_hint

__all__ = ["Wrong", "ask", "close", "demand", "numbers", "parts"]

Slips = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
NO_SLIPS: Mapping[str, Any] = {}


class Wrong(AssertionError):
    """An answer is not right; its text is all that a student sees. Source: IPython, `_render_traceback_`."""

    def _render_traceback_(self) -> list[str]:
        wrap = textwrap.TextWrapper(88, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        return [part for line in str(self).split("\n") for part in wrap.wrap(line)]


def ask(function: Callable, *args, seconds: float = 5.0, where: str = "") -> Any:
    """Call a student's `function` on copies of `args` and return its plain value.

    Printed output and warnings are dropped. Raises `Wrong` where the function is missing, not written yet, stops with
    an error, has not returned after `seconds` of processor time (see `limited`), or returns anything but plain values
    (shapes are checked by `numbers`); `where` is the line that rebuilds the instance.
    Source: nbgrader documentation, "Autograder tests".
    """
    if not callable(function):
        raise Wrong(f"A function was expected here, but the name now stands for {_brief(function)}.")
    name = getattr(function, "__name__", "your answer")
    again = f"\n  To see it again: {where}" if where else ""
    try:
        with quiet(), limited(seconds):
            value = function(*copy.deepcopy(args))
    except NotImplementedError as error:
        inner = [name, *(frame.name for frame in frames(error, function))][-1]
        what = f"`{name}`" if inner == name else f"`{inner}`, which `{name}` calls,"
        raise Wrong(f"{what} is not written yet: replace its line `raise NotImplementedError`.") from None
    except TimeUp:
        raise Wrong(
            f"`{name}` had not returned after {seconds:g} s. Does its loop always end? "
            f"Where actions tie, rounding can make a rule that compares floats exactly go round for ever.{again}"
        ) from None
    except Wrong:
        raise
    except (Exception, SystemExit) as error:
        raise Wrong(_stopped(error, function, name, args) + again) from None
    return _plain(value, f"`{name}`")


def parts(value: Any, names: Sequence[str], what: str) -> tuple:
    """The components of a returned tuple, one for each of `names`.

    Raises `Wrong` unless `value` is a tuple or list of that length (any shapes inside). Source: this book.
    """
    wanted = f"({', '.join(names)})"
    if value is None:
        raise Wrong(f"{what} returned nothing (None), expected {wanted}: is a `return` missing?")
    if not isinstance(value, (tuple, list)) or len(value) != len(names):
        raise Wrong(f"{what} must return {len(names)} things, {wanted}; it returned {_brief(value)}.")
    return tuple(value)


def numbers(value: Any, shape: tuple[int, ...], what: str, *, whole: bool = False) -> np.ndarray:
    """`value` as a finite array of the given `shape`; with `whole`, of integers.

    Raises `Wrong` naming the first thing amiss: nothing returned, not numbers, another shape, not finite, or not whole.
    Source: this book.
    """
    if value is None:
        raise Wrong(f"{what} is None: is a `return` missing?")
    try:
        array = np.asarray(value)
    except ValueError:
        raise Wrong(f"{what} must be an array of shape {shape}; got rows of different lengths.") from None
    if array.dtype.kind not in "biuf":
        raise Wrong(f"{what} must hold real numbers; got {_brief(value)}.")
    if array.shape != shape:
        wanted = "a single number" if shape == () else f"an array of shape {shape}"
        got = "a single number" if array.shape == () else f"shape {array.shape}"
        raise Wrong(f"{what} must be {wanted}; got {got}.")
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0]
        raise Wrong(f"{what}{_at(place)} is {array[tuple(place)]}: every entry must be a finite number.")
    if whole and not (array == np.round(array)).all():
        place = np.argwhere(array != np.round(array))[0]
        raise Wrong(f"{what}{_at(place)} is {array[tuple(place)]}: whole numbers are needed here.")
    return array.astype(int if whole else float)


def close(
    got: Any, want: Any, *, what: str, expected: str, slips: Slips = NO_SLIPS, where: str = "", tol: float = 1e-8
) -> None:
    """Compare `got` with `want` (scalar or array of any shape), within `tol` times max(1, |want|).

    `expected` says in words what was asked for; `slips` maps sentences, such as "Your values match those without the
    factor gamma.", to the value that this misconception gives on the same instance (or is a function that returns the
    map); `where` is one line that rebuilds the instance. Raises `Wrong`, first for type, shape and finiteness, then
    with the sentence of the slip that matches, if one does. Source: this book.
    """
    want = np.asarray(want, dtype=float)
    value = numbers(got, want.shape, what)
    scale = tol * max(1.0, float(np.abs(want).max(initial=0.0)))
    wrong = np.abs(value - want) > scale
    if not wrong.any():
        return
    sentence = _named(value, slips, scale)
    if sentence:
        raise Wrong(report(what, sentence, expected, got, where))
    place = np.argwhere(wrong)[0]
    side = "too large" if value[tuple(place)] > want[tuple(place)] else "too small"
    count = f"{wrong.sum()} of {want.size} entries are wrong; the first, {what}{_at(place)}," if want.ndim else "It"
    raise Wrong(report(what, f"{count} is {side}.", expected, got, where))


def demand(
    fact: bool | np.bool_,
    finding: str,
    *,
    what: str,
    expected: str = "",
    got: Any = None,
    slips: Slips = NO_SLIPS,
    seen: Any = None,
    where: str = "",
) -> None:
    """Raise `Wrong` with `finding` unless `fact` holds, followed by the sentence of a slip that matches `seen`.

    `seen` is `got` unless given; the other arguments (any shapes) are those of `close`. Source: this book.
    """
    if fact:
        return
    seen = got if seen is None else seen
    sentence = "" if seen is None or slips is NO_SLIPS else _named(np.asarray(seen, dtype=float), slips, 1e-9)
    raise Wrong(report(what, f"{finding} {sentence}".strip(), expected, got, where))


def report(what: str, finding: str, expected: str = "", got: Any = None, where: str = "") -> str:
    """The text of a message: question, finding, what was expected in words, what came back, and the instance."""
    lines = [f"{what}: {finding}"]
    lines += [f"  Expected: {expected}"] if expected else []
    lines += [f"  Returned: {_brief(got)}"] if got is not None else []
    lines += [f"  To see it again: {where}"] if where else []
    return "\n".join(lines)


def _stopped(error: BaseException, function: Callable, name: str, args: tuple) -> str:
    """What stopped an answer, and the line of the student's own that did, if one did."""
    text = f"`{name}` stopped with {type(error).__name__}" + (f": {error}" if str(error) else "")
    own = frames(error, function, others=False)
    if not own:
        return f"{text}\n{signature_hint(function, args)}".rstrip()
    return f"{text}\n(in `{own[-1].name}`, line {own[-1].lineno} of its cell: {own[-1].line})".replace(": )", ")")


def _plain(value: Any, what: str) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return np.array(value, subok=False)
    if isinstance(value, (tuple, list)):
        items = [_plain(item, what) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {_plain(key, what): _plain(item, what) for key, item in value.items()}
    if isinstance(value, FiniteMDP):
        return value
    raise Wrong(
        f"{what} returned an object of type {type(value).__name__}: return plain numbers, arrays or tuples of them."
    )


def _named(value: np.ndarray, slips: Slips, scale: float) -> str:
    """The sentence of the first slip within `scale` of `value`, or nothing."""
    for sentence, slip in dict(slips() if callable(slips) else slips).items():
        slip = np.asarray(slip, dtype=float)
        if slip.shape == value.shape and (np.abs(value - slip) <= scale).all():
            return sentence
    return ""


def _at(place: np.ndarray) -> str:
    return f"[{', '.join(str(i) for i in place)}]" if len(place) else ""


def _brief(value: Any, limit: int = 160) -> str:
    """One line, short enough to read."""
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=6, separator=", ", threshold=20)
    else:
        with np.printoptions(precision=6, threshold=20):
            text = repr(value)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
