"""A portfolio from whatever a person has: a file of any kind, plain data, DataFrames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InputError, Problem, error
from engine.portfolio import Portfolio

if TYPE_CHECKING:
    import pandas as pd

Loaded = tuple[Portfolio | None, tuple[Problem, ...]]
#: How else people name the columns of a frame; every other name is the portfolio file's own.
_FRAME_NAMES = {"ticker": "symbol", "shares": "quantity", "target": "weight", "avg_cost": "average_cost"}


def load(source: str | Path | Mapping[str, Any]) -> Portfolio:
    """Return the portfolio of a file (.yaml, .xlsx, .xlsm, .ods, a folder of .csv files) or of a dict of that shape.

    What reading it found that does not stop a plan is in its `notes`. Raises InputError with every problem where it
    cannot be used.

    >>> target = {"ticker": "QQQ", "weight": 1}
    >>> load({"portfolio": {"base_currency": "USD", "cash": {"USD": 900}, "targets": [target]}}).symbols
    ('QQQ',)
    """
    if isinstance(source, Mapping):
        from engine.data.document import portfolio_from_data

        return usable(*portfolio_from_data(source, "portfolio"))
    return usable(*load_portfolio(Path(source)))


def from_frames(
    holdings: pd.DataFrame | None,
    targets: pd.DataFrame | pd.Series[float] | Mapping[str, float],
    *,
    cash: pd.DataFrame | pd.Series[float] | Mapping[str, float] | float | None = None,
    base_currency: str | None = None,
    name: str = "",
    fx: Mapping[str, float] | None = None,
    accounts: pd.DataFrame | Iterable[Mapping[str, Any]] | None = None,
    rules: Mapping[str, Mapping[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    classes: Mapping[str, Any] | None = None,
    prefer: Mapping[str, Any] | str | None = None,
) -> Portfolio:
    """Return the portfolio of tables.

    `holdings` has a row a holding, with the portfolio file's names for columns (symbol, quantity, price, account,
    average_cost, …), and the symbols as its index where there is no such column. `targets` has the columns symbol and
    weight, and section where there are several, or is a weight by symbol; a goal has `any` (a list of symbols, or text
    with | between them) or `class` in place of the symbol. `cash` is an amount by currency (or the columns currency and
    amount), or one in the base currency. Cells without a value (None, NaN, NaT) are left out. Raises InputError with
    every problem.

    >>> import pandas as pd
    >>> held = pd.DataFrame({"symbol": ["QQQ", "SCHD"], "quantity": [3, 10], "price": [500.0, 27.5]})
    >>> from_frames(held, {"QQQ": 0.6, "SCHD": 0.4}, cash=250.0, base_currency="USD").holdings[0].quantity
    Decimal('3')
    """
    body: dict[str, Any] = {"name": name} if name else {}
    if base_currency:
        body["base_currency"] = base_currency
    body["holdings"] = [] if holdings is None else _rows(holdings)
    if accounts is not None:
        body["accounts"] = _rows(accounts) if hasattr(accounts, "columns") else [dict(row) for row in accounts]
    if cash is not None:
        body["cash"] = _amounts(cash) if hasattr(cash, "items") else {base_currency or "KRW": cash}
    body |= _sections(targets)
    body |= {key: value for key, value in (("classes", classes), ("prefer", prefer)) if value is not None}
    if rules is not None:
        body["rules"] = {section: dict(rule) for section, rule in rules.items()}
    document: dict[str, Any] = {"portfolio": body}
    if fx is not None:
        document["fx"] = dict(fx)
    if settings is not None:
        document["settings"] = dict(settings)
    return load(document)


def load_portfolio(path: Path) -> Loaded:
    """Read a portfolio file: the portfolio (None where it cannot be used) and every problem found in it."""
    reader = _read_workbook if path.is_dir() else READERS.get(path.suffix.lower())
    if reader is None:
        return None, (error("file-kind", str(path), kinds=tuple(READERS), suffix=path.suffix or "nothing"),)
    return reader(path)


def is_workbook(path: Path) -> bool:
    """Tell whether a portfolio file is a workbook, or a folder of its sheets."""
    return path.is_dir() or READERS.get(path.suffix.lower()) is _read_workbook


def usable(portfolio: Portfolio | None, problems: Iterable[Problem]) -> Portfolio:
    """Return the portfolio with what was found as its notes; raises InputError where a problem is an error."""
    problems = tuple(problems)
    if portfolio is None or any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    return replace(portfolio, notes=problems)


def _sections(targets: pd.DataFrame | pd.Series[float] | Mapping[str, float]) -> dict[str, Any]:
    """Return the targets as the document has them: by section where they name one, else one plain list."""
    if not hasattr(targets, "columns"):
        return {"targets": [{"ticker": str(symbol), "weight": weight} for symbol, weight in targets.items()]}
    rows = _rows(targets)
    for row in rows:
        if "symbol" in row:
            row["ticker"] = row.pop("symbol")
    if not any("section" in row for row in rows):
        return {"targets": rows}
    found: dict[str, Any] = {}
    for row in rows:
        found.setdefault(str(row.pop("section", "targets")), []).append(row)
    return found


def _amounts(cash: Any) -> dict[str, Any]:  # noqa: ANN401 - a DataFrame, Series or mapping
    """Return amounts by currency, of the columns currency and amount where there are such."""
    columns = {str(column).lower(): column for column in getattr(cash, "columns", ())}
    if {"currency", "amount"} <= columns.keys():
        cash = dict(zip(cash[columns["currency"]], cash[columns["amount"]], strict=True))
    return {str(currency): amount for currency, amount in cash.items()}


def _rows(frame: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a DataFrame
    """Return a frame's rows as the document has them, the index as the symbol where no column is."""
    import pandas as pd

    names = {column: _FRAME_NAMES.get(str(column).lower(), str(column).lower()) for column in frame.columns}
    named = {"symbol", "name"} & set(names.values())
    if not named and not ({"any", "class"} & set(names.values()) and isinstance(frame.index, pd.RangeIndex)):
        frame = frame.rename_axis("symbol").reset_index()
        names["symbol"] = "symbol"
    rows = frame.rename(columns=names).astype(object).to_dict("records")
    return [{str(key): value for key, value in row.items() if not _is_missing(value, pd)} for row in rows]


def _is_missing(value: object, pd: Any) -> bool:  # noqa: ANN401 - the module
    return not isinstance(value, (list, tuple, dict)) and bool(pd.isna(value))


def _read_document(path: Path) -> Loaded:
    from engine.data.document import read_portfolio

    return read_portfolio(path)


def _read_workbook(path: Path) -> Loaded:
    from templates.read.book import read_portfolio_book

    return read_portfolio_book(path)


#: suffix: reader
READERS: Mapping[str, Callable[[Path], Loaded]] = {
    ".yaml": _read_document,
    ".yml": _read_document,
    ".xlsx": _read_workbook,
    ".xlsm": _read_workbook,
    ".ods": _read_workbook,
}
