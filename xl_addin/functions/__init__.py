"""The spreadsheet functions. Excel finds each here by its name in lower case; that imports xlwings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def __getattr__(name: str) -> Callable[..., Any]:
    """Return the function that Excel calls by this name."""
    if not name.startswith("rebal_"):
        raise AttributeError(name)
    from xl_addin.functions import excel

    found: Callable[..., Any] = getattr(excel, name)
    return found
