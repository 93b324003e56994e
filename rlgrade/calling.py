"""How an answer is called: silently, for a limited time, and with its own lines told apart from everyone else's."""

from __future__ import annotations

import contextlib
import inspect
import io
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator

import numpy as np

__all__ = ["TimeUp", "frames", "limited", "quiet", "signature_hint"]


class TimeUp(BaseException):
    """Not an Exception, so that an `except Exception` in an answer does not swallow it. Source: this book."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop what is printed: nbgrader takes any text on stderr for a failure. Source: nbgrader documentation."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` after `seconds` of processor time, or after ten times as long by the clock for one that waits.

    Processor time, because the verdict must not depend on what else the machine does. Works where the platform has
    timers (not Windows) and this is the main thread. Source: Python library reference, `signal`.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(signum, frame):
        raise TimeUp

    timers = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, 10 * seconds))
    before = [signal.signal(number, ring) for _, number, _ in timers]
    for timer, _, limit in timers:
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for (timer, number, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def frames(error: BaseException, function: Callable, *, others: bool = True) -> list[traceback.FrameSummary]:
    """The frames of `error` in the cell of `function` and, with `others`, in other cells: no library's, none of ours.

    Empty where there is none. Source: Python library reference, `traceback`.
    """
    home = getattr(getattr(function, "__code__", None), "co_filename", None)
    found = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in found if frame.filename == home or (others and "ipykernel_" in frame.filename)]
    return [frame for frame in own if frame.name != "<module>"]


def signature_hint(function: Callable, args: tuple) -> str:
    """What `function` is called with and what its `def` line takes, or nothing where the two fit (any shapes).

    Source: Python library reference, `inspect`.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*args)
    except TypeError:
        kinds = ", ".join(f"array {arg.shape}" if isinstance(arg, np.ndarray) else type(arg).__name__ for arg in args)
        given = f"{len(args)} argument{'s' * (len(args) != 1)}" + (f" ({kinds})" if args else "")
        return f"It is called with {given}, but its `def` line takes {signature}: keep the `def` line as it was given."
    return ""
