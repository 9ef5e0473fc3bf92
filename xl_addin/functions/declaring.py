"""What a spreadsheet function is, declared where its body stands, and one call of it, whatever becomes of that.

How a call travels. A function takes its declared arguments and after them what a host fills in by itself: `tables`, the
input sheets of the workbook that calls it (`Function.sheets`), passed where none of `Function.ranges` is given, which
is also when the call must be volatile. A host that has names for its ranges passes a mapping {sheet title: rows}; VBA
passes one two-dimensional array: the sheets from their cell A1 side by side, below a row that holds each sheet's title
above its first column. Where `Function.near` says so a function takes last `near`: the calling sheet from A1, its
values and right of them its formulas, or sheets by title. A host passes it to the first of the cells that it computes,
and to others now and then.

What comes back is a scalar or a list of rows with a header row. Where a cell is to show an error, the text is one of
`cells.TOKENS` (as the whole answer, or as an element of a row): hosts replace it by the real error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

from engine.errors import ImpossibleError, InputError, MarketDataError, PlanNotFoundError, Problem
from engine.phrase import place
from engine.words import Lang, say
from xl_addin.functions import journal
from xl_addin.functions.cells import NA, NUM, VALUE, Answer, Shown, shown

#: The group of the functions in a function wizard, and the longest help that Excel's shows.
CATEGORY, MAX_HELP = "Rebalancer", 255
#: The sheets that a function over a portfolio reads where no range is given.
PORTFOLIO_SHEETS = ("Holdings", "Targets", "Prices", "Settings")
#: Those, and what happened before: gains that were realised earlier in the year.
WITH_LEDGER = (*PORTFOLIO_SHEETS, "Ledger")
#: table: a range with headers; list: cells with tickers (or a table); cell: one value.
Kind = Literal["table", "list", "cell"]
Body = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a function; `example` is written as in a formula, `key` names its help where `name` does not."""

    name: str
    kind: Kind
    example: str
    optional: bool = True
    key: str = ""

    @property
    def python(self) -> str:
        """Return the parameter's name in Python and VBA, where `from` and `to` mean something else."""
        return f"{self.name}_" if self.name in ("from", "to") else self.name

    def help(self, lang: Lang) -> str:
        """Return what the argument is, in a language."""
        return say(f"argument.{self.key or self.name}", lang)


@dataclass(frozen=True, slots=True)
class Function:
    """A spreadsheet function: its name, what it takes and returns, and the body that answers.

    `columns` are the headers of the table it returns: none where they depend on the arguments, None for one value.
    `sheets` are the keys of `templates.spec.SHEETS` that it reads where no range is given. `near` tells whether what
    other cells ask for can save it a request; `checked`, whether REBAL_CHECKS asks the same and tells its problems.
    """

    name: str
    body: Body
    arguments: tuple[Argument, ...] = ()
    columns: tuple[str, ...] | None = None
    sheets: tuple[str, ...] = ()
    example: str = ""
    near: bool = False
    checked: bool = False

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return the parameters that a host fills by itself, after the declared arguments."""
        return ("tables",) * bool(self.sheets) + ("near",) * self.near

    @property
    def python(self) -> str:
        """Return the function's name in `xl_addin.functions`."""
        return self.name.lower()

    @property
    def ranges(self) -> tuple[str, ...]:
        """Return the arguments in whose absence, of all of them, the workbook's own tables are read."""
        if not self.sheets:
            return ()
        return tuple(argument.name for argument in self.arguments if argument.kind != "cell" and argument.optional)

    @property
    def signature(self) -> str:
        """Return the call as it is documented: optional arguments in brackets."""
        names = (f"[{a.name}]" if a.optional else a.name for a in self.arguments)
        return f"{self.name}({', '.join(names)})"

    def help(self, lang: Lang) -> str:
        """Return what the function is for, in a language."""
        return say(f"function.{self.name}", lang)

    def returns(self, lang: Lang) -> str:
        """Return what the function's rows are, in a language."""
        return say(f"returns.{self.name}", lang)

    def table(self, rows: Iterable[Mapping[str, object]]) -> list[list[Shown]]:
        """Return rows under the declared headers; columns that a row does not have are left empty."""
        columns = self.columns or ()
        return [list(columns), *([shown(row.get(column)) for column in columns] for row in rows)]

    def answer(self, given: Sequence[object]) -> Answer:
        """Return what the cells show; never raises. `given` are the arguments, then what the host fills in."""
        try:
            found = self.body(*given)
        except (ImpossibleError, PlanNotFoundError) as error:
            return self._failed(given, error.problems, NUM)
        except InputError as error:
            return self._failed(given, error.problems, VALUE)
        except MarketDataError as error:
            return self._failed(given, error.listed(), NA)
        except Exception as error:  # noqa: BLE001 - the last line of defence: a cell never shows a traceback
            return self._failed(given, (journal.unexpected(self.name, error),), VALUE)
        if not journal.empty():
            journal.answered(self.name, self._digest(given))
        return found

    def _failed(self, given: Sequence[object], problems: Iterable[Problem], token: str) -> str:
        causes = tuple(self._placed(problem) for problem in problems if problem.severity != "info")
        journal.failed(self.name, self._digest(given), causes, shown=not self.checked)
        return token

    def _placed(self, problem: Problem) -> Problem:
        """Name the function where a problem names only its argument."""
        if problem.code != "bad-argument":
            return problem
        return replace(problem, where=place("of-function", function=self.name, where=problem.where))

    def _digest(self, given: Sequence[object]) -> str:
        """Return what tells a call from others; what stands near it does not."""
        told = given[: len(self.arguments) + bool(self.sheets)]
        return sha256(repr(told).encode("utf-8", "replace")).hexdigest()


def declared(
    name: str,
    *arguments: Argument,
    columns: Sequence[str] | None = None,
    sheets: tuple[str, ...] = (),
    example: str = "",
    near: bool = False,
    checked: bool = False,
) -> Callable[[Body], Function]:
    """Return what makes a body the function of this name; see `Function`."""

    def function(body: Body) -> Function:
        named = None if columns is None else tuple(columns)
        return Function(name, body, arguments, named, sheets, example, near, checked)

    return function
