"""A button is pressed: find its command, show progress, and tell the person what became of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from engine.errors import MarketDataError, Problem, RebalancerError
from engine.places import place
from engine.words import Lang
from templates.spec.schema import Text
from xl_addin.buttons.progress import Cancelled, Progress
from xl_addin.buttons.sheets import language_of

#: command: its module within this package, and its function.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "refresh": ("data", "refresh"),
    "analyse": ("analysing", "analyse"),
    "sources": ("data", "sources"),
    "mode_full": ("data", "mode_full"),
    "mode_buy_only": ("data", "mode_buy_only"),
    "mode_sell_only": ("data", "mode_sell_only"),
    "propose": ("trading", "propose"),
    "record": ("recording", "record"),
    "undo": ("trading", "undo"),
    "share": ("sharing", "share_copy"),
    "pdf": ("sharing", "pdf"),
    "help": ("sharing", "help_me"),
}
_TITLE = "Rebalancer"
_SHOWN_AT_MOST = 12


def press(name: str, book: Any = None, *, formulas: bool = sys.platform == "win32") -> None:  # noqa: ANN401
    """Run a button's command on the workbook that called (or `book`), and show its message, if any.

    `formulas` is true where Excel computes our functions itself: elsewhere results are written as values.
    """
    if book is None:
        import xlwings

        book = xlwings.Book.caller()
    module, function = COMMANDS[name]
    command: Callable[..., Text | None] = getattr(import_module(f"xl_addin.buttons.{module}"), function)
    lang = language_of(book)
    progress = Progress(book, lang)
    try:
        told = command(book, progress, formulas=formulas)
        message = told.of(lang) if told else ""
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
    own = (error.ko if lang == "ko" and isinstance(error, MarketDataError) else "") or str(error)
    if not problems:
        return own
    first = [own] if isinstance(error, MarketDataError) else []
    lines = [f"{place(problem.where, lang)}: {problem.said(lang)}" for problem in problems]
    left = len(lines) - _SHOWN_AT_MOST
    more = [f"… {left} more" if lang == "en" else f"… 외 {left}건"] if left > 0 else []
    return "\n".join([*first, *lines[:_SHOWN_AT_MOST], *more])
