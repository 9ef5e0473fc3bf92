"""What a model portfolio says of its rules is in its numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.goals import carried
from engine.portfolio import Portfolio, Section, Target
from engine.words import say
from templates.models import KEYS, load

Check = Callable[[Portfolio, re.Match[str]], bool]


def section(portfolio: Portfolio, name: str) -> Section:
    return next(found for found in portfolio.sections if found.name == name)


def target(portfolio: Portfolio, symbol: str) -> Target:
    return next(found for _, found in portfolio.targets() if found.symbol == symbol)


def percent(text: str) -> Decimal:
    return Decimal(text) / 100


def _twice_a_year(portfolio: Portfolio, match: re.Match[str]) -> bool:
    rule = section(portfolio, "core").rule
    least = Decimal(match["least"].replace(",", ""))
    bands = (rule.absolute_band, rule.relative_band)
    return (rule.schedule, *bands, rule.min_trade) == ("semi-annual", percent(match["points"]), None, least)


def _satellites(portfolio: Portfolio, match: re.Match[str]) -> bool:
    rule = section(portfolio, "satellite").rule
    least = Decimal(match["least"].replace(",", ""))
    wanted = ("quarterly", percent(match["points"]), Decimal("0.25"), least)
    return (rule.schedule, rule.absolute_band, rule.relative_band, rule.min_trade) == wanted


def _core(portfolio: Portfolio, match: re.Match[str]) -> bool:
    targets = carried(portfolio).targets()
    fees = [(t.weight, portfolio.instruments[t.symbol].expense_ratio) for _, t in targets]
    fee = sum((weight * (fee or 0) for weight, fee in fees), Decimal(0))
    return section(portfolio, "core").weight >= percent(match["least"]) and fee <= percent(match["fee"])


def _volatility(portfolio: Portfolio, match: re.Match[str]) -> bool:
    rule = section(portfolio, "all").rule
    bands = (rule.absolute_band, rule.relative_band, rule.relative_band_high_volatility)
    followed = set(portfolio.volatility_followers) == {t.symbol for _, t in portfolio.targets() if t.enabled}
    return followed and bands == (None, percent(match["calm"]), percent(match["high"]))


def _leveraged(portfolio: Portfolio, match: re.Match[str]) -> bool:
    (group,) = portfolio.groups
    known = {symbol for symbol, found in portfolio.instruments.items() if abs(found.leverage) > 1}
    capped = target(portfolio, match["fund"]).maximum == percent(match["most"])
    return capped and known <= set(group.members) and group.maximum == percent(match["joint"])


def _ranges(portfolio: Portfolio, match: re.Match[str]) -> bool:
    found = re.findall(r"(\w+) between (\d+) and (\d+) %", match[0])
    limits = [(target(portfolio, symbol).minimum, target(portfolio, symbol).maximum) for symbol, _, _ in found]
    return limits == [(percent(low), percent(high)) for _, low, high in found]


def _either_band(portfolio: Portfolio, match: re.Match[str]) -> bool:
    rule = section(portfolio, "all").rule
    return (rule.absolute_band, rule.relative_band) == (percent(match["points"]), Decimal("0.25"))


def _sets(portfolio: Portfolio, _match: re.Match[str]) -> bool:
    return any(len(t.members) > 1 for _, t in portfolio.targets())


def _sectors(portfolio: Portfolio, _match: re.Match[str]) -> bool:
    rule = section(portfolio, "all").rule
    equal = {t.weight for _, t in portfolio.targets()} == {Decimal("0.0909")}
    return equal and (rule.schedule, rule.relative_band) == ("quarterly", Decimal("0.25"))


#: What is promised, and where it has to be.
PROMISES: dict[str, Check] = {
    r"core twice a year, or at once beyond ±(?P<points>\d+) points; smallest trade "
    r"(?P<least>[\d,]+) KRW": _twice_a_year,
    r"satellites quarterly, or beyond ±(?P<points>\d+) points or a quarter of the target; smallest trade "
    r"(?P<least>[\d,]+) KRW": _satellites,
    r"core (?P<least>\d+) to 80 % or more; weighted fee at most (?P<fee>[\d.]+) %": _core,
    r"bands of ±(?P<calm>\d+) % of the target; ±(?P<high>\d+) % while volatility is high": _volatility,
    r"(?P<fund>\w+) at most (?P<most>\d+) %, all leveraged funds together at most (?P<joint>\d+) %": _leveraged,
    r"(\w+ between \d+ and \d+ %(, )?)+": _ranges,
    r"both share funds within ±(?P<points>\d+) points or a quarter of their target": _either_band,
    r"beyond ±(?P<points>\d+) points or a quarter of the target": _either_band,
    r"any fund of a set counts; each account buys the first that it may hold": _sets,
    r"each sector 1/11; back to it once a quarter, or beyond a quarter of the target": _sectors,
}
#: What explains, and promises nothing.
EXPLAINED = ("equal weight gives each company the same; it is not equal sector weight",)


@pytest.mark.parametrize("key", [key for key in KEYS if key != "blank"])
def test_every_promise_of_a_model_is_in_its_numbers(key: str) -> None:
    portfolio = load(key).portfolio
    for line in say(f"model.{key}.rules", "en").splitlines():
        found = [(check, match) for form, check in PROMISES.items() if (match := re.fullmatch(form, line))]
        if line in EXPLAINED:
            continue
        assert len(found) == 1, f"no numbers are known for: {line}"
        check, match = found[0]
        assert check(portfolio, match), line
