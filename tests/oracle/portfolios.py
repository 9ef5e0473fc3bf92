"""Random portfolio documents (contract section 3) with manual prices, rates and costs: no market data is needed."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

AS_OF = dt.date(2026, 11, 20)
LONG_AGO, YESTERDAY = dt.date(2025, 3, 3), dt.date(2026, 11, 19)
USDKRW = 1391.5
Document = dict[str, Any]


def small(seed: int) -> Document:
    """Return a portfolio of two to four instruments and few, dear shares: every plan of it can be tried."""
    return _document(random.Random(f"small {seed}"), few=True)


def large(seed: int) -> Document:
    """Return a portfolio of up to twelve instruments in up to three accounts, some with fractions."""
    return _document(random.Random(f"large {seed}"), few=False)


def huge(seed: int) -> Document:
    """Return a portfolio of 20 to 300 instruments in up to three accounts: more than an oracle can solve."""
    r = random.Random(f"huge {seed}")
    return _document(r, few=False, n=r.choice([20, 30, 30, 40, 60, 100, 200, 300]), accounts=r.choice([1, 2, 3, 3]))


@dataclass(frozen=True)
class _Frame:
    """What the parts of one document have in common."""

    r: random.Random
    few: bool
    base: str
    two: bool  # currencies
    total: float
    fractional: bool

    @property
    def other(self) -> str:
        return "USD" if self.base == "KRW" else "KRW"

    def rate(self, currency: str) -> float:
        if currency == self.base:
            return 1.0
        return USDKRW if self.base == "KRW" else 1 / USDKRW

    def money(self, amount: float, currency: str) -> float:
        """Return an amount of the base currency in another, in whole smallest units."""
        amount /= self.rate(currency)
        return int(amount) if currency == "KRW" else round(amount, 2)


def _document(r: random.Random, *, few: bool, n: int | None = None, accounts: int | None = None) -> Document:
    if n is None or accounts is None:
        n = r.randint(2, 4) if few else r.randint(3, 12)
        accounts = r.choice([0, 1, 1, 2] if few else [0, 1, 2, 2, 3])
    n = min(n, 3) if few and accounts == 2 else n
    base = "KRW" if r.random() < 0.8 else "USD"
    total = r.choice([3e6, 1.2e7, 6e7, 3e8]) * (1.0 if base == "KRW" else 1 / USDKRW)
    two = r.random() < (0.35 if few else 0.5)
    frame = _Frame(r, few, base, two, total, fractional=not few and r.random() < 0.15)
    infos = dict(_instrument(frame, i) for i in range(n))

    # Sometimes the last instrument has no target, and some of the weight is cash.
    targeted = list(infos)[: n - (r.random() < 0.3)]
    raw = [r.choice([0.0, 1, 2, 3, 4, 5, 8]) if r.random() < 0.15 else r.uniform(0.5, 5) for _ in targeted]
    invested = r.choice([1.0, 1.0, 0.97, 0.9, 0.75])
    weights = {s: int(w / (sum(raw) or 1) * invested * 1000) / 1000 for s, w in zip(targeted, raw, strict=True)}

    folio: Document = {"name": "random", "base_currency": base}
    if accounts:
        folio["accounts"] = [_account(frame, number) for number in range(accounts)]
    else:
        folio["cash"] = _cash(frame)
    names = [a["name"] for a in folio.get("accounts", [])] or [""]
    folio["holdings"] = _holdings(frame, infos, weights, names)
    _sections(frame, folio, weights)
    if r.random() < 0.15 and len(targeted) > 1:
        folio["groups"] = [_group(frame, list(infos), weights)]
    document: Document = {"portfolio": folio, "settings": _settings(frame)}
    worth = _worth(frame, folio, infos)
    if document["settings"].get("cash_flow", 0) < -0.7 * worth:
        del document["settings"]["cash_flow"]
    if not worth:
        document["settings"]["cash_flow"] = frame.money(total, base)
    if two or base == "USD":
        document["fx"] = {"USDKRW": USDKRW}
    return document


def _worth(frame: _Frame, folio: Document, infos: dict[str, Document]) -> float:
    """Return what a portfolio is worth, in its base currency."""
    purses = [folio.get("cash", {}), *(account["cash"] for account in folio.get("accounts", []))]
    cash = sum(amount * frame.rate(currency) for purse in purses for currency, amount in purse.items())
    held = [(infos[row["symbol"]], row["quantity"]) for row in folio["holdings"]]
    return float(cash + sum(q * info["price"] * frame.rate(info["currency"]) for info, q in held))


def _instrument(frame: _Frame, i: int) -> tuple[str, Document]:
    r = frame.r
    currency = frame.other if frame.two and r.random() < 0.5 else frame.base
    many = r.choice([r.uniform(10, 100), r.uniform(100, 3000), r.uniform(3000, 100_000)])
    share = frame.total / (r.uniform(6, 40) if frame.few else many)
    lot = r.choice([2, 5]) if r.random() < 0.08 and not frame.fractional else 1
    price = frame.money(share / lot, currency)
    info: Document = {
        "price": max(price, 1 if currency == "KRW" else 0.01),
        "currency": currency,
        "market": "KR" if currency == "KRW" else "US",
        "asset_type": r.choice(["etf", "etf", "stock", "fund"]),
        "asset_class": r.choice(["equity", "equity", "bond"]),
    }
    if lot > 1:
        info["lot"] = lot
    if currency == "KRW" and info["asset_type"] != "stock":
        info["taxed_as_dividend"] = r.random() < 0.6
    if r.random() < 0.08:
        info["leverage"] = r.choice([2, -1])
    return (f"9{i:05d}" if currency == "KRW" else f"T{chr(66 + i // 26)}{chr(65 + i % 26)}"), info


def _holdings(frame: _Frame, infos: Document, weights: dict[str, float], names: list[str]) -> list[Document]:
    """Return holdings near or far from the targets."""
    r = frame.r
    spread = r.choice([0.03, 0.15, 0.4, 1.0])
    holdings = []
    for symbol, info in infos.items():
        weight = weights.get(symbol, r.uniform(0.0, 0.2))
        money = max(weight * frame.total * (1 + r.uniform(-spread, spread)), 0.0)
        if r.random() < 0.12:
            money = r.choice([0.0, money * 2])
        where = r.sample(names, r.randint(1, len(names)))
        for k, name in enumerate(where):
            shares = money / len(where) / (info["price"] * frame.rate(info["currency"]))
            lot = info.get("lot", 1)
            parts = frame.fractional and info["market"] == "US"
            row: Document = {
                "symbol": symbol,
                "quantity": round(shares, 3) if parts else int(shares / lot + r.random()) * lot,
            }
            row |= info if k == 0 else {}
            row |= {"account": name} if name else {}
            row |= _bought(frame, info) if r.random() < 0.6 else {}
            if row["quantity"] and r.random() < 0.05:
                row["locked"] = True
            holdings.append(row)
    return holdings


def _bought(frame: _Frame, info: Document) -> Document:
    """Return what a holding cost, sometimes with the rate of that day."""
    cost = info["price"] * frame.r.uniform(0.4, 1.2)
    korean = info["currency"] == "KRW"
    found: Document = {"average_cost": round(cost) if korean else round(cost, 2)}
    if frame.base == "KRW" and not korean and frame.r.random() < 0.3:
        found["cost_fx"] = round(frame.r.uniform(1100, 1450), 1)
    return found


def _group(frame: _Frame, symbols: list[str], weights: dict[str, float]) -> Document:
    members = frame.r.sample(symbols, 2)
    side = frame.r.choice(["max", "min"])
    bound = sum(weights.get(m, 0.0) for m in members)
    bound += frame.r.choice([-0.05, 0.05, 0.1]) * (1 if side == "max" else -1)
    return {"name": "pair", "members": members, side: round(min(max(bound, 0.01), 1), 3)}


def _cash(frame: _Frame) -> Document:
    r = frame.r
    found = {frame.base: frame.money(frame.total * r.choice([0, 0, 0.01, 0.05, 0.2]), frame.base)}
    if frame.two and r.random() < 0.6:
        found[frame.other] = frame.money(frame.total * r.choice([0.005, 0.05]), frame.other)
    return found


def _account(frame: _Frame, number: int) -> Document:
    r = frame.r
    kind = "taxable" if r.random() < 0.65 else r.choice(["isa", "irp"])
    row: Document = {"name": f"{kind} {number}", "type": kind, "cash": _cash(frame)}
    if kind != "taxable":
        row["markets"] = ["KR"] if frame.base == "KRW" else ["US"]
    if kind == "irp":
        row |= {"risk_cap": r.choice([0.7, 0.7, 0.4]), "banned": ["leveraged", "inverse"]}
    return row


def _sections(frame: _Frame, folio: Document, weights: dict[str, float]) -> None:
    r = frame.r
    names = r.choice([["targets"], ["targets"], ["core", "satellite"], ["core", "satellite"], ["core"]])
    cut = r.randint(1, len(weights)) if len(names) == 2 else len(weights)
    rows = [_target(r, symbol, weight) for symbol, weight in weights.items()]
    parts = {name: part for name, part in zip(names, (rows[:cut], rows[cut:]), strict=False) if part}
    folio |= parts
    folio["rules"] = {"all" if name == "targets" else name: _rule(frame) for name in parts}


def _target(r: random.Random, symbol: str, weight: float) -> Document:
    row: Document = {"ticker": symbol, "weight": weight}
    if r.random() < 0.12:
        row["max"] = round(min(weight + r.uniform(0.005, 0.08), 1), 3)
    if r.random() < 0.08:
        row["min"] = round(max(weight - r.uniform(0.005, 0.08), 0), 3)
    if r.random() < 0.04:
        row["enabled"] = False
    return row


def _rule(frame: _Frame) -> Document:
    r = frame.r
    rule: Document = {
        "absolute_band": r.choice([0.05, 0.02, 0.01, None]),
        "relative_band": r.choice([None, 0.25, 0.2]),
        "schedule": r.choice(["none", "none", "quarterly", "annual", "weekly"]),
    }
    if rule["schedule"] != "none":
        rule["last_rebalanced"] = r.choice([LONG_AGO, YESTERDAY])
    if r.random() < 0.4:
        rule["min_trade"] = frame.money(r.choice([0, 0.005, 0.02, 0.06]) * frame.total, frame.base)
    return rule


#: Settings: how often each is given, and what it may be.
CHOICES: dict[str, tuple[float, list[Any]]] = {
    "trade": (0.25, ["breached"]),
    "destination": (0.3, ["edge", "half"]),
    "effort": (0.3, [0, 0.0005]),
    "taxes": (0.3, ["show", "none"]),
    "residence": (0.1, ["none"]),
    "realised": (0.4, [{"overseas": 2_500_000}, {"overseas": 9_000_000}, {"overseas": 1_000_000}]),
    "convert_currency": (0.15, [False]),
    "max_turnover": (0.12, [0.05, 0.15, 0.4]),
}


def _settings(frame: _Frame) -> Document:
    r = frame.r
    found: Document = {
        "trigger": r.choice(["due", "due", "always"]),
        "mode": r.choice(["full", "full", "full", "full", "buy-only", "sell-only"]),
        "fx_spread": r.choice([0.001, 0.001, 0.01, 0]),
    }
    for key, (often, values) in CHOICES.items():
        if r.random() < often:
            found[key] = r.choice(values)
    if r.random() < 0.4:
        found["cash_flow"] = frame.money(frame.total * r.choice([0.02, 0.1, 0.3, -0.01, -0.05, -0.2]), frame.base)
    if r.random() < 0.12:
        found["cash_buffer"] = frame.money(frame.total * 0.01, frame.base)
    if frame.fractional:
        found["fractional"] = ["US"]
    minimum = r.choice([0, 0, 0, round(frame.total * 0.0004)]) if frame.base == "KRW" else r.choice([0, 0, 1])
    costs: Document = {"*": {"commission": r.choice([0, 0.00015, 0.0025, 0.01]), "minimum": minimum, "sell_tax": 0}}
    if r.random() < 0.5:
        costs["KR/stock"] = {"sell_tax": 0.002}
    if r.random() < 0.2:
        costs["US"] = {"commission": 0.001, "minimum": 0}
    found["costs"] = costs
    return found
