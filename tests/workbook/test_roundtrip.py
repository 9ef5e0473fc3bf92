"""Any portfolio, written as a workbook and read back, is the same."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.data.document import portfolio_from_data
from engine.portfolio import Portfolio
from engine.words import LANGUAGES
from templates.read.book import read_book
from templates.report import BookReport
from templates.write import build

#: A failing example is large whatever is done to it; making it small takes minutes.
PHASES = (Phase.explicit, Phase.generate)
CODES = ("360750", "069500", "091230", "305080", "133690", "QQQ", "SPY", "IEF", "MYFUND", "OTHER-1")
OWN: dict[str, dict[str, Any]] = {
    "MYFUND": {"currency": "KRW", "asset_type": "fund", "name": "내 펀드", "asset_class": "bond"},
    "OTHER-1": {"currency": "USD", "asset_type": "stock", "leverage": Decimal(2), "futures": True, "lot": Decimal(10)},
}
AWKWARD = st.sampled_from(
    ["=1+1", "+82", "-", "@x", "'quoted'", '"', "a & <b>", "미국 🇺🇸 베타", "1,234", "TRUE", "2026-01-01"]
)
WORDS = st.one_of(AWKWARD, st.text("가나다 abc-&<>'\"=+@", min_size=1, max_size=12).map(str.strip).filter(bool))


def numbers(top: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, top * 10**places).map(lambda n: Decimal(n).scaleb(-places))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the data of a portfolio document that uses everything a document can say."""
    codes = draw(st.lists(st.sampled_from(CODES), unique=True, min_size=1, max_size=7))
    declared = draw(st.booleans())
    names = draw(st.lists(WORDS, unique=True, min_size=1, max_size=3)) if declared else []
    described: set[str] = set()

    def described_once(code: str) -> dict[str, Any]:
        if code in described:
            return {}
        described.add(code)
        return dict(OWN.get(code, {}))

    holdings = [draw(holding(code, names)) | described_once(code) for code in codes]
    body: dict[str, Any] = {
        "name": draw(WORDS),
        "base_currency": draw(st.sampled_from(["KRW", "USD"])),
        "holdings": holdings,
    }
    cash = st.dictionaries(st.sampled_from(["KRW", "USD", "EUR"]), st.integers(-1000, 10**12).map(Decimal), max_size=3)
    if declared:
        body["accounts"] = [draw(accounts(name, cash)) for name in names]
    else:
        body["cash"] = draw(cash)
    left = list(CODES)
    draw(st.randoms(use_true_random=False)).shuffle(left)
    for section in draw(st.lists(st.sampled_from(["core", "satellite", "targets"]), unique=True, max_size=3)):
        picked, left = left[: draw(st.integers(1, 3))], left[3:]
        body[section] = [draw(targets(code)) | described_once(code) for code in picked]
    body["rules"] = {key: draw(rules()) for key in ("core", "satellite", "all") if key == "all" or key in body}
    if draw(st.booleans()):
        members = draw(st.lists(st.sampled_from(codes), unique=True, min_size=1))
        body["groups"] = [{"name": draw(WORDS), "members": members, "max": draw(numbers(1, 4))}]
    document: dict[str, Any] = {"portfolio": body, "settings": draw(options())}
    if draw(st.booleans()):
        document["fx"] = {draw(st.sampled_from(["USDKRW", "KRWUSD"])): draw(numbers(2000, 4).filter(bool))}
    return document


@st.composite
def holding(draw: st.DrawFn, code: str, names: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"symbol": code, "quantity": draw(numbers(10**6, 6))}
    if draw(st.booleans()):
        row["average_cost"] = draw(numbers(10**6, 2))
    if draw(st.booleans()):
        row["price"] = draw(numbers(10**6, 2).filter(bool))
    if draw(st.booleans()):
        row["locked"] = True
    if names:
        row["account"] = draw(st.sampled_from(names))
    elif draw(st.booleans()):
        row["account"] = draw(WORDS)
    return row


@st.composite
def accounts(draw: st.DrawFn, name: str, cash: st.SearchStrategy[dict[str, Decimal]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "type": draw(st.sampled_from(["taxable", "isa", "irp", "pension"])),
        "cash": draw(cash),
    }
    if draw(st.booleans()):
        row["markets"] = draw(st.sampled_from([None, ["KR"], ["US", "KR"], []]))
    if draw(st.booleans()):
        row["risk_cap"] = draw(st.one_of(st.none(), numbers(1, 3)))
    if draw(st.booleans()):
        row["banned"] = draw(st.sampled_from([[], ["leveraged"], ["inverse", "futures"]]))
    if draw(st.booleans()):
        row["cash_buffer"] = draw(numbers(10**7, 0))
    return row


@st.composite
def targets(draw: st.DrawFn, code: str) -> dict[str, Any]:
    row: dict[str, Any] = {"ticker": code, "weight": draw(numbers(1, 4).map(lambda n: n / 10))}
    if draw(st.booleans()):
        row |= {"min": Decimal(0), "max": Decimal("0.5"), "role": draw(WORDS)}
    if draw(st.booleans()):
        row |= {"relative_band": draw(numbers(1, 3)), "relative_band_high_volatility": draw(numbers(1, 3))}
    if draw(st.booleans()):
        row |= {"benchmark": "069500", "thesis_valid": draw(st.booleans()), "enabled": draw(st.booleans())}
    return row


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    wide = {"relative_band_high_volatility": draw(numbers(1, 3))} if draw(st.booleans()) else {}
    return wide | {
        "schedule": draw(st.sampled_from(["none", "monthly", "quarterly", "semi-annual", "annual"])),
        "absolute_band": draw(st.one_of(st.none(), numbers(1, 3))),
        "relative_band": draw(st.one_of(st.none(), numbers(1, 3))),
        "min_trade": draw(numbers(10**6, 0)),
        "last_rebalanced": draw(st.one_of(st.none(), st.dates(dt.date(2000, 1, 1), dt.date(2040, 12, 31)))),
    }


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    row: dict[str, Any] = {
        "mode": draw(st.sampled_from(["full", "buy-only", "sell-only"])),
        "cash_flow": draw(st.integers(-(10**9), 10**9).map(Decimal)),
        "destination": draw(st.sampled_from(["target", "edge", "half"])),
        "fractional": draw(st.sampled_from([[], ["US"], ["KR", "US"]])),
        "convert_currency": draw(st.booleans()),
        "fx_spread": draw(numbers(1, 4).map(lambda n: n / 100)),
    }
    if draw(st.booleans()):
        row["max_turnover"] = draw(numbers(1, 3))
    if draw(st.booleans()):
        cost = {"commission": Decimal("0.00015"), "minimum": draw(numbers(100, 2)), "sell_tax": None}
        row["costs"] = {draw(st.sampled_from(["*", "KR/stock", "US"])): cost}
    return row


@settings(max_examples=12, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(document=documents(), lang=st.sampled_from(LANGUAGES))
def test_any_portfolio_reads_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any], lang: Any
) -> None:
    portfolio, problems = portfolio_from_data(document, "drawn")
    if portfolio is None:
        assert any(problem.severity == "error" for problem in problems)
        return
    path = tmp_path_factory.mktemp("drawn") / "book.xlsx"
    path.write_bytes(build(BookReport(portfolio), lang).to_bytes())
    book = read_book(path)
    assert_same(book.portfolio, portfolio, book.problems)


def assert_same(found: Portfolio | None, portfolio: Portfolio, problems: object) -> None:
    assert found is not None, problems
    for name in Portfolio.__dataclass_fields__:
        assert getattr(found, name) == getattr(portfolio, name), name


def test_most_of_what_is_drawn_is_a_portfolio() -> None:
    sound = []

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(document=documents())
    def draw(document: dict[str, Any]) -> None:
        sound.append(portfolio_from_data(document, "drawn")[0] is not None)

    draw()
    assert sum(sound) > len(sound) / 2


def test_a_number_of_more_digits_than_a_cell_can_hold_survives(tmp_path: Path) -> None:
    body = {"name": "x", "base_currency": "KRW", "holdings": [{"symbol": "069500", "quantity": "12345678901234567.5"}]}
    portfolio, _ = portfolio_from_data({"portfolio": body}, "x")
    assert portfolio is not None
    path = tmp_path / "book.xlsx"
    path.write_bytes(build(BookReport(portfolio), "en").to_bytes())
    assert read_book(path).portfolio == portfolio
