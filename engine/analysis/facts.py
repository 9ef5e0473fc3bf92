"""What is known of a fund besides its closes: fee, size, holdings, yield, each a figure with its source and day."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from engine.data.fields import Fields, Locate, Path, Report, Where
from engine.errors import Problem, error
from engine.market.catalogue import CatalogueEntry, canonical, undecorated
from engine.money import ZERO
from engine.phrase import Phrase, phrase, place
from engine.quote import FetchedFacts

#: A fund's listed weights count as all of it from this sum on; below it, look-through figures are lower bounds.
COMPLETE = Decimal("0.99")
#: Weights of a fund's holdings may add up to this much: sources round each of them.
LARGEST_SUM = Decimal("1.01")
_FIELDS = (
    "fee", "aum", "aum_currency", "holdings_count", "yield", "tracking_error", "holdings", "index", "total_return",
    "issuer", "listed", "source", "as_of",
)  # fmt: skip
NOT_KNOWN = phrase("figure.not-known")
UNVERIFIED = phrase("figure.fee-unverified")
_FACTS = place("facts")


@dataclass(frozen=True, slots=True)
class Figure:
    """A statistic that says what it is: where it came from, how old it is, what was done to it.

    `value` None means not known; `note` then says why, else what was done to the number. `source` names the file or
    provider, `as_of` the day the figure is true for.
    """

    value: float | None
    source: str = ""
    as_of: dt.date | None = None
    note: Phrase | None = None

    @property
    def known(self) -> bool:
        """Tell whether there is a number."""
        return self.value is not None

    @property
    def told(self) -> Phrase | None:
        """Return note, source and day; None where there is nothing of these."""
        came = origin(self.source, self.as_of)
        return phrase("joined", one=self.note, other=came) if self.note and came else self.note or came

    def remark(self, where: str) -> Problem | None:
        """Return the note as a remark on the figure at `where`: a warning where the number is missing, else info."""
        if self.value is None:
            return Problem("warning", "not-known", where, self.note or NOT_KNOWN)
        return Problem("info", "figure", where, self.told) if self.told else None


UNKNOWN = Figure(None, note=NOT_KNOWN)


def origin(source: str, as_of: dt.date | None) -> Phrase | None:
    """Return where a figure is from and of which day; None where that is not known."""
    if not source:
        return None
    name = phrase("figure.catalogue") if source == "catalogue" else source
    return phrase("figure.dated", source=name, day=as_of) if as_of else phrase("figure.source", source=name)


@dataclass(frozen=True, slots=True)
class FundLine:
    """A line of a fund's holdings; `weight` is a fraction of the fund."""

    symbol: str
    name: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Fund:
    """A fund's facts; what is not known is `Figure(None)`. Fee, yield and tracking error are yearly fractions.

    `holdings` are the known lines, largest first, often only the top ten. `total_return` tells whether the fund keeps
    its dividends.
    """

    symbol: str
    fee: Figure = UNKNOWN
    aum: Figure = UNKNOWN
    aum_currency: str = ""
    holdings_count: Figure = UNKNOWN
    dividend_yield: Figure = UNKNOWN
    tracking_error: Figure = UNKNOWN
    holdings: tuple[FundLine, ...] = ()
    holdings_source: str = ""
    holdings_as_of: dt.date | None = None
    index: str = ""
    total_return: bool | None = None
    issuer: str = ""
    listed: dt.date | None = None

    @property
    def known_weight(self) -> Decimal:
        """Return how much of the fund the known holdings are."""
        return sum((line.weight for line in self.holdings), Decimal(0))

    @property
    def complete(self) -> bool:
        """Tell whether the known holdings are practically the whole fund."""
        return self.known_weight >= COMPLETE


def from_market(symbol: str, fetched: FetchedFacts | None, entry: CatalogueEntry | None) -> Fund:
    """Join what a source says with the bundled catalogue; the source wins, and the catalogue's fee says whose it is.

    What is checked of a row is its code and its names, never its fee: that is of the year of `fee_as_of`.
    """
    found = fetched or FetchedFacts(symbol, "", dt.datetime.min)  # noqa: DTZ901 - stands for "never fetched"
    day = found.as_of or (fetched.fetched_at.date() if fetched else None)

    def figure(value: Decimal | float | None) -> Figure:
        return UNKNOWN if value is None else Figure(float(value), found.source, day)

    fee = figure(found.fee)
    index, reinvests = "", None
    if entry:
        index, reinvests = entry.index, entry.total_return
        if fee.value is None and entry.instrument.expense_ratio is not None:
            of = dt.date(int(entry.fee_as_of), 12, 31) if entry.fee_as_of else None
            fee = Figure(float(entry.instrument.expense_ratio), "catalogue", of, UNVERIFIED)
    lines = [FundLine(_code(row.symbol), row.name, row.weight) for row in found.top if row.weight is not None]
    return Fund(
        symbol=symbol,
        fee=fee,
        aum=figure(found.aum),
        aum_currency=found.currency,
        holdings_count=figure(found.holdings_count),
        dividend_yield=figure(found.dividend_yield),
        holdings=tuple(sorted(lines, key=lambda line: -line.weight)),
        holdings_source=found.source if lines else "",
        holdings_as_of=day if lines else None,
        index=index,
        total_return=reinvests,
    )


def parse_facts(document: object, where: Where = _FACTS) -> tuple[dict[str, Fund], tuple[Problem, ...]]:
    """Read facts by symbol from a loaded document: fee, aum, aum_currency, holdings_count, yield, holdings and more.

    Each fund may name its `source` and `as_of`, and `holdings` as a list of symbol, name, weight. Funds with a problem
    are left out.
    """
    report = Report(where, _in_funds(where))
    if not isinstance(document, Mapping):
        return {}, (error("facts-shape", where),)
    facts: dict[str, Fund] = {}
    for symbol, data in document.items():
        before = len(report.problems)
        row = Fields(data, (str(symbol),), report, _FIELDS)
        fund = _fund(str(symbol), row, str(report.where(row.path)))
        if len(report.problems) == before:
            facts[fund.symbol] = fund
    return facts, tuple(report.problems)


def _in_funds(file: Where) -> Locate:
    """Return what tells where (symbol,), (symbol, field) or (symbol, field, line, …) is."""

    def locate(path: Path) -> Where:
        where: Where = place("fund", file=file, symbol=path[0])
        if len(path) > 1:
            where = place("fund-field", fund=where, field=path[1])
        return place("fund-line", field=where, line=int(path[2]) + 1) if len(path) > 2 else where

    return locate


def _fund(symbol: str, row: Fields, where: str) -> Fund:
    source, as_of = row.text("source", where), row.date("as_of")

    def figure(field: str) -> Figure:
        number = row.number(field, ZERO)
        note = None if row.given(field) else phrase("figure.not-given")
        return Figure(None if number is None else float(number), source, as_of, note)

    holdings = _holdings(row)
    return Fund(
        symbol=symbol,
        fee=figure("fee"),
        aum=figure("aum"),
        aum_currency=row.text("aum_currency"),
        holdings_count=figure("holdings_count"),
        dividend_yield=figure("yield"),
        tracking_error=figure("tracking_error"),
        holdings=holdings,
        holdings_source=source if holdings else "",
        holdings_as_of=as_of,
        index=row.text("index"),
        total_return=row.flag("total_return"),
        issuer=row.text("issuer"),
        listed=row.date("listed"),
    )


def _holdings(fund: Fields) -> tuple[FundLine, ...]:
    lines = []
    for row in fund.rows("holdings", ("symbol", "name", "weight")):
        symbol, weight = row.text("symbol"), row.fraction("weight")
        if not symbol:
            row.missing("symbol", "code")
        if not row.given("weight"):
            row.missing("weight", "fund-weight")
        lines.append(FundLine(_code(symbol), row.text("name", symbol), ZERO if weight is None else weight))
    if sum(line.weight for line in lines) > LARGEST_SUM:
        fund.error("holdings", "facts-holding.sum")
    return tuple(sorted(lines, key=lambda line: -line.weight))


@lru_cache(maxsize=1)
def _issuers() -> tuple[dict[str, str], ...]:
    text = resources.files("engine.analysis").joinpath("issuers.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def issuer_of(name: str, lang: str = "en") -> str:
    """Return the issuer whose brand a fund's name begins with (issuers.csv), in a language; "" where none is known."""
    column = "issuer_ko" if lang == "ko" else "issuer"
    words = name.casefold() + " "
    return next((row[column] for row in _issuers() if words.startswith(row["brand"].casefold() + " ")), "")


def _code(symbol: str) -> str:
    """Return one spelling of a company's code, so that funds of different sources can be compared."""
    return undecorated(symbol) or canonical(symbol)
