"""Progress in Excel's status bar; Esc stops between two steps, before anything is written."""

from __future__ import annotations

import os
from typing import Any

from engine.errors import RebalancerError
from engine.words import Lang
from templates.spec.schema import Text

_ESCAPE = 0x1B
#: The first step of most commands.
READING = Text("reading the workbook", "통합 문서를 읽는 중")


class Cancelled(RebalancerError):
    """Report that the person pressed Esc."""


class Progress:
    """Show what is being done; each step raises Cancelled where Esc has been pressed since the one before."""

    def __init__(self, book: Any, lang: Lang = "en") -> None:  # noqa: ANN401 - an xlwings Book
        self.app, self.lang = book.app, lang
        escape_pressed()  # forget what was pressed before

    def step(self, text: Text) -> None:
        """Show the next step in the workbook's language."""
        if escape_pressed():
            raise Cancelled("stopped")
        self.app.status_bar = f"Rebalancer: {text.of(self.lang)} (Esc)"

    def end(self) -> None:
        """Give the status bar back to Excel."""
        self.app.status_bar = False


def escape_pressed() -> bool:
    """Tell whether Esc was pressed since the last call; False where the system does not say."""
    if os.name != "nt":
        return False
    import ctypes

    return bool(vars(ctypes)["windll"].user32.GetAsyncKeyState(_ESCAPE) & 1)
