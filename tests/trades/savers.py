"""Portfolios as savers have them, ten million won and more, in one to three accounts; and plans carried out."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from decimal import Decimal

from engine.plan import Plan
from engine.portfolio import Account, Holding, Instrument, Portfolio, Rule, Section, Target
from engine.quote import Quote
from engine.settings import Settings

AS_OF = dt.date(2026, 11, 20)
MOMENT = dt.datetime(2026, 11, 20, 6, 30, tzinfo=dt.UTC)
USDKRW = Decimal("1391.5")
#: The default rules, with reviews of which some are due.
MIN_TRADES = {"core": Decimal(200_000), "satellite": Decimal(100_000)}


def saver(seed: int) -> tuple[Portfolio, dict[str, Quote]]:
    """Return a portfolio with its quotes."""
    rng = random.Random(seed)
    worth = rng.choice([10, 30, 100, 1000]) * 1_000_000
    cash = rng.choice([0, 0.01, 0.05, 0.12])
    count = rng.choice([1, 1, 1, 2, 3])
    accounts = tuple(
        Account(
            name=kind if count > 1 else "",
            type=kind,
            cash={"KRW": Decimal(int(worth * cash / count)), "USD": Decimal(rng.randint(0, 300))},
            markets=None if kind == "taxable" else ("KR",),
            risk_cap=Decimal("0.7") if kind == "irp" else None,
        )
        for kind in ("taxable", "isa", "irp")[:count]
    )
    parts = [rng.gammavariate(3, 1) for _ in range(rng.randint(2, 9))]
    invested = rng.choice([1, 1, 0.95, 0.9])
    instruments, quotes, holdings = {}, {}, []
    targets: dict[str, list[Target]] = {"core": [], "satellite": []}
    for number, part in enumerate(parts):
        weight = Decimal(int(part / sum(parts) * invested * 10_000)) / 10_000
        instrument = _instrument(rng, number)
        instruments[instrument.symbol] = instrument
        abroad = instrument.market == "US"
        price = Decimal(rng.randint(2_000, 60_000)) / 100 if abroad else Decimal(rng.randint(5_000, 200_000))
        quotes[instrument.symbol] = Quote(instrument.symbol, price, instrument.currency, MOMENT, "test")
        places = accounts[:1] if abroad else accounts
        for account in places:
            value = worth * float(weight) * rng.lognormvariate(0, 0.35) / len(places)
            quantity = int(value / float(price * (USDKRW if abroad else 1)))
            if quantity and rng.random() < 0.8:
                cost = (price * Decimal(repr(round(rng.uniform(0.4, 1.3), 3)))).quantize(Decimal("0.01"))
                locked = rng.random() < 0.03
                holdings.append(Holding(instrument.symbol, Decimal(quantity), account.name, cost, locked=locked))
        if rng.random() < 0.93:
            targets[rng.choice(["core", "core", "satellite"])].append(Target(instrument.symbol, weight))
    used = {h.symbol for h in holdings} | {t.symbol for group in targets.values() for t in group}
    portfolio = Portfolio(
        name="saver",
        base_currency="KRW",
        instruments={symbol: instrument for symbol, instrument in instruments.items() if symbol in used},
        holdings=tuple(holdings),
        accounts=accounts,
        sections=tuple(Section(name, tuple(chosen), _rule(rng, name)) for name, chosen in targets.items()),
        settings=Settings(
            cash_flow=Decimal(rng.choice([0, 0, worth // 100, -worth // 50])),
            destination=rng.choice(["target", "target", "target", "edge", "half"]),
            trade=rng.choice(["all", "all", "breached"]),
        ),
        fx={"USDKRW": USDKRW},
        accounts_declared=count > 1,
        untargeted_rule=Rule(absolute_band=Decimal("0.05"), relative_band=Decimal("0.25")),
    )
    return portfolio, quotes


def _instrument(rng: random.Random, number: int) -> Instrument:
    abroad = rng.random() < 0.3
    return Instrument(
        symbol=f"T{chr(65 + number)}" if abroad else f"{900_000 + number}",
        name=f"Instrument {number}",
        market="US" if abroad else "KR",
        currency="USD" if abroad else "KRW",
        asset_type=rng.choice(["stock", "etf", "etf"]),
        asset_class=rng.choice(["equity", "equity", "bond"]),
        taxed_as_dividend=rng.random() < 0.5,
    )


def _rule(rng: random.Random, section: str) -> Rule:
    return Rule(
        schedule="semi-annual" if section == "core" else "quarterly",
        absolute_band=Decimal("0.05") if section == "core" else Decimal("0.07"),
        relative_band=rng.choice([None, Decimal("0.25")]),
        min_trade=MIN_TRADES[section],
        last_rebalanced=dt.date(2026, rng.choice([3, 9]), 1),
        min_trade_given=False,
    )


def carried_out(portfolio: Portfolio, plan: Plan) -> Portfolio:
    """Return the portfolio the day after: trades done, the cash flow gone, the reviews that were due recorded."""
    holdings = list(portfolio.holdings)
    for trade in plan.trades:
        rows = [
            place
            for place, held in enumerate(holdings)
            if (held.symbol, held.account) == (trade.symbol, trade.account) and not held.locked
        ]
        if trade.side == "buy" and not rows:
            holdings.append(Holding(trade.symbol, trade.quantity, trade.account, trade.price))
        elif trade.side == "buy":
            held = holdings[rows[0]]
            shares = held.quantity + trade.quantity
            paid = (held.average_cost or trade.price) * held.quantity + trade.price * trade.quantity
            holdings[rows[0]] = replace(held, quantity=shares, average_cost=paid / shares)
        else:
            left = trade.quantity
            for place in rows:
                sold = min(left, holdings[place].quantity)
                holdings[place] = replace(holdings[place], quantity=holdings[place].quantity - sold)
                left -= sold
    ledgers = plan.cash.accounts_after if portfolio.accounts_declared else {"": plan.cash.after}
    done = {state.section for state in plan.sections if state.due}
    return replace(
        portfolio,
        holdings=tuple(held for held in holdings if held.quantity),
        accounts=tuple(replace(account, cash=dict(ledgers[account.name])) for account in portfolio.accounts),
        sections=tuple(
            replace(section, rule=replace(section.rule, last_rebalanced=AS_OF)) if section.name in done else section
            for section in portfolio.sections
        ),
        settings=replace(portfolio.settings, cash_flow=Decimal(0)),
    )
