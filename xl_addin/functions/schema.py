"""What an argument and a function are: the vocabulary that `xl_addin.functions.registry` is written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from templates.spec.schema import Text

#: table: a range with headers; list: cells with tickers (or a table); cell: one value.
Kind = Literal["table", "list", "cell"]


@dataclass(frozen=True, slots=True)
class Argument:
    """Declare one argument; `example` is written as in a formula."""

    name: str
    kind: Kind
    help: Text
    example: str
    optional: bool = True

    @property
    def python(self) -> str:
        """Return the parameter's name in Python and VBA, where `from` and `to` mean something else."""
        return f"{self.name}_" if self.name in ("from", "to") else self.name


@dataclass(frozen=True, slots=True)
class Function:
    """Declare one function.

    `columns` are the headers of the table it returns; empty for a single value, and where the headers depend on the
    arguments (`returns` says what they are then). `sheets` are the keys of `templates.spec.SHEETS` that it reads
    where no range is given. `near` tells whether what other cells ask for can save it a request.
    """

    name: str
    help: Text
    arguments: tuple[Argument, ...]
    returns: Text
    columns: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    example: str = ""
    near: bool = False

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return the parameters that a host fills by itself, after the declared arguments."""
        return ("tables",) * bool(self.sheets) + ("near",) * self.near

    @property
    def python(self) -> str:
        """Return the name of the body in `xl_addin.functions`."""
        return self.name.lower()

    @property
    def ranges(self) -> tuple[str, ...]:
        """Return the arguments in whose absence, of all of them, the workbook's own tables are read."""
        if not self.sheets:
            return ()
        return tuple(argument.name for argument in self.arguments if argument.kind != "cell" and argument.optional)

    def reads_workbook(self, given: Mapping[str, bool]) -> bool:
        """Tell whether a call reads the calling workbook, from which of its arguments are given."""
        return bool(self.sheets) and not any(given.get(name, False) for name in self.ranges)

    @property
    def signature(self) -> str:
        """Return the call as it is documented: optional arguments in brackets."""
        shown = (f"[{a.name}]" if a.optional else a.name for a in self.arguments)
        return f"{self.name}({', '.join(shown)})"
