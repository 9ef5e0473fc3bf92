"""A button is pressed: find its command, show progress, and tell the person what became of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from engine.errors import MarketDataError, Problem, RebalancerError
from xl_addin.commands.progress import Cancelled, Progress

#: command: its module within this package, and its function.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "refresh": ("data", "refresh"),
    "sources": ("data", "sources"),
    "mode_full": ("data", "mode_full"),
    "mode_buy_only": ("data", "mode_buy_only"),
    "mode_sell_only": ("data", "mode_sell_only"),
    "propose": ("trading", "propose"),
    "record": ("trading", "record"),
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
    command: Callable[..., str] = getattr(import_module(f"xl_addin.commands.{module}"), function)
    progress = Progress(book)
    try:
        message = command(book, progress, formulas=formulas)
    except Cancelled:
        message = ""
    except RebalancerError as error:
        message = _told(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a person never sees a traceback
        from xl_addin.bodies import journal

        message = journal.unexpected(name, error).message
    finally:
        progress.end()
    if message:
        book.app.alert(message, _TITLE)


def _told(error: RebalancerError) -> str:
    problems: tuple[Problem, ...] = getattr(error, "problems", ())
    if not problems:
        return str(error)
    first = [str(error)] if isinstance(error, MarketDataError) else []
    lines = [f"{problem.where}: {problem.message}" for problem in problems]
    more = [f"… {len(lines) - _SHOWN_AT_MOST} more"] if len(lines) > _SHOWN_AT_MOST else []
    return "\n".join([*first, *lines[:_SHOWN_AT_MOST], *more])
