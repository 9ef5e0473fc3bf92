"""What a portfolio document says, computed from the contract alone: value, targets, bands, who acts and why, rungs.

Nothing here imports the engine. Money is in the base currency as floats, but for prices and charges, which stay
Decimal so that a bill can be rounded as it is paid. Quantities are in lots (fractional instruments: in shares).
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

#: Upper ends of the brackets of r, and what each part counts per unit of money.
EDGES = (0.01, 0.05, 0.10, 0.25, 0.50, 1.00, math.inf)
SLOPES = (0.02, 0.06, 0.15, 0.35, 0.75, 1.5, 2.0)
#: The most that a bracket of idle cash counts.
IDLE = 0.15
#: Slope of what has target 0.
STUB = 2.0
COUNTERPART = 0.05
BROKEN = 10.0
#: The smallest scale of a deviation, as a share of the total value.
SMALLEST_SCALE = 0.01
WITHHELD = Decimal("0.154")
OVERSEAS = Decimal("0.22")
ALLOWANCE = Decimal(2_500_000)
#: A later rung has to leave this share of the total value less outside.
WORTH_CLIMBING = 0.001
#: What counts as equal, as a share of the total value (money) or of a share (quantities).
EPS = 1e-9
#: Of what a sale or conversion brings, the part that a withdrawal counts on where it is split over accounts.
REACH = 0.99
DIGITS = {"KRW": 0, "USD": 2}
DEFAULT_RULES: Mapping[str, Mapping[str, Any]] = {
    "core": {"schedule": "semi-annual", "absolute_band": 0.05, "relative_band": None},
    "satellite": {"schedule": "quarterly", "absolute_band": 0.07, "relative_band": None},
    "all": {"schedule": "none", "absolute_band": 0.05, "relative_band": 0.25},
}
DEFAULT_MIN_TRADE = {
    ("core", "KRW"): 200_000,
    ("core", "USD"): 150,
    ("satellite", "KRW"): 100_000,
    ("satellite", "USD"): 75,
}
MONTHS = {"monthly": 1, "quarterly": 3, "semi-annual": 6, "annual": 12}
#: The section of holdings without a target.
UNTARGETED = ""


def to_unit(amount: Decimal, currency: str) -> Decimal:
    """Round an amount half up to its currency's smallest unit."""
    return amount.quantize(Decimal(1).scaleb(-DIGITS[currency]), rounding=ROUND_HALF_UP)


def number(value: object) -> Decimal:
    """Return the digits that a person wrote."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value))


@dataclass(frozen=True)
class Asset:
    """A symbol: its target, band and limits in money, and what is held of it in all accounts."""

    symbol: str
    section: str
    weight: float
    target: float
    value: float
    low: float
    high: float
    minimum: float | None
    maximum: float | None
    enabled: bool
    all_locked: bool
    price: Decimal  # per lot, in its currency
    currency: str
    fx: Decimal
    lot: Decimal  # shares; 1 where fractional
    whole: bool
    market: str
    traits: frozenset[str]
    risk: bool
    min_trade: float
    min_is_default: bool
    commission: Decimal
    fee: Decimal
    sell_tax: Decimal
    taxed: str  # dividend, overseas or nothing

    @property
    def step(self) -> float:
        """Return the value of a lot in the base currency."""
        return float(self.price * self.fx)

    @property
    def scale(self) -> float:
        return self.target

    @property
    def frozen(self) -> bool:
        """Tell whether it is left out of every reason: locked throughout, or disabled."""
        return self.all_locked or not self.enabled

    @property
    def outside_band(self) -> float:
        return max(self.value - self.high, self.low - self.value, 0.0)


@dataclass(frozen=True)
class Slot:
    """One symbol in one account: what may be sold there, and whether it may be bought there."""

    account: int
    asset: int
    sellable: float  # lots
    may_buy: bool
    average: Decimal | None  # base currency per lot


@dataclass(frozen=True)
class Purse:
    """An account: its cash by currency (cash flow included), what must stay, and its cap on risk assets."""

    name: str
    taxable: bool
    cash: Mapping[str, Decimal]
    floor: Mapping[str, Decimal]
    risk_cap: float | None  # the largest share of risk assets after a purchase
    value: float  # before trading
    risk: float  # money of risk assets it holds


@dataclass(frozen=True)
class WeightLimit:
    """A side of a limit: `sign` 1 keeps the members' sum at or below `bound`, −1 at or above it."""

    members: tuple[int, ...]
    sign: int
    bound: float
    broken: bool


@dataclass(frozen=True)
class Term:
    """A part of the objective: coefficient times the bracketed distance of a value from [low, high]."""

    coefficient: float
    low: float
    high: float
    scale: float


@dataclass(frozen=True)
class Rung:
    """The rules of one rung: who may trade, how far, and what each deviation counts."""

    number: int
    raising: bool
    idle_cap: float
    omega: tuple[float, ...]
    sells: tuple[bool, ...]
    buys: tuple[bool, ...]
    min_buy: tuple[float, ...]
    min_sell: tuple[float, ...]
    net_low: tuple[float, ...]  # lots over all accounts
    net_high: tuple[float, ...]
    terms: tuple[tuple[Term, ...], ...]
    stubs: tuple[float, ...]  # slope per unit of money held, for target 0


@dataclass(frozen=True)
class Case:
    """A portfolio as section 4 of the contract sees it."""

    base: str
    total: float
    cash_target: float
    assets: tuple[Asset, ...]
    slots: tuple[Slot, ...]
    purses: tuple[Purse, ...]
    limits: tuple[WeightLimit, ...]
    sections: Mapping[str, bool]  # by name: due
    rates: Mapping[str, Decimal]
    convert: bool
    spread: float
    turnover: float | None
    effort: float
    mode: str
    trigger: str
    trade: str
    destination: str
    flow: float
    taxes: str  # count, show or none
    allowance: float
    notes: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def cash(self) -> float:
        """Return the cash before trading, of all accounts and currencies, cash flow included."""
        return float(sum(self.rates[c] * n for purse in self.purses for c, n in purse.cash.items()))

    @property
    def cash_scale(self) -> float:
        return max(self.cash_target, SMALLEST_SCALE * self.total)

    @property
    def cash_low(self) -> float:
        """Return the lower edge of the cash band."""
        return self.cash_target - min(0.05 * self.total, 0.25 * self.cash_target)

    @property
    def cash_high(self) -> float:
        """Return the upper edge of the cash band."""
        return self.cash_target + max(min(0.05 * self.total, 0.25 * self.cash_target), 0.01 * self.total)

    @cached_property
    def short(self) -> bool:
        """Tell whether some account cannot keep its floors with conversions alone."""
        return any(conversion(self, purse, {}) is None for purse in self.purses)

    @cached_property
    def acting(self) -> Mapping[str, list[str]]:
        """Return the sections that act, each with its reasons."""
        if self.trigger == "always":
            return {name: ["always"] for name in (*self.sections, UNTARGETED)}
        found: dict[str, list[str]] = {}
        for name, due in self.sections.items():
            why = ["due"] if due else []
            for index, asset in enumerate(self.assets):
                if asset.section != name or asset.frozen:
                    continue
                if asset.outside_band > EPS * self.total:
                    why.append(f"band {asset.symbol}")
                if any(limit.broken and index in limit.members for limit in self.limits):
                    why.append(f"limit {asset.symbol}")
            if why:
                found[name] = why
        stubs = [s for s in self.slots if self.assets[s.asset].section == UNTARGETED and s.sellable > EPS]
        if stubs and self.mode != "buy-only":
            found[UNTARGETED] = ["untargeted"]
        return found

    def breached(self, asset: Asset) -> bool:
        """Tell whether an instrument is outside its band or a limit."""
        index = self.assets.index(asset)
        limited = any(limit.broken and index in limit.members for limit in self.limits)
        return limited or asset.outside_band > EPS * self.total

    @property
    def due(self) -> bool:
        return any(self.sections.values())

    @property
    def cash_acts(self) -> str:
        """Return below or above where cash is outside its band."""
        if self.cash < self.cash_low - EPS * self.total:
            return "below"
        return "above" if self.cash > self.cash_high + EPS * self.total else ""

    @cached_property
    def ladder(self) -> tuple[int, ...]:
        """Return the rungs to climb, in order; none where there is nothing to do."""
        if self.trigger == "always":
            return (2, 3)
        if self.acting:
            return (1, 2, 3) if self.short or not self.due else (2, 3)
        if self.cash_acts:
            return (1, 3) if self.cash_acts == "below" else (1,)
        return (1,) if self.flow or self.short else ()

    def spendable(self, account: int) -> float:
        """Return the most money an account could buy with: its cash and all that it may sell, without charges."""
        held = sum(s.sellable * self.assets[s.asset].step for s in self.slots if s.account == account)
        cash = self.purses[account].cash
        return held + sum(float(self.rates[c] * max(n, Decimal(0))) for c, n in cash.items())

    def rung(self, which: int) -> Rung:
        """Return the rules of a rung."""
        return _rung(self, which)

    def outside(self, values: Sequence[float], cash: float) -> float:
        """Return the share of the total value outside bands and limits, and of cash below its band."""
        money = max(self.cash_low - cash, 0.0)
        for asset, value in zip(self.assets, values, strict=True):
            if not asset.frozen:
                money += max(value - asset.high, asset.low - value, 0.0)
        for limit in self.limits:
            if any(not self.assets[m].frozen for m in limit.members):
                money += max(limit.sign * (sum(values[m] for m in limit.members) - limit.bound), 0.0)
        return money / self.total


def conversion(case: Case, purse: Purse, change: Mapping[str, float], slack: float = 0.0) -> float | None:
    """Return the money to convert (base currency, before the spread) so that every currency keeps its floor.

    `change` is what trades bring by currency; `slack` is forgiven in each currency, in its smallest units. None: no
    conversion does. At most two currencies.
    """
    over = {}
    for currency in case.rates:
        forgiven = slack * 10.0 ** -DIGITS[currency]
        left = float(purse.cash.get(currency, 0)) + change.get(currency, 0.0) - float(purse.floor[currency]) + forgiven
        over[currency] = left * float(case.rates[currency])
    short = -sum(min(v, 0.0) for v in over.values())
    tiny = EPS * 1e-3 * case.total
    if short <= tiny:
        return 0.0
    if not case.convert:
        return None
    needed = short / (1 - case.spread)
    return needed if needed <= sum(max(v, 0.0) for v in over.values()) + tiny else None


def brackets(distance: float, scale: float, cap: float = math.inf) -> float:
    """Return D: the distance weighed in brackets of its ratio to the scale, no bracket above `cap`."""
    total, start = 0.0, 0.0
    for edge, slope in zip(EDGES, SLOPES, strict=True):
        part = min(distance, edge * scale) - start
        if part <= 0:
            break
        total += part * min(slope, cap)
        start = edge * scale
    return total


# ---------------------------------------------------------------------------------------------------------- rungs


def _counterpart(case: Case, asset: Asset, which: int) -> bool:
    if which == 1:
        return False
    if asset.section not in case.acting:
        return True
    breached_only = case.trade == "breached" or case.destination != "target"
    return breached_only and not case.breached(asset)


def edges(asset: Asset, destination: str) -> tuple[float, float]:
    """Return the nearest values that the destination asks for: the target itself, or edges of the (half) band."""
    if destination == "target":
        return asset.target, asset.target
    if destination == "edge":
        return asset.low, asset.high
    return (asset.target + asset.low) / 2, (asset.target + asset.high) / 2


def _rung(case: Case, which: int) -> Rung:
    raising = which == 1 and case.short
    side = case.destination != "target" and which != 1
    rows = []
    for index, asset in enumerate(case.assets):
        counterpart = _counterpart(case, asset, which)
        omega = COUNTERPART if counterpart or raising else 1.0
        sells = raising or (which != 1 and (not counterpart or which == 3))
        buys = not raising and (which == 1 or not counterpart or which == 2)
        sells &= case.mode != "buy-only" and asset.enabled
        buys &= case.mode != "sell-only" and asset.enabled
        min_buy = 0.0 if which == 1 and asset.min_is_default else asset.min_trade
        low, high = _net(case, index, asset, min_buy, raising=raising)
        if side and asset.outside_band > EPS * case.total and asset.section in case.acting and not asset.frozen:
            low, high = _within_edges(case, asset, low, high)
        scale = max(asset.target, SMALLEST_SCALE * case.total)
        terms: tuple[Term, ...] = (Term(omega, asset.target, asset.target, scale),)
        if asset.weight == 0:
            terms = ()
        elif side:
            near = edges(asset, case.destination)
            terms = (Term(omega, *near, scale), replace(terms[0], coefficient=omega * COUNTERPART))
        stub = STUB * omega if asset.weight == 0 else 0.0
        rows.append((omega, sells, buys, min_buy, asset.min_trade, low, high, terms, stub))
    columns: list[tuple[Any, ...]] = [tuple(column) for column in zip(*rows, strict=True)] if rows else [()] * 9
    return Rung(which, raising, math.inf if case.mode == "sell-only" else IDLE, *columns)


def _net(case: Case, index: int, asset: Asset, min_buy: float, *, raising: bool) -> tuple[float, float]:
    """Return how many lots over all accounts may be sold (below 0) and bought, by the rule on orders."""
    low, high = 0.0, 0.0
    gap = asset.target - asset.value
    if gap > EPS * case.total:
        high = _steps(asset, gap, min_buy)
    elif gap < -EPS * case.total:
        low = -_steps(asset, -gap, asset.min_trade)
    for limit in case.limits:
        if not limit.broken:
            continue
        excess = abs(sum(case.assets[m].value for m in limit.members) - limit.bound)
        member = index in limit.members
        if (limit.sign > 0 and member) or (limit.sign < 0 and not member):
            low = min(low, -_mending(asset, excess, asset.min_trade))
        elif limit.sign < 0:
            high = max(high, _mending(asset, excess, min_buy))
    return (-math.inf if raising else low), high


def _mending(asset: Asset, excess: float, smallest: float) -> float:
    """Return the most lots of an order that mends a limit, or pays for mending a minimum."""
    money = max(excess, smallest)
    return float(math.ceil(money / asset.step - EPS)) if asset.whole else money / asset.step


def _steps(asset: Asset, way: float, smallest: float) -> float:
    """Return the most lots of an order towards a target that is `way` off."""
    lots = way / asset.step
    if not asset.whole:
        return min(max(lots, smallest / asset.step), 2 * lots)
    most = math.ceil(lots - EPS)
    if smallest > way:
        most = max(most, math.ceil(smallest / asset.step - EPS))
    return float(min(most, math.floor(2 * lots + EPS)))


def surplus(case: Case) -> float:
    """Return E: what the breached have beyond their edges, holdings without target, and cash above its target."""
    found = case.cash - case.cash_target
    for asset in case.assets:
        if asset.frozen:
            continue
        if asset.section == UNTARGETED:
            found += asset.value
        elif asset.outside_band > EPS * case.total:
            low, high = edges(asset, case.destination)
            found += asset.value - (high if asset.value > asset.high else low)
    return found


def _within_edges(case: Case, asset: Asset, low: float, high: float) -> tuple[float, float]:
    if asset.section == UNTARGETED or asset.weight == 0:
        return low, high
    lower, upper = edges(asset, case.destination)
    over = asset.value > asset.high
    if (surplus(case) >= -EPS * case.total) != over:
        return low, high
    lots = (asset.value - upper if over else lower - asset.value) / asset.step
    most = float(math.ceil(lots - EPS)) if asset.whole else lots
    mending = _mends(case, asset, over=over)
    most = max(most, mending)
    return (max(low, -most), high) if over else (low, min(high, most))


def _mends(case: Case, asset: Asset, *, over: bool) -> float:
    """Return the lots that mend a broken limit of the instrument on the side it is off, or pay for another's."""
    index = case.assets.index(asset)
    found = 0.0
    for limit in case.limits:
        member = index in limit.members
        pays = over and limit.sign < 0 and not member
        if limit.broken and (pays or (member and (limit.sign > 0) == over)):
            excess = abs(sum(case.assets[m].value for m in limit.members) - limit.bound)
            found = max(found, _mending(asset, excess, asset.min_trade))
    return found


# -------------------------------------------------------------------------------------------------------- reading


def read(document: Mapping[str, Any], as_of: dt.date, shares: Mapping[str, Decimal] | None = None) -> Case:
    """Return the case that a document (contract section 3) describes on a day.

    `shares` are what a withdrawal changes each account's base cash by, where they are not reading 18's.
    """
    folio = document["portfolio"]
    settings = dict(document.get("settings") or {})
    holdings = list(folio.get("holdings") or [])
    base = folio.get("base_currency") or holdings[0]["currency"]
    rates = {base: Decimal(1)}
    for pair, rate in (document.get("fx") or {}).items():
        if pair[3:] == base:
            rates[pair[:3]] = number(rate)
        elif pair[:3] == base:
            rates[pair[3:]] = 1 / number(rate)
    sections = {key: folio[key] for key in ("core", "satellite") if folio.get(key)}
    if folio.get("targets"):
        sections["all"] = folio["targets"]
    sections |= folio.get("sections") or {}
    rules = {name: _rule(folio, name, base) for name in (*sections, "all")}
    accounts = list(folio.get("accounts") or [{"name": "", "cash": folio.get("cash") or {}}])
    declared = bool(folio.get("accounts"))
    said: dict[str, dict[str, Any]] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in holdings:
        symbol = str(row["symbol"])
        said.setdefault(symbol, {}).update(row)
        rows.setdefault(symbol, []).append(
            row | {"account": row.get("account", accounts[0]["name"]) if declared else ""}
        )
    wanted = {str(t["ticker"]): (name, t) for name, targets in sections.items() for t in targets}
    for symbol, (_, target) in wanted.items():
        said.setdefault(symbol, {}).update({k: v for k, v in target.items() if k not in ("min", "max")})
    symbols = list(dict.fromkeys([*wanted, *rows]))

    worth = {}
    for symbol in symbols:
        info = said[symbol]
        one = number(info["price"]) * rates[info["currency"]]
        worth[symbol] = float(one * sum((number(r["quantity"]) for r in rows.get(symbol, [])), Decimal(0)))
    cash = {a["name"]: {c: number(n) for c, n in (a.get("cash") or {}).items()} for a in accounts}
    flow = number(settings.get("cash_flow", 0))
    parts = _flows(accounts, cash, rows, said, wanted, settings, rates, base, flow) if shares is None else shares
    for name, part in parts.items():
        cash[name][base] = cash[name].get(base, Decimal(0)) + part
    total = sum(worth.values()) + float(sum(rates[c] * n for purse in cash.values() for c, n in purse.items()))

    assets = tuple(
        _asset(symbol, said[symbol], rows.get(symbol, []), wanted.get(symbol), rules, settings, rates, total, worth)
        for symbol in symbols
    )
    slots = tuple(
        slot
        for number_, account in enumerate(accounts)
        for index, asset in enumerate(assets)
        if (slot := _slot(number_, account, index, asset, rows.get(asset.symbol, [])))
    )
    buffer = number(settings.get("cash_buffer", 0))
    purses = tuple(_purse(account, cash, rates, base, buffer, rows, assets) for account in accounts)
    residence = settings.get("residence") or {"KRW": "KR", "USD": "US"}.get(base, "none")
    realised = number((settings.get("realised") or {}).get("overseas", 0))
    cash_target = max(1 - sum(float(number(t["weight"])) for _, t in wanted.values()), 0.0) * total
    return Case(
        base=base,
        total=total,
        cash_target=cash_target,
        assets=assets,
        slots=slots,
        purses=purses,
        limits=_limits(folio, assets, total),
        sections={name: _due(rules[name], as_of) for name in sections},
        rates=rates,
        convert=bool(settings.get("convert_currency", True)),
        spread=float(settings.get("fx_spread", 0.001)),
        turnover=None if settings.get("max_turnover") is None else float(settings["max_turnover"]) * total,
        effort=float(settings.get("effort", 0.00005)) * total,
        mode=settings.get("mode", "full"),
        trigger=settings.get("trigger", "due"),
        trade=settings.get("trade", "all"),
        destination=settings.get("destination", "target"),
        flow=float(flow),
        taxes=settings.get("taxes", "count") if residence == "KR" else "none",
        allowance=float(max(ALLOWANCE - realised, Decimal(0))),
    )


def _rule(folio: Mapping[str, Any], name: str, base: str) -> dict[str, Any]:
    default = DEFAULT_RULES.get(name, DEFAULT_RULES["all"])
    rules = folio.get("rules") or {}
    given = dict(rules.get(name) or ({} if name in ("core", "satellite") else rules.get("all")) or {})
    kind = name if name in DEFAULT_RULES else "all"
    smallest = {"min_trade": DEFAULT_MIN_TRADE.get((kind, base), 0), "min_is_default": "min_trade" not in given}
    return {**default, **smallest, **given}


def _due(rule: Mapping[str, Any], as_of: dt.date) -> bool:
    last = rule.get("last_rebalanced")
    schedule = rule["schedule"] or "none"
    if schedule == "none" or last is None:
        return False
    last = last if isinstance(last, dt.date) else dt.date.fromisoformat(str(last))
    if schedule == "weekly":
        return as_of >= last + dt.timedelta(days=7)
    year, month = divmod(last.year * 12 + last.month - 1 + MONTHS[schedule], 12)
    day = min(last.day, calendar.monthrange(year, month + 1)[1])
    return as_of >= dt.date(year, month + 1, day)


def _flows(
    accounts: list[dict[str, Any]],
    cash: Mapping[str, Mapping[str, Decimal]],
    rows: Mapping[str, list[dict[str, Any]]],
    said: Mapping[str, Mapping[str, Any]],
    wanted: Mapping[str, tuple[str, Mapping[str, Any]]],
    settings: Mapping[str, Any],
    rates: Mapping[str, Decimal],
    base: str,
    flow: Decimal,
) -> dict[str, Decimal]:
    """Return the cash flow by account: a deposit to the first that pays, a withdrawal as far as each one reaches."""
    paying = [a for a in accounts if a.get("type", "taxable") == "taxable"] or accounts[:1]
    if flow >= 0:
        return {paying[0]["name"]: flow}
    left, parts = -flow, {a["name"]: Decimal(0) for a in paying}
    for account in paying:
        reach = float(cash[account["name"]].get(base, 0)) - float(
            account.get("cash_buffer", settings.get("cash_buffer", 0))
        )
        convert = settings.get("convert_currency", True)
        if convert:
            foreign = (float(rates[c] * n) for c, n in cash[account["name"]].items() if c != base)
            reach += REACH * sum(foreign)
        for symbol, held in rows.items():
            info = said[symbol]
            disabled = symbol in wanted and not wanted[symbol][1].get("enabled", True)
            if disabled or settings.get("mode") == "buy-only" or not (convert or info["currency"] == base):
                continue
            shares = sum(number(r["quantity"]) for r in held if r["account"] == account["name"] and not r.get("locked"))
            reach += REACH * float(shares * number(info["price"]) * rates[info["currency"]])
        unit = 10 ** DIGITS[base]
        given = min(left, max(Decimal(math.floor(reach * unit)) / unit, Decimal(0)))
        parts[account["name"]] -= given
        left -= given
    parts[paying[0]["name"]] -= left
    return parts


def _asset(
    symbol: str,
    info: Mapping[str, Any],
    held: list[dict[str, Any]],
    wanted: tuple[str, Mapping[str, Any]] | None,
    rules: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    rates: Mapping[str, Decimal],
    total: float,
    worth: Mapping[str, float],
) -> Asset:
    section, target = wanted or (UNTARGETED, {"weight": 0})
    rule = rules[section or "all"]
    weight = float(number(target["weight"]))
    widths = [float(rule["absolute_band"])] if rule["absolute_band"] is not None else []
    widths += [float(rule["relative_band"]) * weight] if rule["relative_band"] is not None else []
    band = 0.0 if wanted is None else min(widths, default=math.inf)
    market = info.get("market") or {"KRW": "KR", "USD": "US"}.get(info["currency"], "OTHER")
    kind = info.get("asset_type", "stock")
    costs = {"commission": Decimal(0), "minimum": Decimal(0), "sell_tax": Decimal(0)}
    for key in ("*", market, kind, f"{market}/{kind}"):
        costs |= {name: number(value) for name, value in ((settings.get("costs") or {}).get(key) or {}).items()}
    whole = market not in (settings.get("fractional") or [])
    lot = number(info.get("lot", 1)) if whole else Decimal(1)
    overseas = market == "US" or (market == "OTHER" and info["currency"] != "KRW")
    dividend = not overseas and kind in ("etf", "etn", "fund") and info.get("taxed_as_dividend") is True
    leverage = float(info.get("leverage", 1))
    traits = {"leveraged"} if abs(leverage) > 1 else set()
    traits |= {"inverse"} if leverage < 0 else set()
    traits |= {"futures"} if info.get("futures") else set()
    limits = [None if target.get(side) is None else float(target[side]) * total for side in ("min", "max")]
    return Asset(
        symbol=symbol,
        section=section,
        weight=weight,
        target=weight * total,
        value=worth[symbol],
        low=max(weight - band, 0.0) * total,
        high=(weight + band if widths or wanted is None else 1.0) * total,
        minimum=limits[0],
        maximum=limits[1],
        enabled=target.get("enabled", True) is not False,
        all_locked=bool(held) and any(number(r["quantity"]) for r in held)
        and all(r.get("locked") for r in held if number(r["quantity"])),
        price=number(info["price"]) * lot,
        currency=info["currency"],
        fx=rates[info["currency"]],
        lot=lot,
        whole=whole,
        market=market,
        traits=frozenset(traits),
        risk=info.get("asset_class") not in ("bond", "cash"),
        min_trade=float(rule["min_trade"] or 0),
        min_is_default=bool(rule["min_is_default"]),
        commission=costs["commission"],
        fee=costs["minimum"],
        sell_tax=costs["sell_tax"],
        taxed="overseas" if overseas else "dividend" if dividend else "",
    )  # fmt: skip


def _slot(
    number_: int, account: Mapping[str, Any], index: int, asset: Asset, rows: list[dict[str, Any]]
) -> Slot | None:
    here = [r for r in rows if r["account"] == account["name"] and number(r["quantity"])]
    locked = any(r.get("locked") for r in here)
    shares = sum((number(r["quantity"]) for r in here if not r.get("locked")), Decimal(0))
    lots = shares / asset.lot
    sellable = float(math.floor(lots)) if asset.whole else float(lots)
    markets, banned = account.get("markets"), frozenset(account.get("banned") or ())
    may_buy = asset.section != UNTARGETED and asset.weight > 0 and not locked
    may_buy &= (markets is None or asset.market in markets) and not asset.traits & banned
    if not asset.enabled or (sellable <= 0 and not may_buy):
        return None
    average = None
    if here and all(r.get("average_cost") is not None for r in here):
        held = [(number(r["quantity"]), number(r["average_cost"]), number(r.get("cost_fx") or asset.fx)) for r in here]
        average = (
            sum((q * c * fx for q, c, fx in held), Decimal(0)) / sum((q for q, _, _ in held), Decimal(0)) * asset.lot
        )
    return Slot(number_, index, sellable, may_buy, average if account.get("type", "taxable") == "taxable" else None)


def _purse(
    account: Mapping[str, Any],
    cash: Mapping[str, Mapping[str, Decimal]],
    rates: Mapping[str, Decimal],
    base: str,
    buffer: Decimal,
    rows: Mapping[str, list[dict[str, Any]]],
    assets: Sequence[Asset],
) -> Purse:
    name = account["name"]
    own = account.get("cash_buffer")
    floor = dict.fromkeys(rates, Decimal(0)) | {base: buffer if own is None else number(own)}
    risk = value = 0.0
    for asset in assets:
        shares = sum(number(r["quantity"]) for r in rows.get(asset.symbol, []) if r["account"] == name)
        here = float(shares * asset.price / asset.lot * asset.fx)
        value += here
        risk += here if asset.risk else 0.0
    value += float(sum(rates[c] * n for c, n in cash[name].items()))
    cap = account.get("risk_cap")
    taxable = account.get("type", "taxable") == "taxable"
    return Purse(name, taxable, cash[name], floor, None if cap is None else float(cap), value, risk)


def _limits(folio: Mapping[str, Any], assets: Sequence[Asset], total: float) -> tuple[WeightLimit, ...]:
    place = {asset.symbol: index for index, asset in enumerate(assets)}
    wanted: list[tuple[tuple[int, ...], int, float]] = []
    for index, asset in enumerate(assets):
        wanted += [((index,), 1, asset.maximum)] if asset.maximum is not None else []
        wanted += [((index,), -1, asset.minimum)] if asset.minimum is not None else []
    for group in folio.get("groups") or []:
        members = tuple(place[str(m)] for m in group["members"] if str(m) in place)
        for key, sign in (("max", 1), ("min", -1)):
            if group.get(key) is not None and members:
                wanted.append((members, sign, float(group[key]) * total))
    found = []
    for members, sign, bound in wanted:
        excess = sign * (sum(assets[m].value for m in members) - bound)
        found.append(WeightLimit(members, sign, bound, excess > EPS * total))
    return tuple(found)


def with_settings(case: Case, **changed: Any) -> Case:
    """Return the case with some of its fields replaced."""
    return replace(case, **changed)
