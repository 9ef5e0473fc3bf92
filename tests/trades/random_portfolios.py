"""Random portfolios for the engine's invariants: every mode and setting mixed, far from target, with awkward money."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

from engine.portfolio import Account, Group, Holding, Instrument, Portfolio, Rule, Section, Target
from engine.quote import Quote
from engine.settings import CostOverride, Settings

AS_OF = dt.date(2026, 11, 20)
MOMENT = dt.datetime(2026, 11, 20, 6, 30, tzinfo=dt.UTC)
USDKRW = Decimal("1391.5")


def _decimal(text: str) -> Decimal:
    return Decimal(text)


won = st.one_of(st.integers(500, 200_000), st.sampled_from([1, 3, 999_999, 12_000_000, 900_000_000])).map(Decimal)
dollars = st.one_of(st.integers(100, 90_000), st.sampled_from([1, 60_000_000])).map(lambda cents: Decimal(cents) / 100)
#: Prices as other programs write their floats.
floats = st.sampled_from([341.1199951171875, 718.6489399928135, 2046.5899658203125]).map(lambda x: Decimal(repr(x)))
rates = st.sampled_from(["0", "0.00015", "0.0025"]).map(_decimal)


@st.composite
def instruments(draw: st.DrawFn, number: int) -> Instrument:
    korean = draw(st.booleans())
    return Instrument(
        symbol=f"{number:06d}" if korean else "T" + chr(65 + number // 26) + chr(65 + number % 26),
        name=f"Instrument {number}",
        market="KR" if korean else "US",
        currency="KRW" if korean else "USD",
        asset_type=draw(st.sampled_from(["stock", "etf", "fund"])),
        leverage=draw(st.sampled_from([1, 1, 1, 2, -1]).map(Decimal)),
        asset_class=draw(st.sampled_from(["equity", "equity", "bond", None])),
        lot=Decimal(draw(st.sampled_from([1, 1, 1, 10]))),
    )


@st.composite
def accounts(draw: st.DrawFn, currencies: tuple[str, ...]) -> tuple[Account, ...]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["taxable", "isa", "irp", "pension"]))
        found.append(
            Account(
                name=f"{kind}-{number}",
                type=kind,
                cash=draw(cash(currencies)),
                markets=None if kind == "taxable" else ("KR",),
                risk_cap=Decimal("0.7") if kind == "irp" else None,
                banned=("leveraged", "inverse") if kind in ("irp", "pension") else (),
                cash_buffer=draw(st.sampled_from([None, None, None, Decimal(0), Decimal(50_000)])),
            )
        )
    return tuple(found)


def cash(currencies: tuple[str, ...]) -> st.SearchStrategy[dict[str, Decimal]]:
    amounts = st.one_of(st.just(0), st.integers(-2_000_000, 20_000_000), st.just(0))
    return st.fixed_dictionaries({}, optional=dict.fromkeys(currencies, amounts)).map(
        lambda purse: {
            c: Decimal(n) if c == "KRW" else Decimal(n) / 1000 // Decimal("0.01") / 100 for c, n in purse.items()
        }
    )


@st.composite
def settings(draw: st.DrawFn) -> Settings:
    return Settings(
        mode=draw(st.sampled_from(["full", "full", "buy-only", "sell-only"])),
        cash_flow=Decimal(draw(st.sampled_from([0, 0, 0, 3_000_000, -1_000_000, 12_345]))),
        trigger=draw(st.sampled_from(["always", "always", "due"])),
        trade=draw(st.sampled_from(["all", "all", "breached"])),
        destination=draw(st.sampled_from(["target", "target", "edge", "half"])),
        fractional=draw(st.sampled_from([(), (), ("US",), ("KR", "US")])),
        convert_currency=draw(st.booleans()),
        cash_buffer=Decimal(draw(st.sampled_from([0, 0, 0, 0, 100_000]))),
        max_turnover=draw(st.sampled_from([None, None, Decimal("0.1"), Decimal("0.5")])),
        costs=draw(
            st.one_of(
                st.just({}),
                st.builds(
                    CostOverride, commission=rates, minimum=st.sampled_from([Decimal(0), Decimal(3)]), sell_tax=rates
                ).map(lambda override: {"*": override}),
            )
        ),
        fx_spread=draw(st.sampled_from(["0", "0.001", "0.01"]).map(_decimal)),
    )


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    return Rule(
        absolute_band=draw(st.sampled_from([None, Decimal("0.05"), Decimal("0.01")])),
        relative_band=draw(st.sampled_from([None, Decimal("0.25")])),
        min_trade=Decimal(draw(st.sampled_from([0, 0, 100_000, 1_000_000]))),
    )


@st.composite
def portfolios(draw: st.DrawFn, most: int = 60) -> tuple[Portfolio, dict[str, Quote]]:
    """Draw a portfolio with its quotes; small ones are the likeliest, so that failures shrink well."""
    count = draw(st.one_of(st.integers(1, min(8, most)), st.integers(1, most)))
    known = [draw(instruments(number)) for number in range(count)]
    currencies = ("KRW", "USD")
    declared = draw(st.booleans())
    purses = draw(accounts(currencies)) if declared else (Account("", cash=draw(cash(currencies))),)
    places = [account.name for account in purses] if declared else ["키움", "토스", ""]
    holdings = []
    for instrument in known:
        for place in draw(st.lists(st.sampled_from(places), max_size=2, unique=True)):
            quantity = draw(st.one_of(st.integers(0, 3000), st.sampled_from([0, 1])).map(Decimal))
            if draw(st.integers(0, 9)) == 0:
                quantity += Decimal(draw(st.sampled_from(["0.35", repr(1 / 3), "0.9999999999999996", "1e-17"])))
            holdings.append(
                Holding(instrument.symbol, quantity, place, Decimal(1000), locked=draw(st.integers(0, 14)) == 0)
            )
    weights = draw(st.lists(st.integers(0, 40), min_size=count, max_size=count))
    whole = max(sum(weights), 1) * draw(st.sampled_from([Decimal(1), Decimal("1.1"), Decimal(2)]))
    targets = []
    for instrument, weight in zip(known, weights, strict=True):
        if draw(st.integers(0, 7)):
            share = (Decimal(weight) / whole).quantize(
                Decimal(draw(st.sampled_from(["0.0001", "0.0001", "1e-17"]))), "ROUND_FLOOR"
            )
            limits = draw(st.sampled_from([(None, None)] * 4 + [(share / 2, share + Decimal("0.02"))]))
            targets.append(
                Target(
                    instrument.symbol,
                    share,
                    minimum=limits[0],
                    maximum=limits[1],
                    enabled=bool(draw(st.integers(0, 11))),
                )
            )
    cut = draw(st.integers(0, len(targets)))
    sections = (
        Section("core", tuple(targets[:cut]), draw(rules())),
        Section("satellite", tuple(targets[cut:]), draw(rules())),
    )
    groups: tuple[Group, ...] = ()
    if targets and draw(st.integers(0, 4)) == 0:
        members = tuple(target.symbol for target in targets[: draw(st.integers(1, 3))])
        groups = (Group("some", members, maximum=draw(st.sampled_from(["0.1", "0.6"]).map(_decimal))),)
    named = {target.symbol for target in targets} | {holding.symbol for holding in holdings}
    portfolio = Portfolio(
        name="random",
        base_currency="KRW",
        instruments={i.symbol: i for i in known if i.symbol in named},
        holdings=tuple(holdings),
        accounts=purses,
        sections=sections,
        groups=groups,
        settings=draw(settings()),
        fx={"USDKRW": USDKRW},
        accounts_declared=declared,
        untargeted_rule=draw(rules()),
    )
    prices = {"KRW": st.one_of(won, won, floats), "USD": st.one_of(dollars, dollars, floats)}
    quotes = {i.symbol: Quote(i.symbol, draw(prices[i.currency]), i.currency, MOMENT, "test") for i in known}
    return portfolio, quotes
