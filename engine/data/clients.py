"""A table with the holdings of many clients: rows into one portfolio document a client, streamed, each cell located.

A row is a holding, a target or both of a client, or cash (a symbol such as CASH or KRW); what is true of the client as
a whole (model, base currency, cash by currency) may stand on any of its rows. Headers are known by `client_words.csv`.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path as File
from typing import Any

from engine.data.fields import Path, Report, Where, in_rows, plain
from engine.data.files import Refused
from engine.errors import Problem, error, warning
from engine.money import MINOR_DIGITS
from engine.phrase import phrase, place
from engine.text import fold, nearest, repaired_number

PARQUET = ".parquet"
#: What is true of a client as a whole, beside cash by currency.
CLIENT_FIELDS = ("model", "base_currency", "mode", "cash_flow", "lang", "cash")
HOLDING_FIELDS = ("quantity", "value", "price", "average_cost", "cost_fx", "account", "locked")
TARGET_FIELDS = ("weight", "min", "max")
#: What an instrument is, where no catalogue knows it.
INSTRUMENT_FIELDS = ("name", "currency", "market", "asset_type")
_NUMBERS = frozenset(
    ("quantity", "value", "price", "average_cost", "cost_fx", "weight", "min", "max", "cash_flow", "cash")
)
_SECTIONS = {"core": "core", "satellite": "satellite", "all": "targets"}
#: How like a known header an unknown one has to be, to be a slip of the hand.
_SLIP = 0.8
_ENCODINGS = ("utf-8-sig", "cp949")
_DELIMITERS = ",;\t"
_MANY_ROWS = 4096


@cache
def _words() -> Mapping[str, str]:
    """Return the field that each known header means, by the header's folded form."""
    text = resources.files(__package__).joinpath("client_words.csv").read_text(encoding="utf-8")
    words = {fold(row["header"]): row["field"] for row in csv.DictReader(text.splitlines())}
    return {**words, **{fold(field): field for field in words.values()}, **{fold(c): c for c in MINOR_DIGITS}}


def meaning(header: str) -> str | None:
    """Return the field, or the currency, that a header means; None for one that is the person's own."""
    return _words().get(fold(header.replace("_", " "))) or _words().get(fold(header))


@dataclass(frozen=True, slots=True)
class ClientRows:
    """The rows of one client: `columns` is the field of each column, None for one that is not read."""

    client: str
    source: str
    headers: tuple[str, ...]
    columns: tuple[str | None, ...]
    rows: tuple[tuple[int, tuple[Any, ...]], ...]

    def said(self, field: str) -> str:
        """Return what stands in a column that speaks of the client as a whole, "" where nothing does."""
        if field not in self.columns:
            return ""
        at = self.columns.index(field)
        found = (str(cells[at]).strip() for _, cells in self.rows if len(cells) > at and cells[at] is not None)
        return next(filter(None, found), "")


@dataclass(frozen=True, slots=True)
class ClientDocument:
    """A client's rows as the data of a portfolio document, the place of each value, and what is wrong with the rows."""

    data: dict[str, Any]
    places: Mapping[Path, Path]
    source: str
    problems: tuple[Problem, ...]

    def locate(self, path: Path) -> Where:
        """Return the cell that a path of the data came from, or the nearest thing to it."""
        told = in_rows(self.source)
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return told(self.places[path[:length]])
        return self.source


def document(rows: ClientRows, base: str = "") -> ClientDocument:
    """Return the portfolio document of a client's rows; `base` is the base currency where they name none."""
    return _Assembly(rows, base).document()


class _Assembly:
    """One client's rows on their way into a document."""

    def __init__(self, rows: ClientRows, base: str) -> None:
        self._rows = rows
        self._base = rows.said("base_currency").upper() or base
        self._report = Report(rows.source, in_rows(rows.source))
        self._places: dict[Path, Path] = {}
        self._whole: dict[str, tuple[Any, Path]] = {}
        self._holdings: list[dict[str, Any]] = []
        self._targets: dict[str, list[dict[str, Any]]] = {}
        self._cash: dict[str, dict[str, Any]] = {}
        self._types: dict[str, tuple[Any, Path]] = {}
        self._headers = {field: header for field, header in zip(rows.columns, rows.headers, strict=True) if field}

    def document(self) -> ClientDocument:
        """Return the document."""
        for number, cells in self._rows.rows:
            self._row(number, cells)
        # Where there are instruments, `name` is theirs.
        named = self._rows.said("name") if "symbol" not in self._rows.columns else ""
        body: dict[str, Any] = {"name": named or self._rows.client, "holdings": self._holdings}
        data: dict[str, Any] = {"portfolio": body}
        if self._base:
            body["base_currency"] = self._base
        settings: dict[str, Any] = {}
        for field, (value, at) in self._whole.items():
            if field == "base_currency":
                self._places["portfolio", field] = at
            elif field in ("mode", "cash_flow"):
                settings[field] = value
                self._places["settings", field] = at
            elif field == "cash" or field in MINOR_DIGITS:
                self._add_cash("", self._base if field == "cash" else field, value, at)
        if settings:
            data["settings"] = settings
        self._put_cash(body)
        self._put_targets(body)
        return ClientDocument(data, self._places, self._rows.source, tuple(self._report.problems))

    def _row(self, number: int, cells: Sequence[Any]) -> None:
        found = {
            field: value
            for field, cell in zip(self._rows.columns, cells, strict=False)
            if field and (value := _value(field, cell)) not in (None, "")
        }
        extra = [cell for cell in cells[len(self._rows.columns) :] if cell not in (None, "")]
        if extra:
            self._report.error((number,), "extra-cell", extra=extra)
            return
        for field in (*CLIENT_FIELDS, *MINOR_DIGITS):
            if field in found:
                self._say(field, found[field], (number, self._headers[field]))
        account = str(found.get("account", ""))
        if "account_type" in found:
            self._types.setdefault(account, (found["account_type"], (number, self._headers["account_type"])))
        own = [field for field in (*HOLDING_FIELDS, *TARGET_FIELDS) if field in found and field != "account"]
        symbol = str(found.get("symbol", ""))
        if symbol:
            self._instrument(number, symbol, account, found)
        elif own:
            self._report.error((number, self._headers.get("symbol", "symbol")), "missing.column", name="symbol")

    def _say(self, field: str, value: Any, at: Path) -> None:  # noqa: ANN401 - a cell's
        before, there = self._whole.setdefault(field, (value, at))
        if before != value:
            values = {"field": self._headers[field], "value": value, "other": before, "row": there[0]}
            self._report.error(at, "client-contradicts", **values)

    def _instrument(self, number: int, symbol: str, account: str, found: Mapping[str, Any]) -> None:
        held = {field: found[field] for field in HOLDING_FIELDS if field in found}
        wanted = {field: found[field] for field in TARGET_FIELDS if field in found}
        code = symbol.upper() if symbol.upper() in MINOR_DIGITS else ""
        if code or meaning(symbol) == "cash":
            code = code or str(found.get("currency", "")).upper() or self._base
            amount = found.get("quantity", found.get("value"))
            field = "quantity" if "quantity" in found else "value"
            if amount is None:
                self._report.error((number, self._headers.get("quantity", "quantity")), "missing.column", name=field)
            else:
                self._add_cash(account, code, amount, (number, self._headers[field]))
            return
        described = {field: found[field] for field in INSTRUMENT_FIELDS if field in found}
        if "quantity" in held:
            held.pop("value", None)  # of a list that shows both, what is held counts
        if held.keys() - {"account"} or not wanted:
            self._put(self._holdings, ("portfolio", "holdings"), {"symbol": symbol, **held, **described}, number)
            described = {}
        if "weight" in wanted:
            section = str(found.get("section", "all")).casefold()
            key = _SECTIONS.get(section, section)
            rows = self._targets.setdefault(key, [])
            path: Path = ("portfolio", key) if key in _SECTIONS.values() else ("portfolio", "sections", key)
            self._put(rows, path, {"ticker": symbol, **wanted, **described}, number)

    def _put(self, rows: list[dict[str, Any]], path: Path, row: dict[str, Any], number: int) -> None:
        here = (*path, len(rows))
        self._places[here] = (number,)
        for key in row:
            self._places[(*here, key)] = (number, self._headers.get("symbol" if key == "ticker" else key, key))
        rows.append(row)

    def _add_cash(self, account: str, currency: str, amount: Any, at: Path) -> None:  # noqa: ANN401 - a cell's
        if not currency:
            self._report.error(at, "client-cash-currency")
            return
        purse = self._cash.setdefault(account, {})
        if currency in purse:
            self._report.error(at, "client-cash-twice", currency=currency)
        purse[currency] = amount
        self._places["cash", account, currency] = at

    def _put_cash(self, body: dict[str, Any]) -> None:
        labels = list(dict.fromkeys([*(str(row.get("account", "")) for row in self._holdings), *self._cash]))
        if len(labels) < 2 and not self._types:
            cash = next(iter(self._cash.values()), {})
            if cash:
                body["cash"] = cash
            self._places |= {("portfolio", *path[:1], *path[2:]): at for path, at in self._places.items()
                             if path[0] == "cash"}  # fmt: skip
            return
        if "" in labels and len(labels) > 1:
            accounts = [label for label in labels if label]
            self._report.error((self._rows.rows[0][0],), "account-nameless.table", accounts=accounts)
            return
        declared: list[dict[str, Any]] = []
        for number, label in enumerate(labels):
            here: Path = ("portfolio", "accounts", number)
            account: dict[str, Any] = {"name": label or "1", "cash": self._cash.get(label, {})}
            if label in self._types:
                account["type"], self._places[(*here, "type")] = self._types[label]
            for currency in account["cash"]:
                self._places[(*here, "cash", currency)] = self._places["cash", label, currency]
            declared.append(account)
        for row in self._holdings:
            row["account"] = str(row.get("account", "")) or "1"
        body["accounts"] = declared

    def _put_targets(self, body: dict[str, Any]) -> None:
        for key, rows in self._targets.items():
            if key in _SECTIONS.values():
                body[key] = rows
            else:
                body.setdefault("sections", {})[key] = rows


def _value(field: str, cell: Any) -> Any:  # noqa: ANN401 - a cell's
    """Return a cell's value: a number written for people as a plain one."""
    if not isinstance(cell, str):
        return plain(cell)
    text = cell.strip()
    if field in _NUMBERS or field in MINOR_DIGITS:
        return repaired_number(text) or text
    return text


class ClientTable:
    """A table of many clients, read as often as it is asked for and never held whole.

    `problems` are those of the table: with an error that no client can be read for, there are no `counts`. `counts` is
    how many rows each client has, in the order of their first ones.
    """

    def __init__(self, path: File) -> None:
        """Find out what the columns mean, and which clients there are."""
        self.path = path
        self.problems: list[Problem] = []
        self.counts: dict[str, int] = {}
        self.headers: tuple[str, ...] = ()
        self.columns: tuple[str | None, ...] = ()
        self._encoding = ""
        try:
            self._scan()
        except Refused as refused:
            self.problems.append(refused.problem(str(path)))
            self.counts = {}
        except FileNotFoundError:
            self.problems.append(error("no-such-file", str(path)))
        except OSError as fault:
            reason = fault.strerror or type(fault).__name__
            self.problems.append(error("unreadable-file", str(path), reason=reason))
            self.counts = {}

    def __len__(self) -> int:
        return len(self.counts)

    def __iter__(self) -> Iterator[ClientRows]:
        """Yield each client when its last row has come: as soon as may be, where the rows of one stand together."""
        if not self.counts:
            return
        open_ones: dict[str, list[tuple[int, tuple[Any, ...]]]] = {}
        left = dict(self.counts)
        with self._rows() as (_, rows):
            for number, cells in rows:
                client = self._client(cells)
                if not left.get(client):  # without a name, or a second one of it: told with the table's problems
                    continue
                own = open_ones.setdefault(client, [])
                own.append((number, tuple(cells)))
                left[client] -= 1
                if not left[client]:
                    del open_ones[client]
                    yield ClientRows(client, str(self.path), self.headers, self.columns, tuple(own))

    @property
    def is_list(self) -> bool:
        """Tell whether the table has no instruments: a list of clients, each with a model and cash."""
        return "symbol" not in self.columns

    def _scan(self) -> None:
        if self.path.suffix.lower() != PARQUET:
            self._encoding = _encoding_of(self.path)
        told = in_rows(str(self.path))
        with self._rows() as (headers, rows):
            if not any(headers):
                self.problems.append(error("no-clients.table", str(self.path)))
                return
            if not self._understand(headers):
                return
            first: dict[str, int] = {}
            for number, cells in rows:
                client = self._client(cells)
                if not client:
                    at = told((number, self.headers[self.columns.index("client")]))
                    self.problems.append(error("client-missing", at))
                elif client in first and self.is_list:
                    at = told((number, self.headers[self.columns.index("client")]))
                    self.problems.append(error("duplicate-name", at, name=client, row=first[client]))
                else:
                    first.setdefault(client, number)
                    self.counts[client] = self.counts.get(client, 0) + 1
            if not self.counts:
                self.problems.append(error("no-clients.table", str(self.path)))

    def _client(self, cells: Sequence[Any]) -> str:
        at = self.columns.index("client")
        value = cells[at] if at < len(cells) else None
        return "" if value is None else " ".join(str(plain(value)).split())

    def _understand(self, headers: Sequence[str]) -> bool:
        """Find out what each column means; return whether clients can be read."""
        self.headers = tuple(header or f"{number}" for number, header in enumerate(headers, 1))
        found = [meaning(header) if header else None for header in headers]
        if "client" not in found and "name" in found and "symbol" not in found:
            found[found.index("name")] = "client"
        self.columns = tuple(found)
        where = str(self.path)
        if "client" not in self.columns:
            self.problems.append(error("no-client-column", where, headers=headers))
            return False
        for field in dict.fromkeys(field for field in self.columns if field):
            if self.columns.count(field) > 1:
                names = [header for header, one in zip(self.headers, self.columns, strict=True) if one == field]
                self.problems.append(error("two-columns", where, field=field, headers=names))
        unknown = [header for header, field in zip(headers, self.columns, strict=True) if header and not field]
        for header in list(unknown):
            near = nearest(header.casefold().replace("_", " "), _words(), _SLIP)
            if near:
                repair = phrase("repair.near", word=near)
                at = place("row-column", file=where, row=1, column=header)
                self.problems.append(error("unknown-column", at, name=header, repair=repair))
                unknown.remove(header)
        if unknown:
            self.problems.append(warning("columns-not-read", where, headers=unknown))
        return not any(problem.severity == "error" for problem in self.problems)

    @contextmanager
    def _rows(self) -> Iterator[tuple[Sequence[str], Iterator[tuple[int, Sequence[Any]]]]]:
        """Give the headers and the rows that are not empty, numbered as a spreadsheet shows them."""
        if self.path.suffix.lower() == PARQUET:
            with _parquet(self.path) as (headers, cells):
                yield headers, _numbered(cells, 2)
            return
        with self.path.open(encoding=self._encoding, newline="") as file:
            start = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(_DELIMITERS, key=start.count), strict=True)
            try:
                headers = [cell.strip() for cell in next(reader, [])]
                yield headers, _numbered(reader, 2)
            except csv.Error as fault:
                raise Refused("csv-syntax", line=reader.line_num, reason=str(fault)) from None


def _numbered(rows: Iterable[Sequence[Any]], start: int) -> Iterator[tuple[int, Sequence[Any]]]:
    for number, cells in enumerate(rows, start):
        if any(cell not in (None, "") and str(cell).strip() for cell in cells):
            yield number, cells


def _encoding_of(path: File) -> str:
    """Return the encoding that all of a text file has; raises Refused where it has none of ours."""
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise Refused("encoding.utf-16", line=1)
    for encoding in _ENCODINGS:
        try:
            with path.open(encoding=encoding, newline="") as text:
                while part := text.read(1 << 20):
                    if "\x00" in part:
                        raise Refused("encoding.zeros")
        except UnicodeDecodeError:
            continue
        return encoding
    raise Refused("unknown-encoding", file=path.name)


@contextmanager
def _parquet(path: File) -> Iterator[tuple[Sequence[str], Iterator[Sequence[Any]]]]:
    """Give the columns' names and the rows of a Parquet file; raises Refused where it cannot be read."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise Refused("needs-pyarrow") from None
    try:
        with parquet.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)

            def rows() -> Iterator[Sequence[Any]]:
                for batch in file.iter_batches(batch_size=_MANY_ROWS):
                    yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

            yield names, rows()
    except ArrowException as fault:
        raise Refused("not-parquet", reason=str(fault).splitlines()[0]) from None
