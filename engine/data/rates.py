"""Manual exchange rates: pairs of known currencies, above zero, that do not contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.data.fields import Fields
from engine.data.report import Path, Report
from engine.market.symbols import pair
from engine.money import MINOR_DIGITS, ZERO
from engine.text import percent, plain_number

#: Two ways from one currency to another may differ by a dealer's margin, not by more.
_MOST_DISAGREEMENT = Decimal("0.005")


def read_rates(data: object, path: Path, report: Report) -> dict[str, Decimal]:
    """Return the rate of each pair: units of the second currency per unit of the first."""
    if data is None:
        return {}
    known = tuple(map(str, data)) if isinstance(data, Mapping) else ("USDKRW",)
    row = Fields(data, path, report, known)
    rates: dict[str, Decimal] = {}
    for key in row.values:
        name = str(key)
        rate = row.number(name, ZERO, above=True)
        code = _pair_name(name, row)
        if code in rates:
            row.error(
                name, "duplicate-key", f"{code} is here twice: keep one rate", f"{code} 중복: 환율을 하나만 두세요"
            )
        elif not row.given(name):
            row.missing(name, "write the rate, such as USDKRW: 1391.5", "USDKRW: 1391.5처럼 환율을 적으세요")
        elif code is not None and rate is not None:
            rates[code] = rate
    return rates


def _pair_name(name: str, row: Fields) -> str | None:
    code = name.upper()
    if pair(code):
        return code
    letters = "".join(filter(str.isalpha, code))[:6]
    repair = f"write {letters}" if letters != code and pair(letters) else f"of {', '.join(MINOR_DIGITS)}"
    message = f"{name} is not a pair of two known currencies such as USDKRW: {repair}"
    repair_ko = (
        f"{letters}처럼 적으세요"
        if letters != code and pair(letters)
        else f"쓸 수 있는 통화: {', '.join(MINOR_DIGITS)}"
    )
    row.error(name, "unknown-pair", message, f"USDKRW처럼 아는 두 통화의 쌍이 아닌 {name}: {repair_ko}")
    return None


def check_rates(rates: Mapping[str, Decimal], base: str, used: frozenset[str], path: Path, report: Report) -> None:
    """Report rates that contradict each other, and rates that lead nowhere near the base currency.

    `used` are the currencies of the portfolio. A rate goes both ways; every further way between two currencies
    has to agree with the first one found.
    """
    worth = {base: (base, Decimal(1))}
    for code, rate in rates.items():
        first, second = code[:3], code[3:]
        for currency in (first, second):
            worth.setdefault(currency, (currency, Decimal(1)))
        if worth[first][0] != worth[second][0]:
            _join(worth, first, second, rate, base)
            continue
        implied = worth[first][1] / worth[second][1]
        disagreement = abs(rate / implied - 1)
        if disagreement > _MOST_DISAGREEMENT:
            apart = percent(round(disagreement, 4))
            message = f"{code} is {plain_number(rate)}, the other rates make it {implied:.6g}, {apart} off: correct one"
            ko = (
                f"{code} 값 {plain_number(rate)}: 다른 환율로 구하면 {implied:.6g}, {apart} 차이입니다. 하나를 고치세요"
            )
            report.error((*path, code), "fx-contradiction", message, ko)
    for code in rates:
        first, second = code[:3], code[3:]
        if worth[first][0] != base:
            needed = used & {first, second}
            message = f"{code} does not lead to the base currency {base}: add a rate such as {second}{base}"
            ko = f"{code}: 기준 통화 {base}(으)로 이어지지 않습니다. {second}{base} 같은 환율을 더하세요"
            report.add("error" if needed else "warning", (*path, code), "fx-unconnected", message, ko)


def _join(worth: dict[str, tuple[str, Decimal]], first: str, second: str, rate: Decimal, base: str) -> None:
    """Join the currencies connected to `first` with those connected to `second`; the base stays the root of its own.

    `worth[c]` is the root of the currencies that c is connected to, and what one c is worth in it.
    """
    if worth[first][0] == base:
        first, second, rate = second, first, 1 / rate
    old, value = worth[first]
    root, in_root = worth[second]
    factor = rate * in_root / value
    for currency, (its_root, its_value) in worth.items():
        if its_root == old:
            worth[currency] = (root, its_value * factor)
