"""What a chapter says to the page around it."""

from __future__ import annotations

__all__ = ["glue"]

RECORD = "application/papermill.record/"


def glue(name: str, value) -> None:
    """Hand `value` to the text of the chapter, where `{glue:text}` followed by `name` shows it.

    Numbers keep their type, so the text chooses the digits: {glue:text}`error:.2e`. Nothing is displayed here.
    The output format is that of MyST-NB's own `glue`, so that a notebook runs where MyST-NB is not installed.
    Raises ValueError for an empty name. Source: MyST-NB documentation, "Embed outputs as variables".
    """
    from IPython.core.formatters import format_display_data
    from IPython.display import display

    if not name:
        raise ValueError("glue needs a name under which the text can ask for the value.")
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()  # a NumPy scalar would print as np.float64(...)
    bundle, _ = format_display_data(value)
    metadata = {"scrapbook": {"name": name, "mime_prefix": RECORD}}
    display({RECORD + mime: data for mime, data in bundle.items()}, raw=True, metadata=metadata)
