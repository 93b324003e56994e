"""Ask a student's function, compare what it returns, and say kindly what is wrong.

Visible checks and hidden tests use the same functions, so that a student reads the same messages in both.
A message says what was asked, what was expected in words, what came back, and one line that rebuilds the instance;
it never holds the expected value or the source of a test. Answers take and return plain values only: numbers,
strings, arrays, tuples, lists, dicts, `FiniteMDP`.
"""

from __future__ import annotations

import contextlib
import copy
import io
import signal
import textwrap
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rlcore import FiniteMDP

__all__ = ["Wrong", "ask", "close", "demand", "numbers", "parts"]

Slips = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
NO_SLIPS: Mapping[str, Any] = {}


class Wrong(AssertionError):
    """An answer is not right; its text is all that a student sees. Source: IPython, `_render_traceback_`."""

    def _render_traceback_(self) -> list[str]:
        wrap = textwrap.TextWrapper(88, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        return [part for line in str(self).split("\n") for part in wrap.wrap(line)]


class _TimeUp(BaseException):
    """Not an Exception, so that an `except Exception` in an answer does not swallow it."""


def ask(function: Callable, *args, seconds: float = 5.0) -> Any:
    """Call a student's `function` on copies of `args` and return its plain value.

    Printed output and warnings are dropped. Raises `Wrong` where the function is missing, not written yet, stops with
    an error, has not returned after `seconds`, or returns anything but plain values (shapes are checked by `numbers`).
    Source: nbgrader documentation, "Autograder tests".
    """
    if not callable(function):
        raise Wrong(f"A function was expected here, but the name now stands for {_brief(function)}.")
    name = getattr(function, "__name__", "your answer")
    try:
        with _quiet(), _limited(seconds):
            value = function(*copy.deepcopy(args))
    except NotImplementedError as error:
        inner = _frames(error, function)[-1].name
        what = f"`{name}`" if inner == name else f"`{inner}`, which `{name}` calls,"
        raise Wrong(f"{what} is not written yet: replace its line `raise NotImplementedError`.") from None
    except _TimeUp:
        raise Wrong(
            f"`{name}` had not returned after {seconds:g} s. Does its loop always end? "
            "Where actions tie, rounding can make a rule that compares floats exactly go round for ever."
        ) from None
    except Wrong:
        raise
    except (Exception, SystemExit) as error:
        frame = _frames(error, function)[-1]
        text = f": {error}" if str(error) else ""
        place = f"in `{frame.name}`, line {frame.lineno} of its cell" + (f": {frame.line}" if frame.line else "")
        raise Wrong(f"`{name}` stopped with {type(error).__name__}{text}\n({place})") from None
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


# ---------------------------------------------------------------------- how an answer is called


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what is printed: nbgrader takes any text on stderr for a failure."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Interrupt after `seconds`, where the platform has timers (not Windows) and this is the main thread."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(signum, frame):
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _frames(error: BaseException, function: Callable) -> list[traceback.FrameSummary]:
    """The frames of `error` that lie in the student's notebook: no library's, none of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    home = getattr(getattr(function, "__code__", None), "co_filename", None)
    own = [frame for frame in frames if frame.filename == home or "ipykernel_" in frame.filename]
    return [frame for frame in own if frame.name != "<module>"] or [frames[-1]]


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
