"""Numbers of any size and length in a document are planned with or refused: never a fault of the program."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.data.document import parse_portfolio, portfolio_from_data
from engine.errors import InputError
from engine.rebalance import rebalance

AS_OF = dt.date(2026, 11, 20)
often = settings(
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
SIZES = (
    "1e-40", "1e-17", "0.0000000001", "0.00014999999999999999", "0.0007186489399928135", "0.3333333333333333", "1",
    "3.9999999999999996", "10.333333333333334", "1391.5", "98400", "12345678901234.567", "99999999999999999.9",
    "999999999999999999",
)  # fmt: skip
any_size = st.one_of(st.sampled_from(("1", "10.333333333333334", "1391.5", "98400")), st.sampled_from(SIZES))
shares = st.sampled_from(("1e-40", "1e-17", "0.00014999999999999999", "0.3333333333333333", "0.6666666666666666", "1"))


def optional(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, object]:
    symbols = ("AAA", "BBB", "CCC")
    holdings = [
        {
            "symbol": symbol,
            "quantity": draw(any_size),
            "price": draw(any_size),
            "currency": draw(st.sampled_from(("KRW", "USD"))),
            **draw(optional(average_cost=any_size, lot=any_size)),
        }
        for symbol in symbols
    ]
    targets = [
        {"ticker": symbol, "weight": draw(st.sampled_from(("0.3333333333333333", "1e-17", "0.1"))), **draw(limits)}
        for symbol in draw(st.lists(st.sampled_from(symbols), unique=True))
    ]
    rates = st.sampled_from(("1e-40", "0.00014999999999999999", "0.3333333333333333", "0.5"))
    costs = optional(commission=rates, minimum=any_size, sell_tax=rates)
    return {
        "portfolio": {
            "base_currency": draw(st.sampled_from(("KRW", "USD"))),
            "holdings": holdings,
            "cash": draw(optional(KRW=any_size, USD=any_size)),
            "targets": targets,
            "rules": {"all": draw(optional(min_trade=any_size, absolute_band=shares, relative_band=shares))},
        },
        "fx": {"USDKRW": draw(any_size)},
        "settings": draw(
            optional(
                cash_flow=any_size.flatmap(lambda text: st.sampled_from((text, f"-{text}"))),
                cash_buffer=any_size,
                max_turnover=shares,
                fx_spread=rates,
                fractional=st.just(["KR", "US"]),
                destination=st.sampled_from(("target", "edge", "half")),
                costs=costs.map(lambda row: {"*": row}),
            )
        ),
    }


limits = optional(min=st.sampled_from(("0", "1e-17")), max=st.sampled_from(("0.3333333333333334", "1")))


@given(documents())
@often
def test_any_numbers_are_planned_with_or_refused(document: dict[str, object]) -> None:
    portfolio, problems = portfolio_from_data(document, "document")
    if portfolio is None:
        assert any(problem.severity == "error" for problem in problems)
        return
    with contextlib.suppress(InputError):
        plan = rebalance(portfolio, {}, AS_OF)
        held = {position.symbol: position.quantity for position in plan.positions}
        for trade in plan.trades:
            held[trade.symbol] += trade.quantity if trade.side == "buy" else -trade.quantity
        assert all(quantity >= 0 for quantity in held.values())
        assert all(amount == amount.to_integral_value() for amount in [plan.cash.after.get("KRW", Decimal(0))])


def planned(holdings: str, targets: str = "", more: str = "") -> InputError:
    text = (
        f"portfolio: {{base_currency: KRW, cash: {{KRW: 1000}}, holdings: [{holdings}], targets: [{targets}]}}\n{more}"
    )
    portfolio, _ = parse_portfolio(text, "p")
    assert portfolio is not None
    with pytest.raises(InputError) as caught:
        rebalance(portfolio, {}, AS_OF)
    return caught.value


@pytest.mark.parametrize(
    "holding",
    [
        "{symbol: A, quantity: 999999999999, price: 99999999, currency: KRW}",
        "{symbol: A, quantity: 999999999999999999, price: 999999999999999999, currency: KRW}",
    ],
)
def test_a_total_beyond_every_fortune_is_refused(holding: str) -> None:
    (problem,) = [p for p in planned(holding).problems if p.severity == "error"]
    assert (problem.code, str(problem.where)) == ("out-of-range", "portfolio")
    assert "1,000,000,000,000,000" in str(problem.message)


def test_a_price_at_which_shares_cannot_be_counted_is_refused() -> None:
    error = planned("{symbol: B, quantity: 1, price: 1e-16, currency: KRW}", "{ticker: B, weight: 0.5}")
    (problem,) = [p for p in error.problems if p.severity == "error"]
    assert (problem.code, str(problem.where)) == ("out-of-range", "position B")
    assert "price of 1e-16 KRW" in str(problem.message)


def test_what_is_held_is_never_rounded_up() -> None:
    text = "{symbol: A, quantity: 3.9999999999999996, price: 1000, currency: KRW}"
    lots = f"{text}, {text.replace('3.9999999999999996', '1e-40')}"
    portfolio, _ = parse_portfolio(f"portfolio: {{base_currency: KRW, holdings: [{lots}], targets: []}}", "p")
    assert portfolio is not None
    plan = rebalance(portfolio, {}, AS_OF)
    assert plan.positions[0].quantity == Decimal("3.9999999999999996000000000000000000000001")
    assert [trade.quantity for trade in plan.trades] == [3]


def test_a_rate_of_all_of_the_amount_is_refused() -> None:
    _, problems = parse_portfolio("portfolio: {base_currency: KRW, cash: {KRW: 1}}\nsettings: {fx_spread: 1}", "p")
    assert [str(p.where) for p in problems if p.severity == "error"] == ["p line 2: settings.fx_spread"]
