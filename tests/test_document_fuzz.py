"""Whatever stands in a document, reading it gives problems and never an exception."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.document import COST_KEYS, DOCUMENT_KEYS, PORTFOLIO_KEYS, parse_portfolio, portfolio_from_data
from engine.data.holdings import ACCOUNT_KEYS, HOLDING_KEYS
from engine.data.prices import parse_prices
from engine.data.sections import GROUP_KEYS, RULE_ALIASES, RULE_KEYS, TARGET_KEYS
from engine.settings import setting_fields

KEYS = sorted(
    {
        *DOCUMENT_KEYS,
        *PORTFOLIO_KEYS,
        *HOLDING_KEYS,
        *TARGET_KEYS,
        *ACCOUNT_KEYS,
        *GROUP_KEYS,
        *RULE_KEYS,
        *RULE_ALIASES,
        *COST_KEYS,
        *setting_fields(),
        *("KRW", "usd", "USDKRW", "KRWUSD", "EURUSD", "core", "all", "*", "KR/etf"),
    }
)
WORDS = [
    "QQQ",
    "069500",
    "69500",
    "TIGER 반도체",
    "MYFUND",
    "KRW",
    "USD",
    "0.5",
    "1e400",
    "-1",
    "1,234",
    "irp",
    "KR",
    "none",
]
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.dates()
    | st.sampled_from(WORDS)
    | st.text(max_size=8)
    | st.just(dt.datetime(2026, 7, 1, tzinfo=dt.UTC))
    | st.just(Decimal("NaN"))
)
ODD_KEYS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
TREES: st.SearchStrategy[Any] = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | ODD_KEYS, inner, max_size=5),
    max_leaves=30,
)


def row(keys: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return TREES | st.dictionaries(st.sampled_from(keys), PLAIN)


BODIES = st.fixed_dictionaries(
    {"base_currency": st.sampled_from(["KRW", "USD"])},
    optional={
        "holdings": st.lists(row(HOLDING_KEYS), max_size=4),
        "accounts": st.lists(row(ACCOUNT_KEYS), max_size=2),
        "core": st.lists(row(TARGET_KEYS), max_size=4),
        "targets": st.lists(row(TARGET_KEYS), max_size=4),
        "groups": st.lists(row(GROUP_KEYS), max_size=2),
        "rules": st.dictionaries(st.sampled_from(["core", "all", "x"]), row(RULE_KEYS)),
        "cash": TREES,
        "core_weight": PLAIN,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"portfolio": BODIES},
    optional={"fx": TREES, "settings": TREES | st.dictionaries(st.sampled_from(sorted(setting_fields())), TREES)},
)
EXAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parent / "bad_documents").glob("*.yaml"))]


@settings(deadline=None)
@given(TREES | DOCUMENTS)
def test_any_data_gives_a_portfolio_or_an_error(data: object) -> None:
    portfolio, problems = portfolio_from_data(data, "data")
    assert (portfolio is None) is any(problem.severity == "error" for problem in problems)


@settings(deadline=None)
@given(st.sampled_from(EXAMPLES), st.integers(0, 400), st.integers(0, 5), st.binary(max_size=5))
def test_any_damage_to_a_file_gives_a_portfolio_or_an_error(text: bytes, at: int, cut: int, put: bytes) -> None:
    portfolio, problems = parse_portfolio(text[:at] + put + text[at + cut :], "damaged")
    assert (portfolio is None) is any(problem.severity == "error" for problem in problems)


@settings(deadline=None)
@given(st.binary() | st.lists(st.sampled_from([*WORDS, ",", "\n", '"', "symbol,price\n"])).map("".join))
def test_any_price_file_gives_quotes_above_zero(text: str | bytes) -> None:
    quotes, _ = parse_prices(text, "prices")
    assert all(quote.price > 0 for quote in quotes.values())
