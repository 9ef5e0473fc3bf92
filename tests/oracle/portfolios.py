"""Random portfolio documents (contract section 3) with manual prices, rates and costs: no market data is needed."""

from __future__ import annotations

import datetime as dt
import random
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


def _document(r: random.Random, *, few: bool) -> Document:
    n = r.randint(2, 4) if few else r.randint(3, 12)
    n_accounts = r.choice([0, 1, 1, 2] if few else [0, 1, 2, 2, 3])
    if few and n_accounts == 2:
        n = min(n, 3)
    base = "KRW" if r.random() < 0.8 else "USD"
    two = r.random() < (0.35 if few else 0.5)
    scale = 1.0 if base == "KRW" else 1 / USDKRW
    total = r.choice([3e6, 1.2e7, 6e7, 3e8]) * scale
    symbols = []
    for i in range(n):
        foreign = two and r.random() < 0.5
        currency = ("USD" if base == "KRW" else "KRW") if foreign else base
        symbols.append((f"90000{i}"[-6:] if currency == "KRW" else f"TB{chr(65 + i)}", currency))
    symbols = [(f"9000{i:02d}" if c == "KRW" else s, c) for i, (s, c) in enumerate(symbols)]
    rate = {base: 1.0, ("USD" if base == "KRW" else "KRW"): USDKRW if base == "KRW" else 1 / USDKRW}
    fractional = not few and r.random() < 0.15
    infos: dict[str, dict[str, Any]] = {}
    for symbol, currency in symbols:
        share = total / (r.uniform(6, 40) if few else r.choice([r.uniform(10, 100), r.uniform(100, 3000)]))
        price = share / rate[currency]
        asset_type = r.choice(["etf", "etf", "stock", "fund"])
        info = {
            "price": max(round(price), 1) if currency == "KRW" else max(round(price, 2), 0.01),
            "currency": currency,
            "market": "KR" if currency == "KRW" else "US",
            "asset_type": asset_type,
            "asset_class": r.choice(["equity", "equity", "bond"]),
        }
        if currency == "KRW" and asset_type != "stock":
            info["taxed_as_dividend"] = r.random() < 0.6
        if r.random() < 0.08:
            info["leverage"] = r.choice([2, -1])
        if r.random() < 0.08 and not fractional:
            info["lot"] = r.choice([2, 5])
            info["price"] = max(
                round(info["price"] / info["lot"], 2 if currency == "USD" else 0), 0.01 if currency == "USD" else 1
            )
            info["price"] = info["price"] if currency == "USD" else int(info["price"])
        infos[symbol] = info

    # Weights: of the whole, with some cash; sometimes the last instrument has no target.
    untargeted = r.random() < 0.3
    targeted = [s for s, _ in symbols][: n - untargeted]
    raw = [r.choice([0.0, 1, 2, 3, 4, 5, 8]) if r.random() < 0.15 else r.uniform(0.5, 5) for _ in targeted]
    invested = r.choice([1.0, 1.0, 0.97, 0.9, 0.75])
    whole = sum(raw) or 1
    weights = [int(w / whole * invested * 1000) / 1000 for w in raw]

    accounts = _accounts(r, n_accounts, base, two, total, rate)
    names = [a["name"] for a in accounts] or [""]
    # Holdings near or far from the targets.
    spread = r.choice([0.03, 0.15, 0.4, 1.0])
    holdings = []
    for i, (symbol, currency) in enumerate(symbols):
        info = infos[symbol]
        weight = weights[i] if i < len(weights) else r.uniform(0.0, 0.2)
        money = max(weight * total * (1 + r.uniform(-spread, spread)), 0.0)
        if r.random() < 0.12:
            money = r.choice([0.0, money * 2])
        where = r.sample(names, r.randint(1, len(names)))
        for k, name in enumerate(where):
            shares = money / len(where) / (info["price"] * rate[currency])
            lot = info.get("lot", 1)
            if fractional and info["market"] == "US":
                quantity: float = round(shares, 3)
            else:
                quantity = int(shares / lot + r.random()) * lot
            row: dict[str, Any] = {"symbol": symbol, "quantity": quantity}
            if k == 0:
                row |= info
            if names != [""]:
                row["account"] = name
            if r.random() < 0.6:
                cost = info["price"] * r.uniform(0.4, 1.2)
                row["average_cost"] = round(cost) if currency == "KRW" else round(cost, 2)
                if base == "KRW" and currency == "USD" and r.random() < 0.3:
                    row["cost_fx"] = round(r.uniform(1100, 1450), 1)
            if quantity and r.random() < 0.05:
                row["locked"] = True
            holdings.append(row)

    folio: Document = {"name": "random", "base_currency": base, "holdings": holdings}
    if accounts:
        folio["accounts"] = accounts
    else:
        folio["cash"] = _cash(r, base, two, total, rate)
    _sections(r, folio, targeted, weights, total)
    if r.random() < 0.15 and len(targeted) > 1:
        members = r.sample([s for s, _ in symbols], 2)
        side = r.choice(["max", "min"])
        joint = sum(w for s, w in zip(targeted, weights, strict=False) if s in members)
        bound = joint + r.choice([-0.05, 0.05, 0.1]) * (1 if side == "max" else -1)
        folio["groups"] = [{"name": "pair", "members": members, side: round(min(max(bound, 0.01), 1), 3)}]
    document: Document = {"portfolio": folio, "settings": _settings(r, base, total, fractional=fractional)}
    if two or base == "USD":
        document["fx"] = {
            f"USD{base}" if base == "KRW" else "KRWUSD": USDKRW if base == "KRW" else round(1 / USDKRW, 9)
        }
    return document


def _cash(r: random.Random, base: str, two: bool, total: float, rate: dict[str, float]) -> dict[str, float]:
    found = {base: total * r.choice([0, 0, 0.01, 0.05, 0.2])}
    if two and r.random() < 0.6:
        other = "USD" if base == "KRW" else "KRW"
        found[other] = total * r.choice([0.005, 0.05]) / rate[other]
    return {c: int(m) if c == "KRW" else round(m, 2) for c, m in found.items()}


def _accounts(
    r: random.Random, count: int, base: str, two: bool, total: float, rate: dict[str, float]
) -> list[dict[str, Any]]:
    found = []
    for number in range(count):
        kind = "taxable" if r.random() < 0.65 else r.choice(["isa", "irp"])
        row: dict[str, Any] = {"name": f"{kind} {number}", "type": kind, "cash": _cash(r, base, two, total, rate)}
        if kind != "taxable":
            row["markets"] = ["KR"] if base == "KRW" else ["US"]
        if kind == "irp":
            row |= {"risk_cap": r.choice([0.7, 0.7, 0.4]), "banned": ["leveraged", "inverse"]}
        found.append(row)
    return found


def _sections(r: random.Random, folio: Document, symbols: list[str], weights: list[float], total: float) -> None:
    names = r.choice([["targets"], ["targets"], ["core", "satellite"], ["core", "satellite"], ["core"]])
    cut = r.randint(1, len(symbols)) if len(names) == 2 else len(symbols)
    rows = []
    for symbol, weight in zip(symbols, weights, strict=True):
        row: dict[str, Any] = {"ticker": symbol, "weight": weight}
        if r.random() < 0.12:
            row["max"] = round(min(weight + r.uniform(0.005, 0.08), 1), 3)
        if r.random() < 0.08:
            row["min"] = round(max(weight - r.uniform(0.005, 0.08), 0), 3)
        if r.random() < 0.04:
            row["enabled"] = False
        rows.append(row)
    parts = {names[0]: rows[:cut]} | ({names[1]: rows[cut:]} if len(names) == 2 and rows[cut:] else {})
    folio |= parts
    rules = {}
    for name in parts:
        key = "all" if name == "targets" else name
        rule: dict[str, Any] = {
            "absolute_band": r.choice([0.05, 0.02, 0.01, None]),
            "relative_band": r.choice([None, 0.25, 0.2]),
        }
        rule["schedule"] = r.choice(["none", "none", "quarterly", "annual"])
        if rule["schedule"] != "none":
            rule["last_rebalanced"] = r.choice([LONG_AGO, YESTERDAY])
        if r.random() < 0.4:
            rule["min_trade"] = float(f"{r.choice([0, 0.005, 0.02, 0.06]) * total:.0f}")
        rules[key] = rule
    folio["rules"] = rules


def _settings(r: random.Random, base: str, total: float, *, fractional: bool) -> Document:
    unit = 0 if base == "KRW" else 2
    found: Document = {
        "trigger": r.choice(["due", "due", "always"]),
        "mode": r.choice(["full", "full", "full", "full", "buy-only", "sell-only"]),
        "fx_spread": r.choice([0.001, 0.001, 0.01, 0]),
    }
    if r.random() < 0.4:
        flow = round(total * r.choice([0.02, 0.1, 0.3, -0.01, -0.05, -0.2]), unit)
        found["cash_flow"] = int(flow) if unit == 0 else flow
    if r.random() < 0.25:
        found["trade"] = "breached"
    if r.random() < 0.3:
        found["destination"] = r.choice(["edge", "half"])
    if r.random() < 0.3:
        found["effort"] = r.choice([0, 0.0005])
    if r.random() < 0.3:
        found["taxes"] = r.choice(["show", "none"])
    if r.random() < 0.1:
        found["residence"] = "none"
    if r.random() < 0.4:
        found["realised"] = {"overseas": r.choice([2_500_000, 9_000_000, 1_000_000])}
    if fractional:
        found["fractional"] = ["US"]
    if r.random() < 0.15:
        found["convert_currency"] = False
    if r.random() < 0.12:
        buffer = round(total * 0.01, unit)
        found["cash_buffer"] = int(buffer) if unit == 0 else buffer
    if r.random() < 0.12:
        found["max_turnover"] = r.choice([0.05, 0.15, 0.4])
    costs: Document = {
        "*": {
            "commission": r.choice([0, 0.00015, 0.0025, 0.01]),
            "minimum": r.choice([0, 0, 0, round(total * 0.0004)]) if base == "KRW" else r.choice([0, 0, 1]),
            "sell_tax": 0,
        }
    }
    if r.random() < 0.5:
        costs["KR/stock"] = {"sell_tax": 0.002}
    if r.random() < 0.2:
        costs["US"] = {"commission": 0.001, "minimum": 0}
    found["costs"] = costs
    return found
