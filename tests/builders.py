"""Short ways to write the portfolios that tests of valuation, drift and costs need."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from engine.phrase import Phrase, phrase
from engine.portfolio import Account, Holding, Instrument, Portfolio, Rule, Section, Target
from engine.quote import Quote
from engine.settings import Settings
from engine.valuation import Valuation, resolve_fx, resolve_prices, value

AS_OF = dt.date(2026, 11, 20)
MOMENT = dt.datetime(2026, 11, 20, 6, 30, tzinfo=dt.UTC)
D = Decimal


def instrument(symbol: str, **more: Any) -> Instrument:
    """Guess the market from the symbol: six digits are Korean."""
    korean = symbol[:1].isdigit()
    given = {"market": "KR" if korean else "US", "currency": "KRW" if korean else "USD", "asset_type": "etf"} | more
    return Instrument(symbol, symbol, **given)


def quote(symbol: str, price: object, currency: str = "", **more: Any) -> Quote:
    known = currency or instrument(symbol).currency
    given: dict[str, Any] = {"as_of": MOMENT, "source": "test"} | more
    return Quote(symbol, D(str(price)), known, **given)


def holding(symbol: str, quantity: object, **more: Any) -> Holding:
    return Holding(symbol, D(str(quantity)), **more)


def target(symbol: str, weight: object, **more: Any) -> Target:
    return Target(symbol, D(str(weight)), **more)


def section(name: str, *targets: Target, rule: Rule | None = None) -> Section:
    return Section(name, targets, Rule.default(name, "KRW") if rule is None else rule)


def portfolio(
    holdings: Iterable[Holding] = (),
    sections: Iterable[Section] = (),
    cash: Mapping[str, object] | None = None,
    accounts: Iterable[Account] = (),
    settings: Settings | None = None,
    instruments: Iterable[Instrument] = (),
    **more: Any,
) -> Portfolio:
    holdings, sections, declared = tuple(holdings), tuple(sections), tuple(accounts)
    purse = Account("", cash={c: D(str(n)) for c, n in (cash or {}).items()})
    symbols = {h.symbol for h in holdings} | {t.symbol for s in sections for t in s.targets}
    known = {symbol: instrument(symbol) for symbol in symbols} | {i.symbol: i for i in instruments}
    given: dict[str, Any] = {"untargeted_rule": Rule.default("all", "KRW"), "base_currency": "KRW"} | more
    return Portfolio(
        name="test",
        instruments=known,
        holdings=holdings,
        accounts=declared or (purse,),
        sections=sections,
        settings=settings or Settings(),
        accounts_declared=bool(declared),
        **given,
    )


def valued(folio: Portfolio, quotes: Iterable[Quote] = ()) -> Valuation:
    """Value a portfolio that has no problem."""
    by_symbol = {q.symbol: q for q in quotes}
    prices, faults = resolve_prices(folio, by_symbol, AS_OF)
    fx, fx_faults = resolve_fx(folio, by_symbol, AS_OF)
    assert not (*faults, *fx_faults)
    return value(folio, prices, fx)


def told(text: str) -> Phrase:
    """Return a message that says this, in every language."""
    return phrase("failed", why=text)
