"""What tax a Korean resident's sales bring, estimated: transaction tax, overseas gains, dividend income."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.costs.dated import in_force, read_table
from engine.money import ZERO, FxTable, to_unit
from engine.plan import TaxEstimate, Trade
from engine.portfolio import Holding, Instrument, Portfolio
from engine.text import Bilingual

FUNDS = ("etf", "etn", "fund")
_Averages = Mapping[tuple[str, str], Decimal]


@dataclass(frozen=True, slots=True)
class TaxRule:
    """Hold a rate, and the yearly allowance in won that it starts above."""

    rate: Decimal
    allowance: Decimal


def tax_rule(name: str, as_of: dt.date) -> TaxRule | None:
    """Return the rule (overseas_gains, dividend_income) in force on a day, or None where none is known."""
    for row in read_table("tax_rules.csv"):
        if row["rule"] == name and in_force(row, as_of):
            return TaxRule(Decimal(row["rate"]), Decimal(row["allowance"] or 0))
    return None


def estimate(trades: Iterable[Trade], portfolio: Portfolio, fx: FxTable, as_of: dt.date) -> TaxEstimate:
    """Estimate the tax of a plan's sales; `transaction_tax` in the base currency, all else in won.

    A gain is (price − average cost) × quantity − costs, in won at the plan's rate. Overseas gains and losses of the
    year are set off, and what is above the allowance is taxed; a Korean-listed fund of foreign assets is taxed on each
    gain as dividend income, without setting off losses. Sales in ISA, IRP and pension accounts count for neither. Where
    an average cost, a rate to won or a rule is unknown, the figure is None and `missing` or `notes` say why.
    """
    sales = [trade for trade in trades if trade.side == "sell"]
    transaction_tax = sum((fx.rate(sale.currency) * sale.tax for sale in sales), ZERO)
    shielded = {a.name for a in portfolio.accounts if a.type != "taxable"}
    taxed = [sale for sale in sales if sale.account not in shielded]
    overseas = [sale for sale in taxed if is_overseas(portfolio.instruments[sale.symbol])]
    funds = [sale for sale in taxed if _is_korean_fund(portfolio.instruments[sale.symbol])]
    unknown = [sale for sale in funds if portfolio.instruments[sale.symbol].taxed_as_dividend is None]
    dividends = [sale for sale in funds if portfolio.instruments[sale.symbol].taxed_as_dividend]

    averages = _average_costs(portfolio)
    gains = [_gain(sale, averages, fx) for sale in overseas]
    overseas_gain = None if None in gains else to_unit(sum(filter(None, gains), ZERO), "KRW")
    incomes = [_gain(sale, averages, fx) for sale in dividends]
    income = to_unit(sum((max(gain, ZERO) for gain in incomes if gain is not None), ZERO), "KRW")
    overseas_rule, dividend_rule = tax_rule("overseas_gains", as_of), tax_rule("dividend_income", as_of)
    dividend_income = None if None in incomes or unknown else income
    missing = [sale.symbol for sale in (*overseas, *dividends) if (sale.symbol, sale.account) not in averages]
    return TaxEstimate(
        transaction_tax=to_unit(transaction_tax, fx.base),
        overseas_gain=overseas_gain,
        overseas_allowance=overseas_rule.allowance if overseas_rule else ZERO,
        overseas_tax=_tax(overseas_gain, overseas_rule),
        dividend_income=dividend_income,
        dividend_tax=_tax(dividend_income, dividend_rule),
        missing=tuple(dict.fromkeys(missing)),
        notes=tuple(_notes(overseas, dividends, unknown, fx, as_of, known=bool(overseas_rule and dividend_rule))),
    )


def _tax(gain: Decimal | None, rule: TaxRule | None) -> Decimal | None:
    if gain is None or rule is None:
        return None
    return to_unit(max(gain - rule.allowance, ZERO) * rule.rate, "KRW")


def is_overseas(instrument: Instrument) -> bool:
    return instrument.market == "US" or (instrument.market == "OTHER" and instrument.currency != "KRW")


def _is_korean_fund(instrument: Instrument) -> bool:
    return not is_overseas(instrument) and instrument.asset_type in FUNDS


def _gain(sale: Trade, averages: _Averages, fx: FxTable) -> Decimal | None:
    average, rate = averages.get((sale.symbol, sale.account)), _won(sale.currency, fx)
    if average is None or rate is None:
        return None
    return rate * (sale.amount - sale.cost - sale.tax - average * sale.quantity)


def _won(currency: str, fx: FxTable) -> Decimal | None:
    """Return won per unit of a currency, through the base; None where the base has no rate to won."""
    if currency == "KRW":
        return Decimal(1)
    if fx.base == "KRW":
        return fx.rate(currency)
    return fx.rate(currency) / fx.rates["KRW"] if "KRW" in fx.rates else None


def _average_costs(portfolio: Portfolio) -> _Averages:
    """Return the moving average by (symbol, account); an entry is absent where the cost of any share is unknown."""
    rows: dict[tuple[str, str], list[Holding]] = {}
    for holding in portfolio.holdings:
        if holding.quantity:
            rows.setdefault((holding.symbol, holding.account), []).append(holding)
    averages = {}
    for key, held in rows.items():
        costs = [holding.quantity * holding.average_cost for holding in held if holding.average_cost is not None]
        shares = sum((holding.quantity for holding in held), ZERO)
        if len(costs) == len(held) and shares:
            averages[key] = sum(costs, ZERO) / shares
    return averages


def _notes(
    overseas: list[Trade], dividends: list[Trade], unknown: list[Trade], fx: FxTable, as_of: dt.date, *, known: bool
) -> Iterable[Bilingual]:
    if not known:
        yield Bilingual(f"no tax rule is known on {as_of}", f"{as_of}에 맞는 세금 규칙을 모릅니다")
    if overseas:
        yield Bilingual(
            "overseas gains are those of this plan's sales alone: what was realised earlier in the year is not known",
            "해외주식 양도차익은 이번 매도만 셉니다: 올해 이미 실현한 손익은 알 수 없습니다",
        )
        yield Bilingual(
            "both legs are converted at the plan's rate: the rate on the day of purchase is not known",
            "매수·매도 모두 계획의 환율로 환산합니다: 매수일 환율은 알 수 없습니다",
        )
        yield Bilingual(
            "cost basis: moving average; a broker that counts FIFO will differ",
            "취득가는 이동평균으로 셉니다: 선입선출인 증권사와는 다를 수 있습니다",
        )
        if _won(overseas[0].currency, fx) is None:
            text = f"no rate from {fx.base} to KRW: give one under fx"
            yield Bilingual(text, f"{fx.base}→KRW 환율 없음: fx 아래에 적으세요")
    if dividends:
        yield Bilingual(
            "dividend income is taken as the whole gain; the rise of the fund's tax base price may be less",
            "배당소득은 차익 전부로 봅니다: 과표 기준가 상승분은 이보다 적을 수 있습니다",
        )
    if unknown:
        names = ", ".join(dict.fromkeys(sale.symbol for sale in unknown))
        text = f"whether gains of {names} count as dividend income is not known"
        yield Bilingual(text, f"차익이 배당소득인지 알 수 없는 종목: {names}")
    if (overseas or dividends) and fx.base != "KRW":
        yield Bilingual("income taxes are in won, as of a Korean resident", "소득세는 한국 거주자 기준, 원화입니다")
