"""The ribbon's buttons, each a function over an xlwings Book, on Windows and on a Mac.

A button first works out every change, then makes them all or none (`edits`), with a restore point before. Progress
shows in Excel's status bar; Esc stops between two steps, before anything is written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from engine.errors import MarketDataError, Problem, RebalancerError
from engine.phrase import Phrase
from engine.words import Lang, say, tell

__all__ = ["COMMANDS", "Cancelled", "Lines", "Progress", "press", "problem_lines"]

#: What a button has to tell in the end, line by line; nothing where all went well and shows.
Lines = Sequence[Phrase | str]

#: command: its module within this package, and its function.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "refresh": ("computing", "refresh"),
    "analyse": ("computing", "analyse"),
    "sources": ("computing", "sources"),
    "mode_full": ("computing", "mode_full"),
    "mode_buy_only": ("computing", "mode_buy_only"),
    "mode_sell_only": ("computing", "mode_sell_only"),
    "propose": ("computing", "propose"),
    "record": ("recording", "record"),
    "undo": ("computing", "undo"),
    "import": ("importing", "import_file"),
    "update": ("importing", "update_book"),
    "sync": ("syncing", "synchronise"),
    "share": ("sharing", "share_copy"),
    "pdf": ("sharing", "pdf"),
    "help": ("sharing", "help_me"),
}
_TITLE = "Rebalancer"
#: Problems that a message box shows.
_SHOWN_AT_MOST = 12
_ESCAPE = 0x1B


class Cancelled(RebalancerError):
    """A press of Esc, before anything was written."""


class Progress:
    """A button's steps in the status bar; each raises Cancelled where Esc was pressed since the one before."""

    def __init__(self, book: Any, lang: Lang = "en") -> None:  # noqa: ANN401 - an xlwings Book
        self.app, self.lang = book.app, lang
        escape_pressed()  # forget what was pressed before

    def step(self, name: str, **values: object) -> None:
        """Show the next step, the message `step.<name>`, in the workbook's language."""
        if escape_pressed():
            raise Cancelled("stopped")
        self.app.status_bar = f"Rebalancer: {say(f'step.{name}', self.lang, **values)} (Esc)"

    def end(self) -> None:
        """Give the status bar back to Excel."""
        self.app.status_bar = False


def escape_pressed() -> bool:
    """Tell whether Esc was pressed since the last call; False where the system does not say."""
    if os.name != "nt":
        return False
    import ctypes

    return bool(vars(ctypes)["windll"].user32.GetAsyncKeyState(_ESCAPE) & 1)


def press(name: str, book: Any = None, *, formulas: bool = sys.platform == "win32") -> None:  # noqa: ANN401
    """Run a button's command on the workbook that called (or `book`), and show its message, if any.

    `formulas` is true where Excel computes our functions itself: elsewhere results are written as values.
    """
    from xl_addin.buttons.book import language_of

    if book is None:
        import xlwings

        book = xlwings.Book.caller()
    module, function = COMMANDS[name]
    command: Callable[..., Lines] = getattr(import_module(f"{__name__}.{module}"), function)
    lang = language_of(book)
    progress = Progress(book, lang)
    try:
        message = "\n".join(tell(line, lang, "workbook") for line in command(book, progress, formulas=formulas))
    except Cancelled:
        message = ""
    except RebalancerError as error:
        message = _told(error, lang)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a person never sees a traceback
        from xl_addin.functions import journal

        message = journal.unexpected(name, error).said(lang)
    finally:
        progress.end()
    if message:
        book.app.alert(message, _TITLE)


def _told(error: RebalancerError, lang: Lang) -> str:
    problems: tuple[Problem, ...] = getattr(error, "problems", ())
    said = error.args[0] if error.args and isinstance(error.args[0], Phrase) else None
    own = said.told(lang, "workbook") if said else str(error)
    own = error.said(lang, "workbook") if isinstance(error, MarketDataError) else own
    if not problems:
        return own
    first = [own] if isinstance(error, MarketDataError) else []
    return "\n".join([*first, *problem_lines(problems, lang)])


def problem_lines(problems: Sequence[Problem], lang: Lang) -> list[str]:
    """Return problems as lines, as far as a message box holds them."""
    lines = [f"{problem.placed(lang)}: {problem.said(lang, 'workbook')}" for problem in problems]
    left = len(lines) - _SHOWN_AT_MOST
    return [*lines[:_SHOWN_AT_MOST], *([say("more-lines", lang, number=left)] if left > 0 else [])]
