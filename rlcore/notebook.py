"""What a chapter says to the page around it."""

from __future__ import annotations

__all__ = ["glue"]

RECORD = "application/papermill.record/"


def glue(name: str, value) -> None:
    """Hand `value` to the text of the chapter, where the role {eval} shows it: {eval}`f"{name:.2f}"`.

    The static site looks the value up among those handed over; JupyterLab, with jupyterlab-myst, evaluates the
    expression in the kernel, so `name` also becomes a variable of the notebook. Numbers keep their type, so that
    the text chooses the digits. Nothing is displayed here. Works where MyST-NB is not installed, with its format.
    Takes any value and returns nothing. Raises ValueError for a name that is no Python identifier.
    Source: MyST-NB documentation, "Embed outputs as variables"; jupyterlab-myst documentation, "Inline expressions".
    """
    from IPython import get_ipython
    from IPython.core.formatters import format_display_data
    from IPython.display import display

    if not name.isidentifier():
        raise ValueError(f"glue needs a Python name, which the text can ask for; got {name!r}.")
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()  # a NumPy scalar would print as np.float64(...)
    shell = get_ipython()
    if shell is not None:
        shell.user_ns[name] = value
    bundle, _ = format_display_data(value)
    metadata = {"scrapbook": {"name": name, "mime_prefix": RECORD}}
    display({RECORD + mime: data for mime, data in bundle.items()}, raw=True, metadata=metadata)
