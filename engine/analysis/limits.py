"""A limit beside what it is today: the records, the dated table of limits, and the exact comparison."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import lru_cache
from importlib import resources
from typing import Literal

from engine.analysis.facts import FundFacts
from engine.analysis.volatility import Turbulence
from engine.errors import Problem
from engine.money import ZERO
from engine.portfolio import Portfolio
from engine.valuation import Valuation

Bound = Literal["below", "at most", "at least"]
Status = Literal["OK", "BREACH", "UNKNOWN"]
#: Digits that hold a product of a limit and a total without rounding.
EXACT = Context(prec=100)
#: The note of every rule of a portfolio that cannot be valued: the missing price is a problem of its own.
UNPRICED = "a price or rate is missing"
_UNPRICED_KO = "시세나 환율이 없음"


@dataclass(frozen=True, slots=True)
class Limit:
    """Hold one row of limits.csv; `limit` is a fraction, of the total unless the rule says otherwise."""

    rule: str
    scope: str
    bound: Bound
    limit: Decimal
    source: str
    checked_on: dt.date


@dataclass(frozen=True, slots=True)
class RiskRule:
    """Compare one limit with what it is today. UNKNOWN where a figure is missing; `note` says which, or the source.

    `note_ko` is the note in Korean.
    `limit` and `actual` are shares, except of unit "won" (an amount) and "flag" (1: yes, 0: no).
    """

    rule: str
    scope: str
    limit: Decimal | None
    actual: Decimal | None
    status: Status
    note: str = ""
    note_ko: str = ""
    unit: Literal["share", "won", "flag"] = "share"

    @property
    def shown(self) -> tuple[str, str]:
        """Return limit and actual as text, with their unit; a dash where there is none."""
        return _text(self.limit, self.unit), _text(self.actual, self.unit)

    @property
    def shown_ko(self) -> tuple[str, str]:
        """Return limit and actual as Korean text."""
        limit, actual = (text.replace(" won", "원") for text in self.shown)
        if self.unit != "flag":
            return limit, actual
        words = {"yes": "예", "no": "아니요"}
        return words.get(limit, limit), words.get(actual, actual)


@dataclass(frozen=True, slots=True)
class RiskInputs:
    """Hold what is known besides the portfolio: fund facts, yearly fees and volatility, each by symbol.

    `catalogued` are the symbols whose leverage is on record; others count as not leveraged, which a note says.
    `krw_per` is won per unit of a currency, for assets in another.
    """

    facts: Mapping[str, FundFacts] = field(default_factory=dict)
    fees: Mapping[str, Decimal | None] = field(default_factory=dict)
    turbulence: Mapping[str, Turbulence] = field(default_factory=dict)
    catalogued: frozenset[str] | None = None
    krw_per: Mapping[str, Decimal] = field(default_factory=dict)


@lru_cache(maxsize=1)
def default_limits() -> tuple[Limit, ...]:
    """Return the rows of limits.csv."""
    text = resources.files("engine.analysis").joinpath("limits.csv").read_text(encoding="utf-8")
    return tuple(
        Limit(
            row["rule"],
            row["scope"],
            row["bound"],  # type: ignore[arg-type]
            Decimal(row["limit"]),
            row["source"],
            dt.date.fromisoformat(row["checked_on"]),
        )
        for row in csv.DictReader(text.splitlines())
    )


@dataclass(frozen=True, slots=True)
class Check:
    """Measure a valued portfolio against limits; without a valuation every comparison is UNKNOWN."""

    portfolio: Portfolio
    valuation: Valuation | None
    inputs: RiskInputs

    @property
    def total(self) -> Decimal:
        """Return the portfolio's worth in the base currency; 0 where it is not known."""
        return self.valuation.total if self.valuation else ZERO

    def value(self, symbols: Iterable[str]) -> Decimal:
        """Return the joint worth of some symbols in the base currency."""
        return sum((self.valuation.values.get(symbol, ZERO) for symbol in symbols), ZERO) if self.valuation else ZERO

    def weights(self) -> dict[str, Decimal]:
        """Return the weights of what is held; none where the total is not above 0."""
        if not self.valuation or self.total <= 0:
            return {}
        return {symbol: worth / self.total for symbol, worth in self.valuation.values.items() if worth}

    def compare(
        self,
        rule: str,
        scope: str,
        part: Decimal,
        limit: Decimal,
        bound: Bound,
        note: str = "",
        note_ko: str = "",
        whole: Decimal | None = None,
    ) -> RiskRule:
        """Compare part / whole with a limit without dividing; the whole is the portfolio's total unless given."""
        whole = self.total if whole is None else whole
        if self.valuation is None:
            return RiskRule(rule, scope, limit, None, "UNKNOWN", UNPRICED, _UNPRICED_KO)
        if whole <= 0:
            return RiskRule(rule, scope, limit, None, "UNKNOWN", "nothing is held", "보유한 것이 없음")
        edge = EXACT.multiply(limit, whole)
        held = part < edge if bound == "below" else part <= edge if bound == "at most" else part >= edge
        return RiskRule(rule, scope, limit, part / whole, "OK" if held else "BREACH", note, note_ko)


def risk_problems(rules: tuple[RiskRule, ...]) -> tuple[Problem, ...]:
    """Return a problem per rule that is broken (a warning), not known (a warning) or has something to say (info)."""
    problems = []
    for row in rules:
        where = f"{row.rule} {row.scope}"
        if row.status == "BREACH":
            text = f"{row.shown[1]} against a limit of {row.shown[0]}{_tail(row.note)}"
            ko = f"현재 {row.shown_ko[1]}, 한도 {row.shown_ko[0]}{_tail(row.note_ko)}"
            problems.append(Problem("warning", "limit-breached", where, text, ko))
        elif row.status == "UNKNOWN" and row.note != UNPRICED:
            text, ko = row.note or "not known", row.note_ko or "알 수 없음"
            problems.append(Problem("warning", "limit-unknown", where, text, ko))
        elif row.status == "OK" and row.note:
            problems.append(Problem("info", "limit", where, row.note, row.note_ko))
    return tuple(problems)


def _text(number: Decimal | None, unit: str) -> str:
    if number is None:
        return "–"
    if unit == "won":
        return f"{number:,.0f} won"
    return percent(number) if unit == "share" else "yes" if number else "no"


def percent(number: Decimal) -> str:
    """Return a fraction as a percentage with two decimals, with more where they matter."""
    return f"{number * 100:.2f} %" if number == 0 or abs(number) >= Decimal("0.001") else f"{number * 100:.4f} %"


def _tail(note: str) -> str:
    return f" ({note})" if note else ""
