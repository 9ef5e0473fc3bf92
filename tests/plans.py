"""Plans built by hand, small enough to check with a pencil: what the output tests are about."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal as D  # noqa: N817 - plans are read, not their types

from engine.errors import Problem
from engine.money import FxTable
from engine.plan import CashState, Conversion, Plan, Position, Quality, Reason, SectionState, Status, TaxEstimate, Trade
from engine.portfolio import Portfolio
from engine.valuation import Valuation
from tests.builders import told

SEOUL = dt.timezone(dt.timedelta(hours=9))
CLOSE = dt.datetime(2026, 11, 20, 15, 30, tzinfo=SEOUL)
FX = D(1400)
TOTAL = D(20_000_000)


def position(
    symbol: str,
    name: str,
    price: str,
    quantity: str,
    target: str,
    status: Status,
    *,
    currency: str = "KRW",
    section: str | None = "core",
    account: str = "키움",
) -> Position:
    """Build a position; its band is five points to each side."""
    fx = FX if currency == "USD" else D(1)
    value = D(price) * D(quantity) * fx
    weight, wanted = value / TOTAL, D(target)
    return Position(
        symbol=symbol,
        name=name,
        section=section,
        market="US" if currency == "USD" else "KR",
        asset_type="etf",
        quantity=D(quantity),
        accounts={account: D(quantity)},
        price=D(price),
        currency=currency,
        fx=fx,
        price_source="prices.csv",
        price_as_of=CLOSE,
        stale=False,
        value=value,
        weight=weight,
        target=wanted,
        drift=weight - wanted,
        low=max(wanted - D("0.05"), D(0)),
        high=wanted + D("0.05"),
        status=status,
    )


def example() -> Plan:
    """Return a plan of a sale, a conversion and a purchase, 20 million won in all."""
    positions = (
        position("360750", "TIGER 미국S&P500", "20000", "450", "0.35", "OVER"),
        position("069500", "KODEX 200", "35000", "100", "0.2", "OK"),
        position("QQQ", "Invesco QQQ Trust", "500", "3.5", "0.3", "UNDER", currency="USD", section="satellite"),
        position("005930", "삼성전자", "80000", "20", "0", "NO_TARGET", section=None),
    )
    trades = (
        Trade(
            "키움", "360750", "TIGER 미국S&P500", "sell", D(100), D(20000), "KRW", D(2_000_000), D(300), D(0),
            Reason("over", D("0.45"), D("0.35"), D("0.3"), D("0.4")), D("0.35"),
        ),
        Trade(
            "키움", "QQQ", "Invesco QQQ Trust", "buy", D(4), D(500), "USD", D(2000), D("1.40"), D(0),
            Reason("under", D("0.1225"), D("0.3"), D("0.25"), D("0.35")), D("0.2625"),
        ),
    )  # fmt: skip
    portfolio = Portfolio("성장 추구형", "KRW", {}, (), (), ())
    return Plan(
        portfolio=portfolio,
        valuation=Valuation(TOTAL, {}, {}, {}, {}, FxTable("KRW", {"USD": FX})),
        rates={},
        name="성장 추구형",
        as_of=dt.date(2026, 11, 20),
        base_currency="KRW",
        total_value=TOTAL,
        needs_rebalancing=True,
        drift=D("0.18"),
        positions=positions,
        sections=(
            SectionState("core", D("0.55"), D("0.625"), D("0.075"), True, dt.date(2026, 11, 20), "OVER", ("360750",)),
            SectionState(
                "satellite", D("0.3"), D("0.1225"), D("-0.1775"), False, dt.date(2027, 1, 4), "UNDER", ("QQQ",)
            ),
        ),
        trades=trades,
        conversions=(Conversion("", "KRW", "USD", D(2_802_800), D(1) / FX, D(2_800), D(2_000)),),
        cash=CashState(
            before={"KRW": D(3_002_500), "USD": D("320.50")},
            after={"KRW": D(2_199_400), "USD": D("319.10")},
            target_weight=D("0.15"),
        ),
        quality=Quality(0.0612, 0.06119, 0.0002, "exact", 0.0123),
        tax=TaxEstimate(D(0), None, D(2_500_000), None, None, None, missing=("360750",)),
        problems=(
            Problem(
                "warning", "band-out-of-reach", "portfolio.satellite", told("the band of QQQ can never be reached")
            ),
        ),
    )


def quiet() -> Plan:
    """Return a plan without trades: everything is in its band."""
    plan = example()
    calm = (replace(plan.positions[1], weight=D("0.2"), drift=D(0)),)
    before = plan.cash.before
    cash = replace(plan.cash, after=before)
    return replace(
        plan, needs_rebalancing=False, positions=calm, trades=(), conversions=(), cash=cash, problems=(), sections=()
    )


def two_accounts() -> Plan:
    """Return a plan whose declared accounts each keep their own cash."""
    plan = example()
    trades = (plan.trades[0], replace(plan.trades[1], account="해외"))
    cash = CashState(
        before={"KRW": D(500_000), "USD": D("2500.00")},
        after={"KRW": D(2_499_700), "USD": D("498.60")},
        target_weight=D("0.15"),
        accounts_before={"키움": {"KRW": D(500_000)}, "해외": {"USD": D("2500.00")}},
        accounts_after={"키움": {"KRW": D(2_499_700)}, "해외": {"USD": D("498.60")}},
    )
    return replace(plan, trades=trades, conversions=(), cash=cash)


def hostile() -> Plan:
    """Return a plan whose names are formulas, escape codes and worse."""
    plan = example()
    names = ('=HYPERLINK("http://example.invalid","x")', "+1", "-2+3", "@SUM(1)\x1b[31m\nsecond")
    positions = tuple(replace(p, name=name) for p, name in zip(plan.positions, names, strict=True))
    trades = tuple(
        replace(trade, name=name, account="=1+1") for trade, name in zip(plan.trades, names[2:], strict=True)
    )
    return replace(plan, name="\t=cmd", positions=positions, trades=trades)
