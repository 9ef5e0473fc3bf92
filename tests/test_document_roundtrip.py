"""A portfolio written as a document and read again is the same portfolio."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.document import parse_portfolio
from engine.data.write import dump_portfolio
from engine.market import catalogue
from engine.market.catalogue import market_of_currency
from engine.portfolio import (
    ACCOUNT_TYPES,
    ASSET_TYPES,
    MARKETS,
    TRAITS,
    Account,
    Group,
    Holding,
    Instrument,
    Portfolio,
    Rule,
    Section,
    Target,
)
from engine.settings import CostOverride, Settings

KNOWN = [entry.instrument for entry in catalogue.load()]


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places, allow_nan=False)


def floats(high: float) -> st.SearchStrategy[Decimal]:
    """Draw what other programs write: floats with all their digits."""
    return st.floats(1e-9, high).map(lambda number: Decimal(repr(number)))


FRACTIONS = decimals("0", "1", 6) | floats(1)
AMOUNTS = decimals("0", "1e12", 6) | floats(1e12)


def _is_a_name_of_its_own(text: str) -> bool:
    return text == unicodedata.normalize("NFC", text).strip() and catalogue.load().find(text) is None


TEXTS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=12).filter(_is_a_name_of_its_own)
NAMES = TEXTS.filter(bool)


@st.composite
def own_instruments(draw: st.DrawFn) -> Instrument:
    currency = draw(st.sampled_from(["KRW", "USD", "JPY"]))
    symbol = draw(st.from_regex(r"[A-Z]{6,9}[0-9]", fullmatch=True))
    return Instrument(
        symbol=symbol,
        name=draw(NAMES | st.just(symbol)),
        market=draw(st.sampled_from(MARKETS) | st.just(market_of_currency(currency))),
        currency=currency,
        asset_type=draw(st.sampled_from(ASSET_TYPES)),
        expense_ratio=draw(st.none() | FRACTIONS),
        leverage=draw(st.sampled_from([Decimal(1), Decimal(2), Decimal(-1), Decimal("1.5")])),
        asset_class=draw(st.none() | st.sampled_from(["equity", "bond", "commodity", "cash", "mixed"])),
        futures=draw(st.booleans()),
        lot=draw(st.sampled_from([Decimal(1), Decimal(10), Decimal("0.01")])),
        taxed_as_dividend=draw(st.none() | st.booleans()),
    )


def rules() -> st.SearchStrategy[Rule]:
    return st.builds(
        Rule,
        schedule=st.sampled_from(["none", "monthly", "quarterly", "semi-annual", "annual"]),
        absolute_band=st.none() | FRACTIONS,
        relative_band=st.none() | FRACTIONS,
        min_trade=AMOUNTS,
        last_rebalanced=st.none() | st.dates(dt.date(1990, 1, 1), dt.date(2040, 12, 31)),
        relative_band_high_volatility=st.none() | FRACTIONS,
    )


def cash() -> st.SearchStrategy[dict[str, Decimal]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "KRW": decimals("-1e9", "1e12", 0),
            "USD": decimals("-1e6", "1e9", 2),
            "JPY": decimals("0", "1e9", 0),
        },
    )


@st.composite
def account_lists(draw: st.DrawFn) -> list[Account]:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    return [
        Account(
            name=name,
            type=draw(st.sampled_from(ACCOUNT_TYPES)),
            cash=draw(cash()),
            markets=draw(st.none() | st.lists(st.sampled_from(MARKETS), unique=True).map(tuple)),
            risk_cap=draw(st.none() | FRACTIONS),
            banned=tuple(draw(st.lists(st.sampled_from(TRAITS), unique=True))),
            cash_buffer=draw(st.none() | AMOUNTS),
        )
        for name in names
    ]


def some_settings() -> st.SearchStrategy[Settings]:
    rates = decimals("0", "0.5", 6)
    override = st.builds(CostOverride, st.none() | rates, st.none() | AMOUNTS, st.none() | rates)
    return st.builds(
        Settings,
        mode=st.sampled_from(["full", "buy-only", "sell-only"]),
        cash_flow=decimals("-1e9", "1e9", 0),
        trigger=st.sampled_from(["always", "due"]),
        trade=st.sampled_from(["all", "breached"]),
        destination=st.sampled_from(["target", "edge", "half"]),
        fractional=st.lists(st.sampled_from(MARKETS), unique=True).map(tuple),
        convert_currency=st.booleans(),
        cash_buffer=AMOUNTS,
        max_turnover=st.none() | FRACTIONS,
        costs=st.dictionaries(st.sampled_from(["*", "KR", "US/etf", "fund"]), override, max_size=3),
        fx_spread=rates,
    )


@st.composite
def sections(draw: st.DrawFn, symbols: list[str], rule_of_all: Rule) -> tuple[Section, ...]:
    chosen = draw(st.lists(st.sampled_from(symbols), unique=True, max_size=8)) if symbols else []
    names = draw(st.lists(st.sampled_from(["core", "satellite", "all"]), unique=True))
    made: dict[str, list[Target]] = {name: [] for name in names}
    for symbol in chosen if names else []:
        weight = draw(decimals("0", str(Decimal(1) / 8), 6))
        target = Target(
            symbol,
            weight,
            draw(TEXTS),
            draw(st.none() | st.just(Decimal(0))),
            draw(st.none() | st.just(Decimal(1))),
            draw(st.none() | st.sampled_from(["069500", "SPY", "^GSPC"])),
            draw(st.none() | st.booleans()),
            draw(st.booleans()),
            draw(st.none() | FRACTIONS),
            draw(st.none() | FRACTIONS),
        )
        made[draw(st.sampled_from(names))].append(target)
    return tuple(
        Section(name, tuple(targets), rule_of_all if name == "all" else draw(rules())) for name, targets in made.items()
    )


@st.composite
def portfolios(draw: st.DrawFn) -> Portfolio:
    own = draw(st.lists(own_instruments(), max_size=3, unique_by=(lambda i: i.symbol, lambda i: i.name)))
    pool: dict[str, Instrument] = {i.symbol: i for i in (*draw(st.lists(st.sampled_from(KNOWN), max_size=6)), *own)}
    accounts = draw(st.none() | account_lists())
    labels = [account.name for account in accounts] if accounts else ["", "키움", "ISA"]
    prices = {symbol: draw(st.none() | decimals("0.01", "1e9", 2)) for symbol in pool}
    holdings = tuple(
        Holding(
            symbol, draw(AMOUNTS), draw(st.sampled_from(labels)), draw(st.none() | AMOUNTS), price, draw(st.booleans())
        )
        for symbol, price in prices.items()
    )
    rule_of_all = draw(rules())
    groups: list[Any] = draw(st.lists(NAMES, max_size=2, unique=True))
    return Portfolio(
        name=draw(TEXTS),
        base_currency=draw(st.sampled_from(["KRW", "USD"])),
        instruments=pool,
        holdings=holdings,
        accounts=tuple(accounts) if accounts else (Account("", cash=draw(cash())),),
        sections=draw(sections(list(pool), rule_of_all)),
        groups=tuple(Group(name, ("TQQQ", *(i.symbol for i in own)), draw(FRACTIONS)) for name in groups),
        settings=draw(some_settings()),
        fx=draw(st.sampled_from([{}, {"USDKRW": Decimal("1391.5")}])),
        accounts_declared=accounts is not None,
        untargeted_rule=rule_of_all,
    )


@given(portfolios())
def test_written_portfolio_reads_as_itself(portfolio: Portfolio) -> None:
    again, problems = parse_portfolio(dump_portfolio(portfolio), "written")
    assert again == portfolio, problems


@given(portfolios())
def test_writing_is_stable(portfolio: Portfolio) -> None:
    text = dump_portfolio(portfolio)
    again, _ = parse_portfolio(text, "written")
    assert again is not None
    assert dump_portfolio(again) == text


def bare(**changes: Any) -> Portfolio:
    row: dict[str, Any] = {"name": "", "base_currency": "KRW", "instruments": {}, "holdings": (), "sections": ()}
    return Portfolio(**{**row, "accounts": (Account(""),), **changes})


@pytest.mark.parametrize(
    "portfolio",
    [
        bare(sections=(Section("all", (), Rule(min_trade=Decimal(5))),)),
        bare(accounts=(Account("", cash_buffer=Decimal(5)),)),
    ],
    ids=["two rules for all", "rules without declared accounts"],
)
def test_what_a_document_cannot_say_is_refused(portfolio: Portfolio) -> None:
    with pytest.raises(ValueError, match="document"):
        dump_portfolio(portfolio)
