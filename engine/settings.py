"""Every default of the tool, in one place, with its unit and its help text in both languages.

Validation, help and docs read the metadata here; nothing else declares a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, Literal

from engine.errors import InputError, Problem

Mode = Literal["full", "buy-only", "sell-only"]
Trigger = Literal["always", "due"]
TradeScope = Literal["all", "breached"]
Destination = Literal["target", "edge", "half"]
Taxes = Literal["count", "show", "none"]
Residence = Literal["KR", "US", "none"]
Schedule = Literal["none", "monthly", "quarterly", "semi-annual", "annual"]


def _option(default: Any, unit: str, en: str, ko: str, choices: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - a dataclass field
    metadata = {"unit": unit, "en": en, "ko": ko, "choices": choices}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class CostOverride:
    """Overrule rows of the dated cost table; None leaves the table's figure."""

    commission: Decimal | None = None
    minimum: Decimal | None = None
    sell_tax: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold how a plan is to be made; the defaults are the contract's."""

    mode: Mode = _option(
        "full",
        "",
        "what may be traded: buys and sells, buys only, or sells only",
        "거래 방식: 매수·매도, 매수만, 매도만",
        ("full", "buy-only", "sell-only"),
    )
    cash_flow: Decimal = _option(
        Decimal(0),
        "base currency",
        "money added (+) or taken out (−) with this plan",
        "이번에 넣는 돈(+) 또는 빼는 돈(−)",
    )
    trigger: Trigger = _option(
        "due",
        "",
        "a section trades where a band or limit is broken or its review is due, or always",
        "구성마다 밴드·한도 이탈이나 정기 점검일에만 매매하거나, 항상 매매",
        ("always", "due"),
    )
    trade: TradeScope = _option(
        "all",
        "",
        "trade every instrument or only those outside their band",
        "모든 종목 또는 밴드를 벗어난 종목만",
        ("all", "breached"),
    )
    destination: Destination = _option(
        "target",
        "",
        "trade to the target, to the band's edge, or to half the band",
        "목표까지, 밴드 끝까지, 밴드 절반까지",
        ("target", "edge", "half"),
    )
    effort: Decimal = _option(
        Decimal("0.00005"),
        "share of total value",
        "what one order is worth avoiding",
        "주문 하나를 줄이는 값어치(총액 대비)",
    )
    taxes: Taxes = _option(
        "count",
        "",
        "taxes on gains: counted in the choice of trades, only shown, or left out",
        "차익 과세: 매매 선택에 반영, 표시만, 제외",
        ("count", "show", "none"),
    )
    residence: Residence | None = _option(
        None,
        "",
        "whose taxes and usual commissions apply; by default the base currency's country",
        "세금과 통상 수수료의 기준 나라(기본: 기준 통화의 나라)",
        ("KR", "US", "none"),
    )
    realised: Mapping[str, Decimal] = _option(
        dict, "base currency", "gains realised earlier this year: overseas", "올해 이미 실현한 차익: overseas"
    )
    fractional: tuple[str, ...] = _option(
        (),
        "markets",
        "markets where fractions of a share can be traded",
        "소수점 거래가 되는 시장",
        ("KR", "US", "OTHER"),
    )
    convert_currency: bool = _option(
        True, "", "let one currency pay for another (planned conversions)", "환전하여 다른 통화 매수에 사용"
    )
    cash_buffer: Decimal = _option(
        Decimal(0), "base currency", "cash kept untouched, in each account", "계좌마다 남겨 둘 현금"
    )
    max_turnover: Decimal | None = _option(
        None, "share of total value", "most that may be bought and sold, together", "매수·매도 합계 한도(총액 대비)"
    )
    costs: Mapping[str, CostOverride] = _option(dict, "rates", "overrides of the dated cost table", "비용표 덮어쓰기")
    fx_spread: Decimal = _option(
        Decimal("0.001"), "share of the converted amount", "cost of converting currency", "환전 비용(환전 금액 대비)"
    )


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """Hold how long market data may take and how old it may be; the environment's `REBALANCER_<NAME>` overrules."""

    interactive_deadline: float = _option(
        3.0, "seconds", "longest a workbook waits for prices", "엑셀이 시세를 기다리는 최대 시간"
    )
    headless_deadline: float = _option(
        20.0, "seconds", "longest a command waits for prices", "명령줄이 시세를 기다리는 최대 시간"
    )
    fresh_open: float = _option(
        60.0, "seconds", "age at which a stored price is fetched again, market open", "장중 시세를 다시 받는 주기"
    )
    fresh_extended: float = _option(
        600.0,
        "seconds",
        "age at which a stored price is fetched again before and after regular hours",
        "시간외 시세를 다시 받는 주기",
    )
    fresh_fx: float = _option(600.0, "seconds", "age at which a stored rate is fetched again", "환율을 다시 받는 주기")
    stale_open: float = _option(
        1200.0,
        "seconds",
        "age beyond which a price is stale while the market is open, besides the source's own delay",
        "장중 오래된 시세로 보는 시간(제공처 지연 제외)",
    )
    stale_fx: float = _option(
        86400.0, "seconds", "age beyond which a rate is stale, weekends aside", "오래된 환율로 보는 시간(주말 제외)"
    )
    cross_check: Decimal = _option(
        Decimal("0.03"),
        "share of the price",
        "distance of two sources that is reported",
        "두 제공처 가격 차이 알림 기준",
    )
    cross_check_wait: float = _option(
        1.0, "seconds", "longest wait for the second source once every price is there", "교차 확인을 기다리는 시간"
    )
    unknown_for: float = _option(
        86400.0, "seconds", "how long an unknown symbol is not asked for again", "모르는 종목을 다시 묻지 않는 시간"
    )
    retry_for: float = _option(
        300.0,
        "seconds",
        "how long history and facts that could not be had are not asked for again",
        "받지 못한 과거 시세·ETF 정보를 다시 묻지 않는 시간",
    )
    watch_for: float = _option(
        604800.0, "seconds", "how long a symbol stays on the watch list after its last use", "관심 종목 유지 기간"
    )
    facts_for: float = _option(604800.0, "seconds", "how long fund facts are kept", "ETF 정보를 다시 받는 주기")
    gather: float = _option(
        0.02, "seconds", "how long a batch waits for others to join it", "한 번에 묶어 요청하기 위해 기다리는 시간"
    )
    clock_skew: float = _option(
        120.0, "seconds", "distance of this computer's clock from a source's that is reported", "시계 차이 알림 기준"
    )
    cache_dir: str = _option("", "folder", "where market data is kept; by default the platform's", "시세 저장 폴더")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> MarketSettings:
        """Return the defaults overruled by `REBALANCER_<NAME>`; a value of the wrong kind raises InputError."""
        given: dict[str, Any] = {}
        problems = []
        for option in fields(cls):
            name = f"REBALANCER_{option.name.upper()}"
            text = environment.get(name, "").strip()
            if not text:
                continue
            kind: Any = type(option.default)
            try:
                given[option.name] = kind(text)
                wrong = kind is not str and not 0 <= given[option.name] < 10**9
            except (ValueError, ArithmeticError):
                wrong = True
            if wrong:
                unit = option.metadata["unit"]
                message = f"{text!r} is not a number of {unit}, 0 or more"
                ko = f"{text!r}: 0 이상의 수로 적으세요 ({option.metadata['ko']})"
                problems.append(Problem("error", "setting", name, message, ko))
        if problems:
            raise InputError(problems)
        return cls(**given)


@dataclass(frozen=True, slots=True)
class RuleDefaults:
    """Hold a section's rule where the document gives none. `min_trade` is keyed by base currency, else 0."""

    schedule: Schedule
    absolute_band: Decimal
    relative_band: Decimal | None
    min_trade: Mapping[str, Decimal]


#: The contract's defaults; the dollar minimums are the won ones, rounded, for portfolios kept in dollars.
RULE_DEFAULTS: Mapping[str, RuleDefaults] = {
    "core": RuleDefaults("semi-annual", Decimal("0.05"), None, {"KRW": Decimal(200_000), "USD": Decimal(150)}),
    "satellite": RuleDefaults("quarterly", Decimal("0.07"), None, {"KRW": Decimal(100_000), "USD": Decimal(75)}),
    "all": RuleDefaults("none", Decimal("0.05"), Decimal("0.25"), {}),
}

#: Largest amount by which the weights may add up to more than 1.
WEIGHT_TOLERANCE = Decimal("1e-6")


def setting_fields() -> Mapping[str, Mapping[str, Any]]:
    """Return each setting's metadata (unit, en, ko, choices) by its name in a document."""
    return {f.name: f.metadata for f in fields(Settings)}
